//! Decides whether vigie may restart a service once more, and when. Docker's own policy resets its
//! backoff after ten seconds of life; this one only after a verified stable period.

use std::time::Duration;

use crate::moment::Moment;
use crate::stack::Budget;
use crate::state::ServiceState;

/// What the budget says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Now.
    Now,
    /// Not before then.
    At(Moment),
    /// Not any more: a person has to look.
    Spent,
}

/// Whether `service` may be restarted at `now`.
#[must_use]
pub fn ask(budget: &Budget, service: &ServiceState, now: Moment) -> Allowance {
    if service.restarts_within(now, budget.per).count() >= budget.restarts {
        return Allowance::Spent;
    }
    let Some(last) = service.restarts.last() else { return Allowance::Now };
    let at = last.plus(backoff(budget, service.streak));
    if now.reached(at) { Allowance::Now } else { Allowance::At(at) }
}

/// The wait before the restart that follows `streak` restarts in a row.
#[must_use]
pub fn backoff(budget: &Budget, streak: u32) -> Duration {
    if streak == 0 {
        return Duration::ZERO;
    }
    let factor = 1_u32.checked_shl(streak - 1).unwrap_or(u32::MAX);
    budget.backoff.checked_mul(factor).unwrap_or(budget.backoff_max).min(budget.backoff_max)
}
