//! Decides when a backup is late: it was due, the time that it may take is over, and none has been
//! made since it was due.

use std::time::Duration;

/// One asset's schedule as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When it was due last, in milliseconds since 1970; none where it never was.
    pub due: Option<i64>,
    /// When the newest whole backup of it was begun.
    pub last: Option<i64>,
    /// How long it may take until it counts as late.
    pub grace: Duration,
}

/// Since when it is late, as a length of time from the moment at which it was due; none where it is in
/// time. A clock that was put back makes nothing late.
#[must_use]
pub fn late(asset: Due, now: i64) -> Option<Duration> {
    let due = asset.due?;
    if asset.last.is_some_and(|last| last >= due) {
        return None;
    }
    let waited = Duration::from_millis(u64::try_from(now.checked_sub(due)?).ok()?);
    (waited > asset.grace).then_some(waited)
}
