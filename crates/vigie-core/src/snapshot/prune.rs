//! Decides which restore points may go. Never the one that runs, never the last known good one.

use std::time::Duration;

use crate::snapshot::{Point, PointName};

/// How long a point must have run without a P1 or P2 to be known as good.
pub const GOOD_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The newest so many.
    pub keep_last: usize,
    /// Those whose description has one of these words: `stable`.
    pub keep_tagged: Vec<String>,
    /// Those that are younger.
    pub keep_min_age: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            keep_last: 5,
            keep_tagged: vec![String::from("stable")],
            keep_min_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Why one is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It runs.
    Running,
    /// It ran well for a day, and none that is younger did.
    LastGood,
    /// It is among the newest.
    Last,
    /// Its description says so.
    Tagged,
    /// It is young.
    Young,
}

/// A point, and why it is kept; it may go where there is no reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its name.
    pub name: PointName,
    /// Why it is kept.
    pub kept: Option<Kept>,
}

/// Judges every point, newest first. `now` is in milliseconds since 1970.
#[must_use]
pub fn prune(
    points: &[Point],
    rules: &Rules,
    running: Option<&PointName>,
    last_good: Option<&PointName>,
    now: i64,
) -> Vec<Verdict> {
    let mut order: Vec<&Point> = points.iter().collect();
    order.sort_by(|one, other| (other.made, &other.name).cmp(&(one.made, &one.name)));
    let judge = |(place, point): (usize, &&Point)| {
        let age = Duration::from_millis(u64::try_from(now.saturating_sub(point.made)).unwrap_or(0));
        let words = point.name.description().split(['-', '_', '.']);
        let tagged = words.clone().any(|word| rules.keep_tagged.iter().any(|kept| kept == word));
        let kept = if running == Some(&point.name) {
            Some(Kept::Running)
        } else if last_good == Some(&point.name) {
            Some(Kept::LastGood)
        } else if place < rules.keep_last {
            Some(Kept::Last)
        } else if tagged {
            Some(Kept::Tagged)
        } else if age < rules.keep_min_age {
            Some(Kept::Young)
        } else {
            None
        };
        Verdict { name: point.name.clone(), kept }
    };
    order.iter().enumerate().map(judge).collect()
}
