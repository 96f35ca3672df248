//! Decides what evidence is: one snapshot, taken before a case is chosen, and kept.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::observe::{Inspection, ProofState, RuntimeState};
use crate::respond::Suspect;

/// A service's memory use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The service.
    pub service: String,
    /// Bytes in use.
    pub mem_bytes: u64,
    /// The limit, where there is one.
    pub mem_limit: Option<u64>,
}

/// The host at that moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostEvidence {
    /// Percent of memory available.
    pub memory_available_pct: Option<f32>,
    /// Percent of the fullest disk used.
    pub disk_used_pct: Option<f32>,
    /// Memory by service, hungriest first.
    pub usage: Vec<Usage>,
}

/// A service that the sick one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub service: String,
    /// Whether it works.
    pub well: bool,
}

/// A commit of the stack's repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Abbreviated hash.
    pub hash: String,
    /// Its subject, made printable; in evidence with its age and author before it.
    pub subject: String,
}

/// The Lua error found in the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LuaFinding {
    /// The guilty frame's file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The message.
    pub message: String,
}

/// An image that is known to have worked, other than the one that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// The restore point that has it.
    pub point: String,
    /// The image: repository and tag.
    pub image: String,
    /// Volumes that hide the image's files, and so go back with it.
    #[serde(default)]
    pub volumes: Vec<String>,
}

/// A watched file that is not as it was when the stack last worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Its path, as people know it.
    pub file: String,
    /// Since when or what: a restore point, or a commit.
    pub since: String,
    /// What has changed, line by line, made printable and without secrets.
    #[serde(default)]
    pub diff: Vec<String>,
}

/// Everything that was known when a case was chosen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was complete.
    pub taken: Moment,
    /// What the runtime says.
    pub inspection: Inspection,
    /// The Source query. Filled in by the engine.
    pub a2s: ProofState,
    /// RCON. Filled in by the engine.
    pub rcon: ProofState,
    /// The database. Filled in by the engine.
    pub database: ProofState,
    /// Exits within the crash-loop window. Filled in by the engine.
    pub exits: usize,
    /// Symptoms shown now, as their words. Filled in by the engine.
    pub symptoms: Vec<String>,
    /// What it depends on. Filled in by the engine.
    pub dependencies: Vec<Dependency>,
    /// The host.
    pub host: HostEvidence,
    /// The last console lines, made printable.
    pub console: Vec<String>,
    /// The Lua error, where one was found.
    pub lua: Option<LuaFinding>,
    /// The last commits of the stack's repository, newest first.
    pub commits: Vec<Commit>,
    /// An image that is known to have worked, where there is another one than that which runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<WayBack>,
    /// The commit that the Lua error is blamed on, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Suspect>,
    /// Watched files that have changed since the stack last worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFile>,
    /// What could not be collected, and why.
    pub missing: Vec<String>,
}

impl Evidence {
    /// Whether the service's process is gone.
    #[must_use]
    pub const fn not_running(&self) -> bool {
        matches!(
            self.inspection.state,
            RuntimeState::Exited | RuntimeState::Missing | RuntimeState::Created
        )
    }
}
