//! Decides how fast a channel may be told: at most so many in so long, for several such limits at
//! once. It counts what was sent in sliding windows, so no window of that length ever holds more.

use std::collections::VecDeque;
use std::time::Duration;

use crate::moment::Moment;

/// At most `count` requests in any time of length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests.
    pub count: usize,
    /// The length of the window.
    pub per: Duration,
}

/// What was sent lately, against the limits.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    limits: Vec<Limit>,
    sent: VecDeque<Moment>,
}

impl Pace {
    /// Nothing was sent yet.
    #[must_use]
    pub const fn new(limits: Vec<Limit>) -> Self {
        Self { limits, sent: VecDeque::new() }
    }

    /// Remembers that something was sent.
    pub fn count(&mut self, now: Moment) {
        self.sent.push_back(now);
        let most = self.limits.iter().map(|limit| limit.count).max().unwrap_or(0);
        while self.sent.len() > most {
            self.sent.pop_front();
        }
    }

    /// From when on something may be sent; `None` at once.
    #[must_use]
    pub fn ready_at(&self, now: Moment) -> Option<Moment> {
        let blocked = self.limits.iter().filter_map(|limit| {
            // The one that has to leave the window before another may enter it.
            let at = self.sent.len().checked_sub(limit.count.max(1))?;
            self.sent.get(at).map(|sent| sent.plus(limit.per))
        });
        blocked.max_by_key(|at| at.steady).filter(|at| !now.reached(*at))
    }
}
