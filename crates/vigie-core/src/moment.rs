//! Decides how time is told: a moment carries the steady time that deadlines use and the wall time
//! that people read. Never reads a clock: moments come in with events.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One instant on two clocks.
///
/// `steady` never goes back, also not across a restart of vigie; every deadline and every length
/// of time is computed on it. `wall` is what the host's clock said, and is only shown. A clock that
/// jumps back an hour therefore moves what people read and nothing that vigie decides.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Moment {
    /// Milliseconds on a clock that only goes forward.
    pub steady: i64,
    /// Milliseconds since 1970-01-01T00:00:00Z as the host's clock had them.
    pub wall: i64,
}

impl Moment {
    /// A moment at which both clocks read `ms`.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self { steady: ms, wall: ms }
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.steady - earlier.steady).unwrap_or(0))
    }

    /// The moment `by` later on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        Self { steady: self.steady.saturating_add(by), wall: self.wall.saturating_add(by) }
    }

    /// Whether `deadline` has come.
    #[must_use]
    pub fn reached(self, deadline: Self) -> bool {
        self.steady >= deadline.steady
    }
}

/// When something began, as bounds: it was still well at `earliest` and no longer at `latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The last time it was seen well.
    pub earliest: Moment,
    /// The first time it was seen failing.
    pub latest: Moment,
}

impl Bounds {
    /// Bounds that coincide: an event source told the very moment.
    #[must_use]
    pub const fn exactly(at: Moment) -> Self {
        Self { earliest: at, latest: at }
    }

    /// Bounds from a last good look, where there was one, and a first bad one.
    #[must_use]
    pub fn between(last_good: Option<Moment>, first_bad: Moment) -> Self {
        let earliest = last_good.map_or(first_bad, |good| good.min(first_bad));
        Self { earliest, latest: first_bad }
    }
}
