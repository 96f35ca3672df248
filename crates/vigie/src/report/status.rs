//! Does: the documented shape of `vigie status --json`, made from what the engine knows now.

use serde::{Deserialize, Serialize};
use vigie_core::Engine;
use vigie_core::detect::SymptomKind;
use vigie_core::observe::{Health, RuntimeState};
use vigie_core::respond::{Phase, Silence};
use vigie_core::stack::{Mode, Role, ServiceId};

use super::rfc3339;

/// How the stack is; see `docs/guide/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The stack's name.
    pub stack: String,
    /// How far vigie goes by itself.
    pub mode: Mode,
    /// Whether the stack works without one of its services.
    pub degraded: bool,
    /// The services.
    pub services: Vec<ServiceStatus>,
    /// Incidents in which something is still wrong.
    pub incidents_open: usize,
    /// Runs that wait for a person.
    pub approvals: Vec<ApprovalStatus>,
    /// Until when maintenance lasts.
    pub maintenance: Option<String>,
    /// Whether the runtime can be reached.
    pub runtime_reachable: bool,
    /// Records that wait because the journal cannot be written.
    pub journal_waiting: usize,
    /// Where people are told.
    pub channels: Vec<ChannelStatus>,
    /// How the heartbeat does, where there is one and it was tried.
    #[serde(default)]
    pub heartbeat: Option<HeartbeatStatus>,
}

/// A run that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalStatus {
    /// Its number.
    pub run: u64,
    /// What it is about.
    pub what: String,
    /// Until when it waits.
    pub until: String,
    /// What is made of silence then.
    pub default: Silence,
}

/// How the heartbeat does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatStatus {
    /// When the last one was taken.
    pub last: Option<String>,
    /// Since when none is.
    pub failing_since: Option<String>,
    /// Why not.
    pub why: Option<String>,
}

/// How a channel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// Messages that wait.
    pub waiting: usize,
    /// Why it takes none any more.
    pub stopped: Option<String>,
}

/// How a service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The runtime's word for it, or `starting`, or `stopped` by a person.
    pub state: String,
    /// `healthy`, `unhealthy`, `starting` or `none`: what vigie sees, not only the health check.
    pub health: String,
    /// Since when its state is so.
    pub since: Option<String>,
    /// Players connected.
    pub players: Option<u8>,
    /// Places.
    pub max_players: Option<u8>,
    /// The map.
    pub map: Option<String>,
    /// Time to the last answer of its first proof.
    pub latency_ms: Option<f64>,
    /// CPU in percent of its limit.
    pub cpu_pct: Option<f32>,
    /// Memory in use.
    pub mem_bytes: Option<u64>,
    /// Memory limit.
    pub mem_limit_bytes: Option<u64>,
    /// Starts by its runtime or by vigie.
    pub restarts: u32,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
    /// What differs from the compose file, where it was compared.
    #[serde(default)]
    pub drift: Vec<String>,
}

/// How things are now.
#[must_use]
pub fn status(engine: &Engine, journal_waiting: usize, channels: Vec<ChannelStatus>) -> Status {
    let state = engine.state();
    let approvals = state.live_runs().filter_map(|run| {
        let Phase::Approval { until, silence } = run.phase else { return None };
        let case = run.case.as_deref().unwrap_or("?");
        let what = format!("{} case {case} on {}", run.runbook, run.service);
        let until = rfc3339(until.wall);
        Some(ApprovalStatus { run: run.id.0, what, until, default: silence })
    });
    Status {
        stack: engine.stack().name.clone(),
        mode: engine.stack().settings.mode,
        degraded: !state.degraded.is_empty(),
        services: engine.stack().services().map(|(id, _)| service(engine, id)).collect(),
        incidents_open: state.active().count(),
        approvals: approvals.collect(),
        maintenance: state
            .maintenance
            .filter(|_| engine.in_maintenance())
            .map(|until| rfc3339(until.wall)),
        runtime_reachable: !state.runtime_lost,
        journal_waiting,
        channels,
        // It beats elsewhere: whoever asks for the status adds it.
        heartbeat: None,
    }
}

fn service(engine: &Engine, id: ServiceId) -> ServiceStatus {
    let service = engine.stack().service(id);
    let sense = engine.sense(id);
    let memory = engine.state().service(&service.name);
    let stood_down = memory.is_some_and(|memory| memory.stood_down);
    let state = match sense.runtime {
        RuntimeState::Exited | RuntimeState::Missing if stood_down => "stopped",
        RuntimeState::Running if engine.starting(id) && engine.well_since(id).is_none() => {
            "starting"
        }
        other => other.word(),
    };
    let sick = engine.state().active().any(|incident| {
        let shows = |kind: &SymptomKind| incident.shows(&service.name, *kind);
        SymptomKind::ALL.iter().any(shows)
    });
    let health = match (engine.well_since(id), sense.health) {
        (Some(_), _) if !sick => "healthy",
        (None, _) if state == "starting" => "starting",
        (None, Health::None) if !sick && sense.runtime == RuntimeState::Unknown => "none",
        _ => "unhealthy",
    };
    let latency = [sense.a2s.latency(), sense.database.latency(), sense.tcp.latency()];
    let latency = latency.into_iter().flatten().next();
    let (mem_bytes, limit) = sense.memory.map_or((None, None), |(used, limit)| (Some(used), limit));
    let running = sense.runtime == RuntimeState::Running;
    // Behind a login the greeting is only asked for when the login fails.
    let greeting = (!service.proofs.database).then_some(("tcp", &sense.tcp));
    let last_error = [("a2s", &sense.a2s), ("rcon", &sense.rcon), ("database", &sense.database)]
        .into_iter()
        .chain(greeting)
        .filter(|_| running)
        .find_map(|(probe, proof)| Some(format!("{probe}: {}", proof.why()?)));
    // Who played before it ended is not who plays.
    let players = sense.players.as_ref().filter(|_| running);
    let by_vigie = memory.map_or(0, |memory| memory.restarts.len());
    ServiceStatus {
        name: service.name.clone(),
        role: service.role,
        state: state.to_owned(),
        health: health.to_owned(),
        since: (sense.runtime != RuntimeState::Unknown).then(|| rfc3339(sense.since.wall)),
        players: players.map(|(players, ..)| *players),
        max_players: players.map(|(_, max, _)| *max),
        map: players.map(|(.., map)| map.to_string()),
        latency_ms: latency
            .filter(|_| running)
            .map(|latency| (latency.as_secs_f64() * 100_000.0).round() / 100.0),
        cpu_pct: sense.cpu_pct.filter(|_| running),
        mem_bytes: mem_bytes.filter(|_| running),
        mem_limit_bytes: limit,
        restarts: sense.restarts + u32::try_from(by_vigie).unwrap_or(u32::MAX),
        last_error: last_error.or_else(|| sense.lua_last.as_ref().map(ToString::to_string)),
        drift: sense.drift.clone().unwrap_or_default(),
    }
}
