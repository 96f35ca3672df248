//! Sliding windows, counted when a request arrives: the strictest reading of a limit. On tokio's clock, so
//! that a test can let an hour pass at once.

use std::time::Duration;

use tokio::time::Instant;

pub(super) struct Windows {
    limits: Vec<(usize, Duration)>,
    taken: Vec<Instant>,
}

impl Windows {
    pub(super) const fn new(limits: Vec<(usize, Duration)>) -> Self {
        Self { limits, taken: Vec::new() }
    }

    /// Takes a request, or says how long to wait.
    pub(super) fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let waits = self.limits.iter().filter_map(|(count, per)| {
            let first = self.taken.len().checked_sub(*count)?;
            per.checked_sub(now.duration_since(*self.taken.get(first)?))
        });
        match waits.max() {
            Some(wait) => Err(wait),
            None => {
                self.taken.push(now);
                Ok(())
            }
        }
    }
}
