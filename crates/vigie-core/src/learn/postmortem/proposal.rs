//! Decides which corrective actions an incident asks for. They are proposals: a person strikes out
//! what makes no sense and says who does the others.

use crate::learn::postmortem::{Case, Lesson, lesson};

/// Something that should be done, so that it does not happen again or is over sooner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// To find the cause behind what vigie saw.
    FindCause,
    /// To mend the place in the scripts.
    MendLua {
        /// The file.
        file: String,
        /// The line.
        line: u32,
        /// The message.
        message: String,
    },
    /// To raise a memory limit or find what eats the memory.
    GiveMemory {
        /// The service.
        service: String,
    },
    /// To look at the last commit before it.
    LookAtCommit {
        /// Its short hash.
        hash: String,
        /// Its age and subject.
        subject: String,
    },
    /// To correct a case that did not help.
    MendCase {
        /// The runbook.
        runbook: String,
        /// The case.
        case: String,
    },
    /// To write a case for it.
    WriteCase {
        /// The runbook.
        runbook: String,
    },
    /// To see to it that somebody is reached in time.
    ReachSomebody,
    /// To let vigie see it by itself.
    LetItBeSeen,
    /// To mend a channel.
    MendChannel {
        /// The channel.
        channel: String,
    },
    /// To make a part of the evidence available.
    MakeAvailable {
        /// What, and why it was not.
        what: String,
    },
}

pub(super) fn of(case: &Case<'_>) -> Vec<Proposal> {
    let mut proposals = vec![Proposal::FindCause];
    let evidence = || case.runs.iter().filter_map(|run| Some((run, run.evidence.as_deref()?)));
    proposals.extend(evidence().find_map(|(_, found)| found.lua.as_ref()).map(|lua| {
        Proposal::MendLua { file: lua.file.clone(), line: lua.line, message: lua.message.clone() }
    }));
    let starved = evidence().find(|(_, found)| found.inspection.oom_killed);
    proposals.extend(starved.map(|(run, _)| Proposal::GiveMemory { service: run.service.clone() }));
    let last = evidence().find_map(|(_, found)| found.commits.first());
    proposals.extend(last.filter(|commit| is_recent(&commit.subject)).map(|commit| {
        Proposal::LookAtCommit { hash: commit.hash.clone(), subject: commit.subject.clone() }
    }));
    proposals.extend(lesson::of(case).into_iter().filter_map(|lesson| match lesson {
        Lesson::CaseFailed { runbook, case, .. } => Some(Proposal::MendCase { runbook, case }),
        Lesson::NoCase { runbook } => Some(Proposal::WriteCase { runbook }),
        Lesson::NobodyInTime => Some(Proposal::ReachSomebody),
        Lesson::SeenByAPerson | Lesson::SeenLate(_) => Some(Proposal::LetItBeSeen),
        Lesson::ChannelRefused { channel } => Some(Proposal::MendChannel { channel }),
        Lesson::NotCollected { what } => Some(Proposal::MakeAvailable { what }),
        _ => None,
    }));
    proposals
}

/// Whether a commit was made within the day: its age, which stands before the first comma, is told in
/// seconds, minutes or hours, in the language that git has there.
fn is_recent(subject: &str) -> bool {
    let age = subject.split(',').next().unwrap_or_default();
    ["second", "minute", "hour", "heure"].iter().any(|unit| age.contains(unit))
}
