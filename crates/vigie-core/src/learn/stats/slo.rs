//! Decides what availability was, what of the error budget is left, and how fast it burns. Where the
//! start of an outage is only known within bounds, the budget takes it as long as it can have been.

use super::outage::covered;
use super::{Month, Span};

/// The usual windows in hours, and the burn rate from which each is worth waking somebody.
pub const WINDOWS: [(i64, f64); 4] = [(1, 14.4), (6, 6.0), (24, 3.0), (72, 1.0)];

const HOUR_MS: i64 = 3_600_000;

/// What was watched: outages outside it are nobody's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// When the watch began, as far as the journal still knows.
    pub since: i64,
    /// Now.
    pub now: i64,
}

/// Availability in one month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Availability {
    /// The month.
    pub month: Month,
    /// Milliseconds of it that were watched.
    pub watched_ms: i64,
    /// The least and the most that it was down, in milliseconds.
    pub down_ms: (i64, i64),
    /// Percent of what was watched, at least and at most.
    pub percent: (f64, f64),
}

/// The error budget of one month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// All of it, in milliseconds.
    pub total_ms: i64,
    /// What is left of it; below zero the promise is broken.
    pub left_ms: i64,
}

/// How fast the budget burns: at 1 it would last exactly as long as its month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// Over the last so many hours.
    pub hours: i64,
    /// The rate.
    pub rate: f64,
    /// The rate from which it matters.
    pub threshold: f64,
}

impl Burn {
    /// Whether it burns too fast.
    #[must_use]
    pub fn exceeded(&self) -> bool {
        self.rate >= self.threshold
    }
}

/// The availability of each month from `since` on, oldest first. `outages` are the two sides of
/// [`super::outages`].
#[must_use]
pub fn availability(
    outages: &(Vec<Span>, Vec<Span>),
    watched: Watched,
    since: i64,
) -> Vec<Availability> {
    let all = Span::new(watched.since, watched.now);
    if all.length() == 0 {
        return Vec::new();
    }
    let asked = Span::new(since.max(watched.since), watched.now);
    let one = |month: Month| {
        let window = month.span().within(all);
        let down_ms = (covered(&outages.0, window), covered(&outages.1, window));
        let percent = (share_up(down_ms.1, window), share_up(down_ms.0, window));
        Availability { month, watched_ms: window.length(), down_ms, percent }
    };
    Month::touched(asked).map(one).filter(|one| one.watched_ms > 0).collect()
}

/// The error budget of a month under a promise of `slo` percent.
#[must_use]
pub fn budget(one: &Availability, slo: f64) -> Budget {
    let total_ms = part(one.month.span().length(), allowed(slo));
    Budget { total_ms, left_ms: total_ms - one.down_ms.1 }
}

/// How fast the budget burns now, over each of [`WINDOWS`].
#[must_use]
pub fn burn(outages: &(Vec<Span>, Vec<Span>), watched: Watched, slo: f64) -> [Burn; 4] {
    WINDOWS.map(|(hours, threshold)| {
        let window = Span::new(watched.now - hours * HOUR_MS, watched.now);
        let down = ratio(covered(&outages.1, window), window.length());
        Burn { hours, rate: down / allowed(slo), threshold }
    })
}

/// The part of the time that may be lost. A promise of everything leaves nothing to divide by.
fn allowed(slo: f64) -> f64 {
    ((100.0 - slo) / 100.0).clamp(1e-9, 1.0)
}

fn share_up(down: i64, window: Span) -> f64 {
    100.0 * (1.0 - ratio(down, window.length()))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years are exact")]
fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a part of a month in milliseconds"
)]
fn part(whole: i64, share: f64) -> i64 {
    (whole as f64 * share).round() as i64
}
