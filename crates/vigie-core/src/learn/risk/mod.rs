//! Decides the risk matrix: what can happen, how bad it would be, what is done against it, and
//! whether that is really so on the stack in front of us.

mod check;
mod facts;
mod looks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::detect::SymptomKind;
use crate::incident::{Impact, Probability, Severity, risk};
use crate::respond::Text;
use crate::stack::Role;

pub use check::{Check, State, Verdict};
pub use facts::{BuiltFacts, ContainerFacts, Facts, GitFacts, Looked, ServiceFacts};

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Its name: `R1`, `R2`, …
    pub id: String,
    /// One line for people.
    pub title: Text,
    /// How likely it is thought to be.
    pub probability: Probability,
    /// What it costs.
    pub impact: Impact,
    /// What is done against it.
    pub mitigation: Text,
    /// The role of the services that it is about; all without it.
    #[serde(default)]
    pub role: Option<Role>,
    /// The symptoms by which it shows that it came true.
    #[serde(default)]
    pub symptoms: Vec<SymptomKind>,
    /// What is looked at to see whether the mitigation is there.
    #[serde(default)]
    pub checks: Vec<Check>,
}

impl Risk {
    /// Its place in the matrix.
    #[must_use]
    pub const fn gravity(&self) -> Severity {
        risk(self.probability, self.impact)
    }

    /// The bits of its symptoms.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.symptoms.iter().fold(0, |set, kind| set | kind.bit())
    }

    /// Its checks, made on `facts`.
    #[must_use]
    pub fn look(&self, facts: &Facts) -> Vec<(Check, Verdict)> {
        self.checks.iter().map(|check| (*check, check.look(facts, self.role))).collect()
    }

    /// Whether something that has to be there against a risk of the worst gravity is missing.
    #[must_use]
    pub fn is_open(&self, verdicts: &[(Check, Verdict)]) -> bool {
        self.gravity() == Severity::P1
            && verdicts.iter().any(|(_, verdict)| verdict.state == State::Missing)
    }
}

/// The matrix of `shipped` risks with the user's own: one with the same id takes its place.
#[must_use]
pub fn matrix(shipped: Vec<Risk>, own: &[Risk]) -> Vec<Risk> {
    let mut all = shipped;
    for risk in own {
        match all.iter_mut().find(|known| known.id == risk.id) {
            Some(known) => known.clone_from(risk),
            None => all.push(risk.clone()),
        }
    }
    all
}
