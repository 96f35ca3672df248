//! Decides what a run is: one case of one runbook, from evidence to verdict. The moves between its
//! phases are in [`crate::engine`].

use serde::{Deserialize, Serialize};

use crate::incident::{Actor, IncidentId};
use crate::moment::Moment;
use crate::respond::{Evidence, Silence, Step};

/// A run's number, counted from 1 over all incidents.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RunId(pub u64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "run {}", self.0)
    }
}

/// A case that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its id.
    pub case: String,
    /// Why, in one line.
    pub why: String,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// Done.
    Done,
    /// Not done.
    Failed(String),
    /// Took longer than it may.
    TimedOut,
    /// Vigie was stopped while it ran: nobody knows, so the service is looked at instead.
    Unknown,
    /// A guard refused it.
    Refused(String),
}

impl StepResult {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::TimedOut => "timed_out",
            Self::Unknown => "unknown",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it is not done, where there is a reason.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::Refused(why) => Some(why),
            Self::TimedOut => Some("it did not end in time"),
            Self::Done | Self::Unknown => None,
        }
    }
}

/// A step that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step.
    pub step: Step,
    /// Whether it takes an earlier one back.
    pub undo: bool,
    /// When its intent was recorded.
    pub began: Moment,
    /// How it went and when that was known.
    pub ended: Option<(Moment, StepResult)>,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Evidence is being collected.
    Collecting,
    /// A person is asked.
    Approval {
        /// Until when.
        until: Moment,
        /// What they were told is made of their silence.
        #[serde(default)]
        silence: Silence,
    },
    /// The budget's backoff, or another run, is waited for.
    Waiting {
        /// Until when, as far as known.
        until: Moment,
    },
    /// Steps are being carried out.
    Stepping,
    /// The service is watched for the proof.
    Verifying {
        /// Until when it has to be well.
        until: Moment,
    },
    /// Steps are being taken back.
    Undoing,
    /// Over.
    Ended(Ending),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The service was verified stable.
    Verified,
    /// A step failed or the verify did.
    Failed,
    /// No case matched.
    NoCase,
    /// The case hands over to a person.
    Escalated,
    /// A person, or nobody in time, said no.
    Refused,
    /// In `observe` mode: it was only said what would be done.
    Observed,
    /// A person stopped it, or it lost what it was for.
    Cancelled,
    /// The guard refused a step: it would have made it worse.
    RefusedByGuard,
}

/// One case of one runbook being tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// For which incident.
    pub incident: IncidentId,
    /// On which service.
    pub service: String,
    /// By which runbook.
    pub runbook: String,
    /// When it began.
    pub began: Moment,
    /// Who asked for it.
    pub by: Actor,
    /// Where it is.
    pub phase: Phase,
    /// What was known when the case was chosen.
    pub evidence: Option<Box<Evidence>>,
    /// The chosen case.
    pub case: Option<String>,
    /// The cases that were not chosen.
    pub rejected: Vec<Rejected>,
    /// The steps begun so far.
    pub steps: Vec<StepRecord>,
    /// Who said yes: a person; or vigie itself, because nobody answered in time.
    pub approved: Option<Actor>,
    /// When it ended.
    pub ended: Option<Moment>,
}

impl Run {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Whether it holds the stack: from its first step to its end, nobody else may change anything.
    #[must_use]
    pub fn holds_stack(&self) -> bool {
        match self.phase {
            Phase::Stepping | Phase::Verifying { .. } | Phase::Undoing => true,
            // Between two steps, for the backoff.
            Phase::Waiting { .. } => !self.steps.is_empty(),
            Phase::Collecting | Phase::Approval { .. } | Phase::Ended(_) => false,
        }
    }

    /// Whether a step of it is being carried out.
    #[must_use]
    pub fn in_step(&self) -> bool {
        self.steps.last().is_some_and(|step| step.ended.is_none())
    }

    /// What takes its steps back, the last one first. What did not work and leaves nothing behind is
    /// not taken back; a service that was restarted on what is taken back is restarted again.
    #[must_use]
    pub fn undo(&self) -> Vec<Step> {
        let mut undo = Vec::new();
        let mut restarted = false;
        for record in self.forward().rev() {
            let failed =
                matches!(record.ended, Some((_, StepResult::Failed(_) | StepResult::Refused(_))));
            if failed && record.step.is_all_or_nothing() {
                continue;
            }
            undo.extend(record.step.undo());
            let reverts = matches!(record.step, Step::Revert { .. });
            undo.extend((reverts && restarted).then_some(Step::Restart { kill: false }));
            restarted |= record.step.restarts();
        }
        undo
    }

    /// The forward steps begun so far.
    pub fn forward(&self) -> impl DoubleEndedIterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| !step.undo)
    }
}
