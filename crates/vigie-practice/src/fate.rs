//! Whether the server is dead, of what, and a sleep that its death cuts short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::death::Death;
use crate::lock::locked;

/// The end of the server, decided once.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    sealed: AtomicBool,
    death: Mutex<Option<Death>>,
    bell: Condvar,
}

impl Fate {
    /// Claims the death; only the first claim is granted. The claimer then has
    /// the time to say its last words before [`Fate::toll`] wakes everybody.
    pub(crate) fn claim(&self) -> bool {
        !self.sealed.swap(true, Ordering::SeqCst)
    }

    /// Makes the death known.
    pub(crate) fn toll(&self, death: Death) {
        *locked(&self.death) = Some(death);
        self.bell.notify_all();
    }

    /// Whether the server is dead or dying.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::SeqCst)
    }

    /// What it died of, once known.
    pub(crate) fn death(&self) -> Option<Death> {
        *locked(&self.death)
    }

    /// Waits for the death, at most `patience`.
    pub(crate) fn wait(&self, patience: Duration) -> Option<Death> {
        let end = Instant::now().checked_add(patience);
        let mut death = locked(&self.death);
        loop {
            if death.is_some() {
                return *death;
            }
            // Patience beyond the clock is served in hours.
            let left = end.map_or(Duration::from_secs(3600), |end| {
                end.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return None;
            }
            death = self.bell.wait_timeout(death, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_claim_wins_and_the_wait_ends() {
        let fate = Fate::default();
        assert_eq!(fate.wait(Duration::from_millis(5)), None);
        assert!(fate.claim());
        assert!(!fate.claim());
        fate.toll(Death::Segv);
        assert_eq!(fate.wait(Duration::MAX), Some(Death::Segv));
    }
}
