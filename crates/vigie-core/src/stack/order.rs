//! Decides in which order services are brought up: what one needs comes before it.

use super::{ServiceId, Stack};

impl Stack {
    /// `wanted` and all that they need, each once, behind what it needs itself; otherwise in the order of
    /// the stack.
    #[must_use]
    pub fn in_order(&self, wanted: &[ServiceId]) -> Vec<ServiceId> {
        let is_needed =
            |id: ServiceId| wanted.iter().any(|one| *one == id || self.depends(*one, id));
        let mut left: Vec<_> =
            self.services().map(|(id, _)| id).filter(|id| is_needed(*id)).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let waits = |id: ServiceId| left.iter().any(|other| self.depends(id, *other));
            // In a circle, which the configuration refuses, each waits: the first one goes then.
            let next = left.iter().position(|id| !waits(*id)).unwrap_or(0);
            order.push(left.remove(next));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::stack::{Role, Service, ServiceId, Settings, Stack};

    /// A stack in which each service needs those with these numbers.
    fn stack(needs: &[Vec<u16>]) -> Stack {
        let services = needs.iter().enumerate().map(|(at, needs)| Service {
            depends_on: needs.iter().copied().map(ServiceId).collect(),
            ..Service::new(format!("s{at}"), Role::Other)
        });
        Stack::new("x", services.collect(), Settings::default(), Vec::new())
    }

    #[test]
    fn what_is_needed_comes_first() {
        let stack = stack(&[vec![1], vec![2], vec![], vec![]]);
        let ids = |ids: &[u16]| ids.iter().copied().map(ServiceId).collect::<Vec<_>>();
        assert_eq!(stack.in_order(&ids(&[0])), ids(&[2, 1, 0]));
        assert_eq!(stack.in_order(&ids(&[3, 1])), ids(&[2, 1, 3]));
        assert_eq!(stack.in_order(&[]), []);
    }

    proptest! {
        #[test]
        fn nothing_comes_before_what_it_needs(
            needs in proptest::collection::vec(proptest::collection::vec(0..8_u16, 0..4), 1..8),
            circles in any::<bool>(),
        ) {
            let count = u16::try_from(needs.len()).unwrap();
            // Only what stands behind it, so that there is no circle; or anything.
            let fits = |at: u16, need: u16| need < count && (circles || need > at);
            let needs: Vec<Vec<_>> = (0..).zip(needs)
                .map(|(at, needs)| needs.into_iter().filter(|need| fits(at, *need)).collect())
                .collect();
            let stack = stack(&needs);
            let all: Vec<_> = stack.services().map(|(id, _)| id).collect();
            let order = stack.in_order(&all);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, all);
            for (place, id) in order.iter().enumerate().filter(|_| !circles) {
                for need in &stack.service(*id).depends_on {
                    prop_assert!(order[..place].contains(need));
                }
            }
        }
    }
}
