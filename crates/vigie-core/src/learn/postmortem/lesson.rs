//! Decides what went well, badly or by luck: each only from what is written down.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::incident::{Actor, Group, Incident};
use crate::learn::postmortem::{Case, Length, length};
use crate::record::Record;
use crate::respond::{Ending, Phase, Run};

/// A fault that was seen within this time was seen fast: the promise of the reference stack.
const FAST: Duration = Duration::from_secs(30);
/// Of one kind of lesson with names in it, so many are told.
const OF_A_KIND: usize = 5;

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// As it should.
    Well,
    /// Not as it should.
    Badly,
    /// As it should, and nobody's merit.
    Luck,
}

/// One thing to learn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lesson {
    /// It was seen soon after it began.
    SeenFast(Length),
    /// A runbook had it in hand at once.
    InHand {
        /// The runbook.
        runbook: String,
        /// After its detection.
        after: Duration,
    },
    /// The first case that was tried helped.
    HelpedAtOnce {
        /// The runbook.
        runbook: String,
        /// The case.
        case: String,
    },
    /// It was proved from the player's side that it works again.
    Proved {
        /// What players saw.
        view: String,
    },
    /// People were told.
    Told {
        /// The channel that took it first.
        channel: String,
        /// After its detection.
        after: Duration,
    },
    /// It was seen late.
    SeenLate(Length),
    /// A person had to see it.
    SeenByAPerson,
    /// Nobody had it in hand in time.
    NobodyInTime,
    /// A case was tried and did not help.
    CaseFailed {
        /// The runbook.
        runbook: String,
        /// The case.
        case: String,
        /// Times it failed.
        times: u32,
    },
    /// No case matched.
    NoCase {
        /// The runbook.
        runbook: String,
    },
    /// A guard refused a step.
    RefusedByGuard {
        /// The runbook.
        runbook: String,
    },
    /// It came back after it was restored.
    CameBack {
        /// Times.
        times: u32,
    },
    /// A person had to take over.
    HandedOver {
        /// Why.
        why: String,
    },
    /// A part of the evidence could not be collected.
    NotCollected {
        /// What, and why.
        what: String,
    },
    /// A channel refused what it was told.
    ChannelRefused {
        /// The channel.
        channel: String,
    },
    /// Nobody was online.
    NobodyOnline,
    /// It went without any repair that was proved.
    WentByItself,
}

impl Lesson {
    /// Its side.
    #[must_use]
    pub const fn side(&self) -> Side {
        match self {
            Self::SeenFast(_)
            | Self::InHand { .. }
            | Self::HelpedAtOnce { .. }
            | Self::Proved { .. }
            | Self::Told { .. } => Side::Well,
            Self::SeenLate(_)
            | Self::SeenByAPerson
            | Self::NobodyInTime
            | Self::CaseFailed { .. }
            | Self::NoCase { .. }
            | Self::RefusedByGuard { .. }
            | Self::CameBack { .. }
            | Self::HandedOver { .. }
            | Self::NotCollected { .. }
            | Self::ChannelRefused { .. } => Side::Badly,
            Self::NobodyOnline | Self::WentByItself => Side::Luck,
        }
    }
}

pub(super) fn of(case: &Case<'_>) -> Vec<Lesson> {
    let mut lessons: Vec<_> = seen(case).into_iter().chain(hand(case)).collect();
    lessons.extend(repair(case.runs));
    lessons.extend(case.incident.view.clone().filter(|view| !view.is_empty()).map(|view| {
        // The view is only kept when a restoration was verified.
        Lesson::Proved { view }
    }));
    lessons.extend(told(case));
    lessons.extend(cases(case.incident, case.runs));
    lessons.extend(rest(case));
    lessons.extend(luck(case));
    // Stable: within a side they stay in the order of an incident's life.
    lessons.sort_by_key(Lesson::side);
    lessons
}

fn seen(case: &Case<'_>) -> Option<Lesson> {
    match length::detected_in(case) {
        None => Some(Lesson::SeenByAPerson),
        Some(length) if length.1 <= FAST => Some(Lesson::SeenFast(length)),
        // What is only a fault when it lasts is not seen late because it had to last.
        Some(length) => {
            (case.incident.group == Group::Availability).then_some(Lesson::SeenLate(length))
        }
    }
}

