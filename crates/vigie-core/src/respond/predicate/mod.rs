//! Decides the closed set of conditions that a case can ask of the evidence. A condition looks at
//! the snapshot only, so that a choice can be explained and repeated.

mod exit_code;
mod exits;
mod history;
mod memory;
mod proofs;
mod state;

use serde::{Deserialize, Serialize};

use crate::observe::{ProofState, RuntimeState};
use crate::respond::Evidence;

/// Whether a condition holds; `Err` says why not, in one line.
pub type Verdict = Result<(), String>;

/// One condition of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The runtime's state is one of these.
    State(Vec<RuntimeState>),
    /// The last exit code is one of these.
    ExitCode(Vec<i32>),
    /// The last exit was, or was not, for memory.
    OomKilled(bool),
    /// At least this many exits within the crash-loop window.
    ExitsAtLeast(usize),
    /// Fewer exits than this within the crash-loop window.
    ExitsBelow(usize),
    /// The runtime starts it again by itself.
    RestartsItself(bool),
    /// The Source query says this.
    A2s(ProofState),
    /// RCON says this.
    Rcon(ProofState),
    /// The database says this.
    Database(ProofState),
    /// Less than this percent of the host's memory is available.
    HostMemoryBelow(u8),
    /// This symptom is shown.
    Symptom(String),
    /// Every service it needs works, or not.
    DependenciesWell(bool),
    /// An image other than the one that runs is known to have worked, or not.
    GoodImage(bool),
    /// The error is blamed on a commit that can be taken back, or not.
    Revertible(bool),
    /// A watched file has changed since the last good state, or none has.
    ConfigChanged(bool),
    /// Always holds: for a last case.
    Always,
}

impl Condition {
    /// Whether it holds on `evidence`.
    ///
    /// # Errors
    /// Why it does not, in one line.
    pub fn holds(&self, evidence: &Evidence) -> Verdict {
        match self {
            Self::State(states) => state::holds(states, evidence),
            Self::ExitCode(codes) => exit_code::holds(codes, evidence),
            Self::OomKilled(wanted) => memory::oom_killed(*wanted, evidence),
            Self::ExitsAtLeast(count) => exits::at_least(*count, evidence),
            Self::ExitsBelow(count) => exits::below(*count, evidence),
            Self::RestartsItself(wanted) => state::restarts_itself(*wanted, evidence),
            Self::A2s(wanted) => proofs::is("A2S", evidence.a2s, *wanted),
            Self::Rcon(wanted) => proofs::is("RCON", evidence.rcon, *wanted),
            Self::Database(wanted) => proofs::is("the database", evidence.database, *wanted),
            Self::HostMemoryBelow(pct) => memory::host_below(*pct, evidence),
            Self::Symptom(word) => state::symptom(word, evidence),
            Self::DependenciesWell(wanted) => state::dependencies(*wanted, evidence),
            Self::GoodImage(wanted) => history::good_image(*wanted, evidence),
            Self::Revertible(wanted) => history::revertible(*wanted, evidence),
            Self::ConfigChanged(wanted) => history::config_changed(*wanted, evidence),
            Self::Always => Ok(()),
        }
    }
}
