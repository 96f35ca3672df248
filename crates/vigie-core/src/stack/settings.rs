//! Decides the numbers that people can change, and their defaults. The table they come from is in
//! `docs/guide/detectors.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::SymptomKind;
use crate::incident::Severity;
use crate::notify::Level;

/// How far vigie may go by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Says what it would do, does nothing.
    Observe,
    /// Asks before every step that changes something.
    Assist,
    /// Does what is of low risk, asks for the rest.
    #[default]
    Auto,
}

/// Limits of one service's detectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Failed looks in a row before a proof counts as failing.
    pub failures: u32,
    /// Exits within `exits_window` that make a crash loop.
    pub exits: usize,
    /// See `exits`.
    pub exits_window: Duration,
    /// A life this long, with proofs passing, ends a crash loop.
    pub exits_stable: Duration,
    /// Memory use in percent of the limit from which pressure counts.
    pub memory_pct: f32,
    /// Memory use in percent from which pressure is a P2.
    pub memory_high_pct: f32,
    /// How long memory must stay above.
    pub memory_for: Duration,
    /// CPU use in percent of the limit.
    pub cpu_pct: f32,
    /// How long CPU must stay above.
    pub cpu_for: Duration,
    /// Lua errors a minute that make the symptom a P2.
    pub lua_per_minute: u32,
    /// How long the console must be quiet about Lua errors until they are over.
    pub lua_quiet: Duration,
    /// Rejected net messages a minute by one player.
    pub abuse_per_minute: u32,
    /// A database answer slower than this counts as failed.
    pub database_slow: Duration,
    /// Open connections above which the database counts as loaded.
    pub database_connections: u32,
    /// How long they must stay above.
    pub connections_for: Duration,
    /// Slow queries an hour above which the database counts as loaded.
    pub slow_queries_per_hour: u32,
    /// How long a map change may keep the server silent.
    pub map_change: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            failures: 3,
            exits: 3,
            exits_window: Duration::from_secs(600),
            exits_stable: Duration::from_secs(30),
            memory_pct: 90.0,
            memory_high_pct: 97.0,
            memory_for: Duration::from_secs(60),
            cpu_pct: 80.0,
            cpu_for: Duration::from_secs(300),
            lua_per_minute: 10,
            lua_quiet: Duration::from_secs(60),
            abuse_per_minute: 10,
            database_slow: Duration::from_secs(5),
            database_connections: 10,
            connections_for: Duration::from_secs(60),
            slow_queries_per_hour: 5,
            map_change: Duration::from_secs(60),
        }
    }
}

/// How often vigie may restart one service before it hands over to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Restarts by vigie within `per`.
    pub restarts: usize,
    /// The window of `restarts`.
    pub per: Duration,
    /// Wait before the second restart in a row; doubles with each further one.
    pub backoff: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// A service that ran this long, verified, starts again at the first wait.
    pub reset_after: Duration,
    /// What happens to a service that goes on dying when the budget is spent.
    pub when_spent: WhenSpent,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            restarts: 3,
            per: Duration::from_secs(600),
            backoff: Duration::from_secs(10),
            backoff_max: Duration::from_secs(120),
            reset_after: Duration::from_secs(600),
            when_spent: WhenSpent::Stop,
        }
    }
}

/// See [`Budget::when_spent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum WhenSpent {
    /// Stop it, so that its runtime's own restart policy does not loop for ever.
    #[default]
    Stop,
    /// Leave it as it is.
    Leave,
}

/// How long an incident may wait until a person or a runbook has it in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// For P1, P2, P3; P4 is planned work and has none.
    pub acknowledge: [Duration; 3],
    /// When a person is called to an unclaimed P2, before its target is missed.
    pub p2_escalate: Duration,
}

impl Default for Targets {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self { acknowledge: [minutes(15), minutes(60), minutes(24 * 60)], p2_escalate: minutes(30) }
    }
}

impl Targets {
    /// How long an incident may be in nobody's hands before it is overdue.
    #[must_use]
    pub fn within(&self, severity: Severity) -> Option<Duration> {
        match severity {
            Severity::P1 => Some(self.acknowledge[0]),
            Severity::P2 => Some(self.acknowledge[1]),
            Severity::P3 => Some(self.acknowledge[2]),
            Severity::P4 => None,
        }
    }
}

/// How vigie behaves, for the whole stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How far it may go by itself.
    pub mode: Mode,
    /// Restarts of one service.
    pub budget: Budget,
    /// Response targets.
    pub targets: Targets,
    /// Who is told, one after the other, when an incident is in nobody's hands in time.
    pub escalation: Vec<Level>,
    /// Severities that differ from the defaults.
    pub severities: BTreeMap<SymptomKind, Severity>,
    /// A fault that comes back within this time belongs to the incident it had.
    pub reopen_within: Duration,
    /// How long a possible consequence waits for its cause to show.
    pub hold_off: Duration,
    /// How long a symptom that no run repaired must be gone before its incident is restored.
    pub clear_for: Duration,
    /// How long evidence may take.
    pub collect_timeout: Duration,
    /// How long one step may take.
    pub step_timeout: Duration,
    /// How long a person has to approve.
    pub approve_timeout: Duration,
    /// Host memory: percent available below which it counts.
    pub host_memory_pct: f32,
    /// How long host memory must stay below.
    pub host_memory_for: Duration,
    /// Disk use in percent: P3 from the first, P2 from the second.
    pub disk_pct: [f32; 2],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Auto,
            budget: Budget::default(),
            targets: Targets::default(),
            escalation: Vec::new(),
            severities: BTreeMap::new(),
            reopen_within: Duration::from_secs(600),
            hold_off: Duration::from_secs(3),
            clear_for: Duration::from_secs(10),
            collect_timeout: Duration::from_secs(15),
            step_timeout: Duration::from_secs(180),
            approve_timeout: Duration::from_secs(900),
            host_memory_pct: 5.0,
            host_memory_for: Duration::from_secs(10),
            disk_pct: [85.0, 95.0],
        }
    }
}
