//! One service of the fake.

use bytes::Bytes;
use tokio::time::Instant;
use vigie::runtime::Usage;
use vigie_core::observe::{Health, Inspection, RuntimeState};

use super::Fate;
use super::record::Record;

/// Console lines kept of each service.
const LINES: usize = 4096;

/// A service that is only said to run.
#[derive(Debug)]
pub(super) struct Virtual {
    pub(super) state: RuntimeState,
    pub(super) exit_code: Option<i32>,
    pub(super) oom: bool,
    pub(super) health: Health,
    pub(super) since: Option<Instant>,
    /// Counts starts, so that what was planned for one life does not end the next.
    pub(super) life: u64,
    pub(super) restarts: u32,
    pub(super) restarts_itself: bool,
    pub(super) deaf: bool,
    pub(super) usage: Usage,
    pub(super) drift: Vec<String>,
    pub(super) fate: Fate,
    pub(super) console: Record<Bytes>,
}

impl Default for Virtual {
    fn default() -> Self {
        Self {
            state: RuntimeState::Created,
            exit_code: None,
            oom: false,
            health: Health::None,
            since: None,
            life: 0,
            restarts: 0,
            restarts_itself: false,
            deaf: false,
            usage: Usage { cpu_pct: Some(1.0), mem_bytes: 64 << 20, mem_limit: None },
            drift: Vec::new(),
            fate: Fate::Lives,
            console: Record::of_at_most(LINES),
        }
    }
}

impl Virtual {
    /// Whether it has a process.
    pub(super) fn lives(&self) -> bool {
        matches!(self.state, RuntimeState::Running | RuntimeState::Paused)
    }

    pub(super) fn inspection(&self) -> Inspection {
        Inspection {
            state: self.state,
            exit_code: self.exit_code.filter(|_| !self.lives()),
            oom_killed: self.oom,
            health: self.health,
            up_for: self.since.filter(|_| self.lives()).map(|since| since.elapsed()),
            restarts: self.restarts,
            restarts_itself: self.restarts_itself,
        }
    }
}
