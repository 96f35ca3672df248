//! Decides which symptoms a service shows, from what was sensed: one file a detector, all of them
//! pure functions of a [`View`]. Never opens incidents and never waits: a detector that would say
//! yes later tells when to ask again.

mod abuse;
mod backup_late;
mod cpu;
mod crash_loop;
mod database;
mod database_link;
mod database_load;
mod disk;
mod down;
mod drift;
mod drill_failed;
mod frozen;
mod host_memory;
mod lua_errors;
mod memory_pressure;
mod out_of_memory;
mod over;
mod unhealthy;
mod unreachable;

use std::time::Duration;

pub(crate) use over::known_over;

use serde::{Deserialize, Serialize};

use crate::incident::{Group, Severity};
use crate::moment::{Bounds, Moment};
use crate::observe::Sense;
use crate::stack::{Role, Service, Settings};
use crate::state::ServiceState;

/// The closed set of symptoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymptomKind {
    /// The container or process is gone.
    Down,
    /// It dies again and again.
    CrashLoop,
    /// It lives and answers neither A2S nor RCON.
    Frozen,
    /// The kernel killed it for memory.
    OutOfMemory,
    /// One proof alone fails.
    Unreachable,
    /// Its health check fails.
    Unhealthy,
    /// The database does not answer, or too slowly.
    DatabaseDown,
    /// The game says that it lost its database.
    DatabaseLink,
    /// Memory near the limit.
    MemoryPressure,
    /// CPU near the limit.
    Cpu,
    /// Too many connections or slow queries.
    DatabaseLoad,
    /// The host is short of memory.
    HostMemory,
    /// A disk is nearly full.
    Disk,
    /// New or many Lua errors.
    LuaErrors,
    /// A player abuses net messages.
    NetAbuse,
    /// What runs is not what the compose file says.
    Drift,
    /// A backup was due and is not there.
    BackupLate,
    /// A backup did not come back when it was tried.
    DrillFailed,
}

impl SymptomKind {
    /// All of them, in order of weight.
    pub const ALL: [Self; 18] = [
        Self::Down,
        Self::CrashLoop,
        Self::Frozen,
        Self::OutOfMemory,
        Self::Unreachable,
        Self::Unhealthy,
        Self::DatabaseDown,
        Self::DatabaseLink,
        Self::MemoryPressure,
        Self::Cpu,
        Self::DatabaseLoad,
        Self::HostMemory,
        Self::Disk,
        Self::LuaErrors,
        Self::NetAbuse,
        Self::Drift,
        Self::BackupLate,
        Self::DrillFailed,
    ];

    /// Its place in sets of symptoms.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The word used in configuration, runbooks and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::CrashLoop => "crash_loop",
            Self::Frozen => "frozen",
            Self::OutOfMemory => "out_of_memory",
            Self::Unreachable => "unreachable",
            Self::Unhealthy => "unhealthy",
            Self::DatabaseDown => "database_down",
            Self::DatabaseLink => "database_link",
            Self::MemoryPressure => "memory_pressure",
            Self::Cpu => "cpu",
            Self::DatabaseLoad => "database_load",
            Self::HostMemory => "host_memory",
            Self::Disk => "disk",
            Self::LuaErrors => "lua_errors",
            Self::NetAbuse => "net_abuse",
            Self::Drift => "drift",
            Self::BackupLate => "backup_late",
            Self::DrillFailed => "drill_failed",
        }
    }

    /// Which symptoms can share a cause with it on the same service.
    #[must_use]
    pub const fn group(self) -> Group {
        match self {
            Self::Down
            | Self::CrashLoop
            | Self::Frozen
            | Self::OutOfMemory
            | Self::Unreachable
            | Self::Unhealthy
            | Self::DatabaseDown
            | Self::DatabaseLink => Group::Availability,
            Self::MemoryPressure | Self::Cpu | Self::DatabaseLoad => Group::Performance,
            Self::HostMemory => Group::HostMemory,
            Self::Disk => Group::Disk,
            Self::LuaErrors => Group::Errors,
            Self::NetAbuse => Group::Abuse,
            Self::Drift => Group::Drift,
            Self::BackupLate | Self::DrillFailed => Group::Backup,
        }
    }

    /// Whether a failing dependency can be the cause.
    #[must_use]
    pub const fn may_be_consequence(self) -> bool {
        matches!(
            self,
            Self::Down
                | Self::Unreachable
                | Self::Unhealthy
                | Self::DatabaseLink
                | Self::LuaErrors
                | Self::Frozen
        )
    }

    /// Whether it waits a moment for its cause to show before it opens an incident of its own.
    #[must_use]
    pub const fn holds_off(self) -> bool {
        matches!(self, Self::Unreachable | Self::Unhealthy | Self::DatabaseLink | Self::LuaErrors)
    }

    /// Whether players are cut off or served badly while it lasts.
    #[must_use]
    pub const fn hurts_players(self) -> bool {
        matches!(self, Self::Down | Self::CrashLoop | Self::Frozen | Self::OutOfMemory)
    }

    const fn number(index: usize) -> Self {
        Self::ALL[index]
    }
}

/// Everything that a detector may look at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Now.
    pub now: Moment,
    /// What is watched.
    pub service: &'a Service,
    /// What is sensed of it.
    pub sense: &'a Sense,
    /// What the journal remembers of it.
    pub memory: Option<&'a ServiceState>,
    /// How the stack is configured.
    pub settings: &'a Settings,
    /// How long a start may take, learned from past ones.
    pub grace: Duration,
    /// Vigie's own network or the runtime is away: silence proves nothing.
    pub blind: bool,
    /// The runtime cannot be reached: its word is old.
    pub runtime_away: bool,
}