fn hand(case: &Case<'_>) -> Option<Lesson> {
    let incident = case.incident;
    if incident.overdue {
        return Some(Lesson::NobodyInTime);
    }
    match &incident.acknowledged {
        Some((at, Actor::Runbook(runbook))) => {
            Some(Lesson::InHand { runbook: runbook.clone(), after: at.since(incident.detected) })
        }
        _ => None,
    }
}

/// Runs that did something and came to a verdict.
fn judged(runs: &[Run]) -> impl Iterator<Item = (&Run, &str)> {
    let done = runs
        .iter()
        .filter(|run| matches!(run.phase, Phase::Ended(Ending::Verified | Ending::Failed)));
    done.filter_map(|run| Some((run, run.case.as_deref()?)))
}

fn repair(runs: &[Run]) -> Option<Lesson> {
    let (run, case) = judged(runs).next()?;
    let helped = run.phase == Phase::Ended(Ending::Verified);
    helped.then(|| Lesson::HelpedAtOnce { runbook: run.runbook.clone(), case: case.to_owned() })
}

fn told(case: &Case<'_>) -> Vec<Lesson> {
    let mut first = None;
    let mut refused = BTreeSet::new();
    for (at, record) in case.timeline {
        let Record::Notified { channel, occasion, .. } = record else { continue };
        if occasion.contains(" refused: ") {
            refused.insert(channel.clone());
        } else if first.is_none() {
            let after = at.since(case.incident.detected);
            first = Some(Lesson::Told { channel: channel.clone(), after });
        }
    }
    let refused = refused.into_iter().take(OF_A_KIND);
    first.into_iter().chain(refused.map(|channel| Lesson::ChannelRefused { channel })).collect()
}

fn cases(incident: &Incident, runs: &[Run]) -> Vec<Lesson> {
    let failed = incident.tried.iter().filter(|tried| tried.failed > 0);
    let failed = failed.take(OF_A_KIND).map(|tried| Lesson::CaseFailed {
        runbook: tried.runbook.clone(),
        case: tried.case.clone(),
        times: tried.failed,
    });
    let mut lessons: Vec<_> = failed.collect();
    let ended = |ending| {
        let runs = runs.iter().filter(move |run| run.phase == Phase::Ended(ending));
        runs.map(|run| run.runbook.clone()).collect::<BTreeSet<_>>()
    };
    lessons.extend(ended(Ending::NoCase).into_iter().map(|runbook| Lesson::NoCase { runbook }));
    let refused = ended(Ending::RefusedByGuard);
    lessons.extend(refused.into_iter().map(|runbook| Lesson::RefusedByGuard { runbook }));
    lessons
}

fn rest(case: &Case<'_>) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    if case.incident.relapses > 0 {
        lessons.push(Lesson::CameBack { times: case.incident.relapses });
    }
    let handed = case.timeline.iter().find_map(|(_, record)| match record {
        Record::Escalated { why, .. } => Some(Lesson::HandedOver { why: why.clone() }),
        _ => None,
    });
    lessons.extend(handed);
    let missing = case.runs.iter().filter_map(|run| run.evidence.as_deref());
    let missing: BTreeSet<_> = missing.flat_map(|evidence| evidence.missing.clone()).collect();
    lessons.extend(missing.into_iter().take(OF_A_KIND).map(|what| Lesson::NotCollected { what }));
    lessons
}

fn luck(case: &Case<'_>) -> Vec<Lesson> {
    let incident = case.incident;
    // How many were there when something began that nobody saw begin is not known.
    let online =
        (incident.players == Some(0) && length::sensed(incident)).then_some(Lesson::NobodyOnline);
    let repaired = case.runs.iter().any(|run| run.phase == Phase::Ended(Ending::Verified));
    let alone = !repaired && incident.restored.is_some() && incident.holder.is_none();
    online.into_iter().chain(alone.then_some(Lesson::WentByItself)).collect()
}
