//! Decides when a proof of life counts as failing: after enough failures in a row, none overtaken
//! by a newer answer. Never mixes proofs: two are needed before anything is killed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::{Bounds, Moment};
use crate::observe::Refusal;

/// What a proof says at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofState {
    /// Not configured, not asked since the start, or silent with an excuse.
    #[default]
    Unknown,
    /// The last look was good.
    Passing,
    /// Some looks failed, not enough to count.
    Doubtful,
    /// Enough looks in a row failed.
    Failing,
}

/// One way of looking, over time.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    last: Option<Moment>,
    last_good: Option<Moment>,
    first_bad: Option<Moment>,
    failures: u32,
    excused: bool,
    counted: Option<Moment>,
    latency: Option<Duration>,
    why: Option<Refusal>,
}

impl Proof {
    /// Failed looks that were asked for within this time count as one.
    const APART: Duration = Duration::from_millis(900);

    /// Takes one look's result. False when it was overtaken by a newer one, or says nothing.
    pub fn look(&mut self, at: Moment, result: Result<Duration, Refusal>) -> bool {
        if self.last.is_some_and(|last| at < last) {
            return false;
        }
        match result {
            Ok(latency) => {
                self.last = Some(at);
                self.last_good = Some(at);
                self.first_bad = None;
                self.failures = 0;
                self.excused = false;
                self.latency = Some(latency);
                self.why = None;
            }
            Err(why) if why.blames_service() => {
                self.last = Some(at);
                self.first_bad.get_or_insert(at);
                // Looks out of turn come in bursts: a moment's stall must not look like a long silence.
                let apart = self.counted.is_none_or(|last| at.since(last) >= Self::APART);
                if self.failures == 0 || apart {
                    self.failures = self.failures.saturating_add(1);
                    self.counted = Some(at);
                }
                self.latency = None;
                self.why = Some(why);
            }
            Err(why) => {
                self.why = Some(why);
                return false;
            }
        }
        true
    }

    /// Forgets failures, because silence was to be expected (a start, a map change, our own
    /// network down). Nothing is known then until the next good look.
    pub fn excuse(&mut self) {
        self.excused |= self.failures > 0;
        self.failures = 0;
        self.first_bad = None;
    }

    /// Forgets everything from before `at`: another process answers from now on.
    pub fn restart(&mut self, at: Moment) {
        *self = Self { last: Some(at), ..Self::default() };
    }

    /// What it says, when `needed` failures in a row count.
    #[must_use]
    pub fn state(&self, needed: u32) -> ProofState {
        if self.failures >= needed {
            ProofState::Failing
        } else if self.failures > 0 {
            ProofState::Doubtful
        } else if self.last_good.is_some() && !self.excused {
            ProofState::Passing
        } else {
            ProofState::Unknown
        }
    }

    /// When the present failure began.
    #[must_use]
    pub fn failing_since(&self) -> Option<Bounds> {
        self.first_bad.map(|bad| Bounds::between(self.last_good, bad))
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The last good look.
    #[must_use]
    pub const fn last_good(&self) -> Option<Moment> {
        self.last_good
    }

    /// When the last good look was answered.
    #[must_use]
    pub fn answered(&self) -> Option<Moment> {
        let asked = self.last_good?;
        Some(self.latency.map_or(asked, |latency| asked.plus(latency)))
    }

    /// Time to the last answer, when the last look was good.
    #[must_use]
    pub const fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// Why the last look failed.
    #[must_use]
    pub const fn why(&self) -> Option<&Refusal> {
        self.why.as_ref()
    }
}