impl View<'_> {
    /// Whether silence is to be expected now.
    #[must_use]
    pub fn silence_excused(&self) -> bool {
        self.blind || self.sense.starting(self.now, self.grace) || self.sense.changing_map(self.now)
    }

    /// The end of the present excuse, when it is one that ends by itself.
    fn excused_until(&self) -> Option<Moment> {
        let sense = self.sense;
        let boot = sense.boots_until(self.grace);
        let map = sense.map_change_until;
        [boot, map].into_iter().flatten().filter(|until| !self.now.reached(*until)).max()
    }
}

/// What a detector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// No.
    Clear,
    /// Not yet: ask again then.
    Later(Moment),
    /// Yes, since then.
    Active(Bounds),
}

impl Reading {
    fn sustained(above: &crate::observe::Sustained, now: Moment, needed: Duration) -> Self {
        match above.since() {
            None => Self::Clear,
            Some(since) if now.since(since) >= needed => {
                Self::Active(Bounds::between(above.before(), since))
            }
            Some(since) => Self::Later(since.plus(needed)),
        }
    }
}

/// Asks one detector.
#[must_use]
pub fn read(kind: SymptomKind, view: &View<'_>) -> Reading {
    match kind {
        SymptomKind::Down => down::read(view),
        SymptomKind::CrashLoop => crash_loop::read(view),
        SymptomKind::Frozen => frozen::read(view),
        SymptomKind::OutOfMemory => out_of_memory::read(view),
        SymptomKind::Unreachable => unreachable::read(view),
        SymptomKind::Unhealthy => unhealthy::read(view),
        SymptomKind::DatabaseDown => database::read(view),
        SymptomKind::DatabaseLink => database_link::read(view),
        SymptomKind::MemoryPressure => memory_pressure::read(view),
        SymptomKind::Cpu => cpu::read(view),
        SymptomKind::DatabaseLoad => database_load::read(view),
        SymptomKind::HostMemory => host_memory::read(view),
        SymptomKind::Disk => disk::read(view),
        SymptomKind::LuaErrors => lua_errors::read(view),
        SymptomKind::NetAbuse => abuse::read(view),
        SymptomKind::Drift => drift::read(view),
        SymptomKind::BackupLate => backup_late::read(view),
        SymptomKind::DrillFailed => drill_failed::read(view),
    }
}

/// Asks every detector; `each` gets every reading that is not [`Reading::Clear`].
pub fn read_all(view: &View<'_>, mut each: impl FnMut(SymptomKind, Reading)) {
    for index in 0..SymptomKind::ALL.len() {
        let kind = SymptomKind::number(index);
        match read(kind, view) {
            Reading::Clear => {}
            reading => each(kind, reading),
        }
    }
}

/// What it looks like to a person, in one line. Called once, when the symptom begins.
#[must_use]
pub fn describe(kind: SymptomKind, view: &View<'_>) -> String {
    match kind {
        SymptomKind::Down => down::describe(view),
        SymptomKind::CrashLoop => crash_loop::describe(view),
        SymptomKind::Frozen => frozen::describe(view),
        SymptomKind::OutOfMemory => out_of_memory::describe(view),
        SymptomKind::Unreachable => unreachable::describe(view),
        SymptomKind::Unhealthy => unhealthy::describe(view),
        SymptomKind::DatabaseDown => database::describe(view),
        SymptomKind::DatabaseLink => database_link::describe(view),
        SymptomKind::MemoryPressure => memory_pressure::describe(view),
        SymptomKind::Cpu => cpu::describe(view),
        SymptomKind::DatabaseLoad => database_load::describe(view),
        SymptomKind::HostMemory => host_memory::describe(view),
        SymptomKind::Disk => disk::describe(view),
        SymptomKind::LuaErrors => lua_errors::describe(view),
        SymptomKind::NetAbuse => abuse::describe(view),
        SymptomKind::Drift => drift::describe(view),
        SymptomKind::BackupLate => backup_late::describe(view),
        SymptomKind::DrillFailed => drill_failed::describe(view),
    }
}

/// How bad it is: the configured severity, or the default of its kind, role and extent.
#[must_use]
pub fn severity(kind: SymptomKind, view: &View<'_>) -> Severity {
    if let Some(severity) = view.settings.severities.get(&kind) {
        return *severity;
    }
    match kind {
        SymptomKind::Down => match view.service.role {
            Role::Game => Severity::P1,
            Role::Database | Role::Other => Severity::P2,
        },
        SymptomKind::CrashLoop | SymptomKind::OutOfMemory => match view.service.role {
            Role::Game | Role::Database => Severity::P1,
            Role::Other => Severity::P2,
        },
        SymptomKind::Frozen | SymptomKind::HostMemory => Severity::P1,
        SymptomKind::Unreachable => unreachable::severity(view),
        SymptomKind::MemoryPressure => memory_pressure::severity(view),
        SymptomKind::Disk => disk::severity(view),
        SymptomKind::LuaErrors => lua_errors::severity(view),
        SymptomKind::Unhealthy
        | SymptomKind::DatabaseDown
        | SymptomKind::DatabaseLink
        | SymptomKind::NetAbuse
        | SymptomKind::BackupLate
        | SymptomKind::DrillFailed => Severity::P2,
        SymptomKind::Cpu | SymptomKind::DatabaseLoad | SymptomKind::Drift => Severity::P3,
    }
}

/// Things that a title has room for.
const MOST: usize = 3;

/// The first of some things, and how many more there are.
fn backup_list(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("and {more} more"));
    let told: Vec<_> = all.iter().take(MOST).chain(&more).map(String::as_str).collect();
    told.join(", ")
}

/// The Lua error in a symptom's description, where it has one.
#[must_use]
pub fn lua_sample(description: &str) -> Option<&str> {
    lua_errors::sample(description)
}
