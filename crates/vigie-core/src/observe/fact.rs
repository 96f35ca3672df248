//! Decides the closed set of things that can be observed. Never says what they mean.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::stack::ServiceId;

/// What a probe or an event source reported, with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whom it is about.
    pub service: ServiceId,
    /// When it was so; for a probe, when the question was sent. An observation that was overtaken
    /// by a newer one of its kind is dropped.
    pub at: Moment,
    /// What was seen.
    pub fact: Fact,
}

/// The ways to look that the engine can ask for out of turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// The Source query.
    A2s,
    /// An RCON login and command.
    Rcon,
    /// A TCP connection.
    Tcp,
    /// A database login and `SELECT 1`.
    Database,
    /// What the runtime says.
    Runtime,
}

impl Probe {
    /// Its bit in a set of probes.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::A2s => "A2S",
            Self::Rcon => "RCON",
            Self::Tcp => "TCP",
            Self::Database => "the database",
            Self::Runtime => "the runtime",
        }
    }
}

/// Why a look failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No answer within the probe's time: evidence of a freeze.
    Timeout,
    /// The port refuses connections or the address cannot be reached.
    Refused,
    /// An answer, but not one of this protocol.
    Garbled(String),
    /// The credentials are wrong: says nothing of the service, and asking again would get the
    /// asker banned.
    Credentials,
    /// The look itself could not be made (no socket, no DNS, …): says nothing of the service.
    Unable(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time"),
            Self::Refused => f.write_str("the connection is refused"),
            Self::Garbled(why) => write!(f, "an answer that makes no sense: {why}"),
            Self::Credentials => f.write_str("the password is refused"),
            Self::Unable(why) => write!(f, "it cannot be asked: {why}"),
        }
    }
}

impl Refusal {
    /// Whether it counts against the service.
    #[must_use]
    pub const fn blames_service(&self) -> bool {
        match self {
            Self::Timeout | Self::Refused | Self::Garbled(_) => true,
            Self::Credentials | Self::Unable(_) => false,
        }
    }
}

/// What an A2S answer said.
#[derive(Debug, Clone, PartialEq)]
pub struct A2sSample {
    /// Players connected.
    pub players: u8,
    /// Places.
    pub max_players: u8,
    /// The map being played.
    pub map: Arc<str>,
    /// Time to the answer.
    pub latency: Duration,
}

/// What a database answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSample {
    /// Time for login and `SELECT 1`.
    pub latency: Duration,
    /// `Threads_connected`, without our own.
    pub connections: u32,
    /// `Slow_queries`, counted since the server started.
    pub slow_queries: u64,
}

/// A container's or process's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeState {
    /// Not known: nothing was seen yet, or the runtime cannot be reached.
    #[default]
    Unknown,
    /// Made, never started.
    Created,
    /// Its process lives.
    Running,
    /// Its runtime is about to start it again.
    Restarting,
    /// Its process ended.
    Exited,
    /// Suspended by a person.
    Paused,
    /// There is none.
    Missing,
}

impl RuntimeState {
    /// The word shown to people and used in runbooks.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Created => "created",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Paused => "paused",
            Self::Missing => "missing",
        }
    }
}

/// The runtime's own health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No health check.
    #[default]
    None,
    /// Not decided yet.
    Starting,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
}

/// What one look at a container or process shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inspection {
    /// Its state.
    pub state: RuntimeState,
    /// The last exit code, when it ended.
    pub exit_code: Option<i32>,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// Its health check.
    pub health: Health,
    /// How long its process has lived, when it lives.
    pub up_for: Option<Duration>,
    /// Starts that its runtime made by itself.
    pub restarts: u32,
    /// Whether its runtime's policy starts it again by itself.
    pub restarts_itself: bool,
}

/// What the runtime told by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeEvent {
    /// A process was started.
    Started,
    /// The process ended.
    Died {
        /// Exit code, 128 + signal for signals.
        exit_code: Option<i32>,
    },
    /// The kernel ran out of the service's memory.
    Oom,
    /// Somebody asked for a signal through the runtime.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// A stop that was asked for through the runtime is complete.
    Stopped,
    /// Suspended through the runtime.
    Paused,
    /// Resumed.
    Unpaused,
    /// The container is gone.
    Destroyed,
    /// The container has another name now.
    Renamed {
        /// That name.
        to: String,
    },
    /// The health check's verdict changed.
    Health(Health),
}

/// What a line of the service's console said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleFact {
    /// The server is ready for players.
    Ready,
    /// A line that only a dying server prints.
    Crash(Arc<str>),
    /// Lua errors of one signature since the last report.
    LuaErrors {
        /// Stable over line noise; the same cause has the same one.
        signature: u64,
        /// How many.
        count: u32,
        /// `file:line: message` of the guilty frame.
        sample: Arc<str>,
    },
    /// Net messages rejected since the last report.
    Rejects {
        /// The player's SteamID.
        steamid: Arc<str>,
        /// How many.
        count: u32,
        /// The nick, made printable.
        nick: Arc<str>,
    },
    /// The game says that it lost its database.
    DatabaseLost(Arc<str>),
    /// The game says that it has its database.
    DatabaseFound,
    /// The map is being changed: silence is normal for a while.
    MapChange,
    /// The Workshop is being read or downloaded: a start takes longer, and goes on.
    Workshop,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The runtime told.
    Runtime(RuntimeEvent),
    /// The runtime was asked.
    Inspected(Inspection),
    /// The Source query.
    A2s(Result<A2sSample, Refusal>),
    /// RCON; the time to the answer.
    Rcon(Result<Duration, Refusal>),
    /// A TCP connection; the time to it.
    Tcp(Result<Duration, Refusal>),
    /// The database.
    Database(Result<DatabaseSample, Refusal>),
    /// Resource use.
    Usage {
        /// Percent of the CPU limit (of one core where there is none); not known from one sample.
        cpu_pct: Option<f32>,
        /// Bytes in use, page cache left out.
        mem_bytes: u64,
        /// The limit, where there is one.
        mem_limit: Option<u64>,
    },
    /// The console.
    Console(ConsoleFact),
    /// Differences between what runs and the compose file; empty when there are none.
    Drift(Vec<String>),
    /// The host's memory.
    HostMemory {
        /// Percent available.
        available_pct: f32,
    },
    /// The host's fullest disk that matters.
    HostDisk {
        /// Percent used.
        used_pct: f32,
        /// Where it is mounted.
        mount: Arc<str>,
    },
    /// How backups do: those that are late or do not work, and drills that failed, a line each.
    Backups {
        /// Late ones.
        late: Vec<String>,
        /// Failed drills.
        drills: Vec<String>,
    },
    /// Whether vigie's own network works; while it does not, nobody else is blamed.
    OwnNetwork(bool),
    /// Whether the runtime can be reached.
    RuntimeReachable(bool),
}
