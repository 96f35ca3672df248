//! A silence that somebody imposed, for a while or until it is lifted.
//!
//! Freezes, deafness and map changes are all gags: they differ only in who
//! looks at them. Expiry is computed when asked, so no thread waits for it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::locked;

#[derive(Debug, Clone, Copy)]
enum Until {
    At(Instant),
    Lifted,
}

/// One silence, off at first.
#[derive(Debug, Default)]
pub(crate) struct Gag(Mutex<Option<Until>>);

impl Gag {
    /// Imposes the silence for `lasting`, or until [`Gag::lift`] when `None`.
    pub(crate) fn impose(&self, lasting: Option<Duration>) {
        let end = lasting.map(|lasting| Instant::now().checked_add(lasting));
        // A duration that overflows the clock is as good as "until lifted".
        *locked(&self.0) = Some(end.flatten().map_or(Until::Lifted, Until::At));
    }

    /// Ends the silence.
    pub(crate) fn lift(&self) {
        *locked(&self.0) = None;
    }

    /// Whether the silence holds now.
    pub(crate) fn holds(&self) -> bool {
        match *locked(&self.0) {
            None => false,
            Some(Until::Lifted) => true,
            Some(Until::At(end)) => Instant::now() < end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_until_its_end_or_until_lifted() {
        let gag = Gag::default();
        assert!(!gag.holds());
        gag.impose(Some(Duration::from_millis(20)));
        assert!(gag.holds());
        std::thread::sleep(Duration::from_millis(40));
        assert!(!gag.holds());
        gag.impose(None);
        assert!(gag.holds());
        gag.lift();
        assert!(!gag.holds());
        gag.impose(Some(Duration::MAX));
        assert!(gag.holds());
    }
}
