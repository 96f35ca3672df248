//! Does: the embedded stack and the guided tour: the practice game server under the process
//! runtime, the real watch, real faults, nothing shown that did not happen.

mod scenario;
mod stage;

use std::time::Duration;

use serde::Serialize;

pub use scenario::{SCENARIOS, Scenario};
pub use stage::{Stage, StageError};

/// How one scenario went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The scenario.
    pub name: &'static str,
    /// The incident's severity; none when rightly no incident was opened.
    pub severity: Option<&'static str>,
    /// The case that was chosen last.
    pub case: Option<String>,
    /// From the fault to the incident (or to the respected stop), in milliseconds.
    pub detected_ms: Option<u64>,
    /// From the fault to the first good answer of the stability that was verified.
    pub restored_ms: Option<u64>,
    /// Whether it was verified from the player's side.
    pub verified: bool,
    /// Whether everything went as told.
    #[serde(skip)]
    pub as_told: Result<(), String>,
}

/// Longest that a scenario may take.
pub const LIMIT: Duration = Duration::from_secs(45);
