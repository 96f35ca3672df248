//! Does: reads the clocks, the only place that does. The steady time goes on where the journal left
//! it, so that it never goes back, not even across a restart; the wall time is what the host says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use vigie_core::Moment;

/// A jump of the host's clock that is worth saying, in milliseconds.
const JUMP_MS: i64 = 2_000;
/// How long ago an event may be that is told now.
const BELIEVED_MS: i64 = 7 * 24 * 3_600_000;

/// The two clocks.
#[derive(Debug, Clone)]
pub struct Clock {
    began: Instant,
    steady_base: i64,
    // Offset of the wall clock to the steady one, when last looked at.
    offset: Arc<Mutex<i64>>,
}

impl Clock {
    /// A clock that goes on after `last`, the last moment in the journal.
    #[must_use]
    pub fn after(last: Moment) -> Self {
        let wall = wall_ms();
        // The time that vigie was away counts, unless the host's clock went back meanwhile.
        let away = (wall - last.wall).max(0);
        let steady_base = if last.steady == 0 { wall } else { last.steady + away };
        Self {
            began: Instant::now(),
            steady_base,
            offset: Arc::new(Mutex::new(wall - steady_base)),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment { steady: self.steady(), wall: wall_ms() }
    }

    /// The minute of the host's day, in its time zone.
    #[must_use]
    pub fn minute_of_day(&self) -> u16 {
        use chrono::Timelike as _;
        let now = chrono::Local::now();
        u16::try_from(now.hour() * 60 + now.minute()).unwrap_or(0)
    }

    fn steady(&self) -> i64 {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX / 2);
        self.steady_base + elapsed
    }

    /// The moment that an event source gave as wall time. A time that is not believable (in the
    /// future, or very long ago because the clock jumped) is taken for now. Days are believable:
    /// what happened while vigie was away is told late.
    #[must_use]
    pub fn at_wall(&self, wall: i64) -> Moment {
        let now = self.now();
        let ago = now.wall - wall;
        if (0..=BELIEVED_MS).contains(&ago) {
            Moment { steady: now.steady - ago, wall }
        } else {
            now
        }
    }

    /// The instant at which `moment` comes, for sleeping.
    #[must_use]
    pub fn instant_of(&self, moment: Moment) -> Instant {
        let ahead = u64::try_from(moment.steady - self.steady()).unwrap_or(0);
        Instant::now() + std::time::Duration::from_millis(ahead)
    }

    /// By how much the host's clock has jumped since this was last asked, when it did.
    pub fn jumped(&self) -> Option<i64> {
        let now = self.now();
        let offset = now.wall - now.steady;
        let mut known = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let by = offset - std::mem::replace(&mut *known, offset);
        (by.abs() >= JUMP_MS).then_some(by)
    }
}

pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_after_a_journal_from_the_future() {
        let future = wall_ms() + 3_600_000;
        let last = Moment { steady: future, wall: future };
        let clock = Clock::after(last);
        assert!(clock.now().steady >= last.steady, "steady time never goes back");
        assert!(clock.now().wall < future, "people read the host's clock");
    }

    #[test]
    fn the_time_away_counts() {
        let past = wall_ms() - 60_000;
        let clock = Clock::after(Moment { steady: 5_000, wall: past });
        assert!((65_000..66_000).contains(&clock.now().steady));
    }

    #[test]
    fn an_unbelievable_time_is_now() {
        let clock = Clock::after(Moment::default());
        let now = clock.now();
        assert!(clock.at_wall(now.wall + 5_000_000).steady <= clock.now().steady);
        assert!(clock.at_wall(now.wall - 400 * 24 * 3_600_000).wall >= now.wall);
        for ago in [1_000, 5 * 3_600_000] {
            let at = clock.at_wall(now.wall - ago);
            assert_eq!(at.wall, now.wall - ago);
            assert!((now.steady - ago..now.steady - ago + 1_000).contains(&at.steady));
        }
    }
}
