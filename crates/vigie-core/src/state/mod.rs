//! Decides what vigie remembers: the state is nothing but its records, applied in order. Live work
//! and a rebuild from the journal go through the same [`State::apply`], so they cannot differ.

mod apply;
mod memories;
mod service;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use memories::Memories;
pub use service::{ExitRecord, ServiceState};

use crate::incident::{Incident, IncidentId};
use crate::moment::Moment;
use crate::respond::{Run, RunId};

/// Everything that survives a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// What is remembered of each service.
    pub services: Memories,
    /// Incidents that are active, or over for less than the time of a relapse.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// The runs of these incidents.
    pub runs: BTreeMap<RunId, Run>,
    /// The number of the last incident.
    pub last_incident: u64,
    /// The number of the last run.
    pub last_run: u64,
    /// The number of the last entry of the development journal. Snapshots of before it was kept have
    /// none.
    #[serde(default)]
    pub last_entry: u64,
    /// Until when maintenance lasts.
    pub maintenance: Option<Moment>,
    /// Services that the stack works without for now.
    pub degraded: Vec<String>,
    /// Whether the runtime cannot be reached.
    pub runtime_lost: bool,
    /// When people were last reminded of the corrective actions that are open.
    #[serde(default)]
    pub reminded: Option<Moment>,
    /// The moment of the last record.
    pub last: Moment,
}

impl State {
    /// Resolved incidents that are kept in memory.
    pub const RESOLVED: usize = 64;
    /// Runs of one incident that are kept in memory, …
    pub const RUNS: usize = 16;
    /// … and those of them that keep their evidence.
    pub const EVIDENCE: usize = 4;

    /// The state that `records` make.
    pub fn replay(records: impl IntoIterator<Item = (Moment, crate::record::Record)>) -> Self {
        let mut state = Self::default();
        for (at, record) in records {
            state.apply(at, &record);
        }
        state
    }

    /// What is remembered of a service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&ServiceState> {
        self.services.get(name)
    }

    /// Whether an incident has this number. Old incidents live in the register only; numbers that
    /// were never given name nothing.
    #[must_use]
    pub fn gave(&self, id: IncidentId) -> bool {
        (1..=self.last_incident).contains(&id.0)
    }

    /// The runs that are not over.
    pub fn live_runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(|run| !run.is_over())
    }

    /// The run that holds the stack, if one does.
    #[must_use]
    pub fn holder(&self) -> Option<&Run> {
        self.live_runs().find(|run| run.holds_stack())
    }

    /// Incidents in which something is still wrong.
    pub fn active(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().filter(|incident| incident.state.is_active())
    }
}
