//! Decides the figures of the register: how many, how fast (MTTD, MTTA, MTTR), how available, and
//! what is left of the promise. All times are milliseconds on one axis, the wall time of each
//! incident's detection with everything else counted from there on the steady clock.
//!
//! When a fault began is known only within bounds, so every figure that counts from there is one
//! too: from the least that it can be to the most.

mod month;
mod outage;
mod slo;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::incident::{Group, Incident, Severity};
use crate::moment::Moment;

pub use month::Month;
pub use outage::{Span, union};
pub use slo::{Availability, Budget, Burn, WINDOWS, Watched, availability, budget, burn};

/// An incident's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The last time it was seen well.
    pub started_earliest: i64,
    /// The first time it was seen failing.
    pub started_latest: i64,
    /// When it was opened.
    pub detected: i64,
    /// When it was first taken in hand.
    pub acknowledged: Option<i64>,
    /// When it was last verified stable.
    pub restored: Option<i64>,
    /// When it was resolved.
    pub resolved: Option<i64>,
}

impl Times {
    /// The times of an incident.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        let zero = incident.detected;
        let at = |moment: Moment| zero.wall.saturating_add(moment.steady - zero.steady);
        let started = incident.started();
        Self {
            started_earliest: at(started.earliest),
            started_latest: at(started.latest),
            detected: at(zero),
            acknowledged: incident.acknowledged.as_ref().map(|(when, _)| at(*when)),
            restored: incident.restored.map(at),
            resolved: incident.resolved.map(at),
        }
    }

    /// The least and the most time from its start to `end`.
    #[must_use]
    pub const fn until(&self, end: i64) -> (i64, i64) {
        let least = end.saturating_sub(self.started_latest);
        let most = end.saturating_sub(self.started_earliest);
        (if least < 0 { 0 } else { least }, if most < 0 { 0 } else { most })
    }

    /// When its service worked again: verified stable, else a person's word, else not yet.
    #[must_use]
    pub fn end(&self) -> Option<i64> {
        self.restored.or(self.resolved)
    }
}

/// An incident as the figures need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How bad.
    pub severity: Severity,
    /// What kind of cause.
    pub group: Group,
    /// The service at the root of it.
    pub service: Arc<str>,
    /// Whether a detector saw it begin. A person's report says nothing of when the fault began.
    pub sensed: bool,
    /// Its times.
    pub times: Times,
}

/// The median of a length of time that is only known within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Median {
    /// Of how many.
    pub n: usize,
    /// The median of the least and of the most that each can be, in milliseconds.
    pub bounds: Option<(i64, i64)>,
}

impl Median {
    fn of(lengths: impl Iterator<Item = (i64, i64)>) -> Self {
        let (mut least, mut most): (Vec<i64>, Vec<i64>) = lengths.unzip();
        let bounds = middle(&mut least).zip(middle(&mut most));
        Self { n: least.len(), bounds }
    }
}

/// The middle of `values`, or what lies between the two middle ones.
fn middle(values: &mut [i64]) -> Option<i64> {
    let half = values.len() / 2;
    let odd = values.len() % 2 == 1;
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable(half);
    let upper = *upper;
    match below.iter().max() {
        Some(lower) if !odd => Some(lower + (upper - lower) / 2),
        _ => Some(upper),
    }
}

/// How many and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Incidents by severity, P1 first.
    pub counts: [usize; 4],
    /// Those that no detector saw: they are counted, and timed nowhere.
    pub reported: usize,
    /// From the start to the detection.
    pub detect: Median,
    /// From the start until somebody had it in hand, of those that were.
    pub acknowledge: Median,
    /// From the start until it was verified stable, of those that were.
    pub restore: Median,
}

/// Sums `rows` up.
#[must_use]
pub fn summary<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Summary {
    let mut counts = [0; 4];
    for row in rows.clone() {
        counts[row.severity as usize] += 1;
    }
    let timed = || rows.clone().filter(|row| row.sensed).map(|row| row.times);
    let until = |end: fn(&Times) -> Option<i64>| {
        Median::of(timed().filter_map(|times| Some(times.until(end(&times)?))))
    };
    Summary {
        counts,
        reported: rows.clone().filter(|row| !row.sensed).count(),
        detect: until(|times| Some(times.detected)),
        acknowledge: until(|times| times.acknowledged),
        restore: until(|times| times.restored),
    }
}

/// The times in which `service` was down: its P1 incidents of availability, from their start until
/// it worked again, or until `now`. First as short as they can have been, then as long.
#[must_use]
pub fn outages(rows: &[Row], service: &str, now: i64) -> (Vec<Span>, Vec<Span>) {
    let own = |row: &&Row| {
        row.severity == Severity::P1
            && row.group == Group::Availability
            && row.sensed
            && *row.service == *service
    };
    let spans = |from: fn(&Times) -> i64| {
        let down = rows.iter().filter(own).map(|row| &row.times);
        union(down.map(|times| Span::new(from(times), times.end().unwrap_or(now).min(now))))
    };
    (spans(|times| times.started_latest), spans(|times| times.started_earliest))
}
