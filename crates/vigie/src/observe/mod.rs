//! Does: looks. Every probe runs by itself on its own rhythm and reports what it saw; none of them
//! decides what it means.

mod a2s;
mod console;
mod database;
mod drift;
mod events;
mod host;
mod looks;
mod network;
mod rcon;
mod reach;
mod rhythm;
mod tcp;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_core::observe::Probe;
use vigie_core::stack::{Role, ServiceId};

pub use a2s::query as query_a2s;
pub use database::query as query_database;
pub use host::{HostLook, look as look_at_host};
pub use rcon::{RconLink, RconProblem, is_own_question};
pub use rhythm::{Beat, Rhythm};
pub use tcp::connect as connect_tcp;

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Handle;
use crate::pulse::Heart;
use crate::runtime::Runtime;

/// Everything that a look needs.
#[derive(Clone)]
pub struct Eyes {
    /// What is watched.
    pub config: Arc<Config>,
    /// What runs it.
    pub runtime: Arc<dyn Runtime>,
    /// Whom to tell.
    pub handle: Handle,
    /// What time it is.
    pub clock: Clock,
    /// When to stop looking.
    pub stop: CancellationToken,
    /// How the heartbeat does.
    pub heart: Heart,
}

impl std::fmt::Debug for Eyes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eyes").field("stack", &self.config.stack.name).finish_non_exhaustive()
    }
}

/// How often a database that answers logins is asked for its greeting alone.
const GREETING_EVERY: Duration = Duration::from_secs(6 * 3600);

/// The rhythms of all looks, to quicken one or to look out of turn.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    rhythms: Arc<BTreeMap<(ServiceId, Probe), Rhythm>>,
}

impl Looks {
    /// Looks once, now.
    pub fn now(&self, service: ServiceId, probe: Probe) {
        if let Some(rhythm) = self.rhythms.get(&(service, probe)) {
            rhythm.now();
        }
    }

    /// Looks more often, or as usual again.
    pub fn hasten(&self, service: ServiceId, on: bool) {
        let range = (service, Probe::A2s)..=(service, Probe::Runtime);
        for (_, rhythm) in self.rhythms.range(range) {
            if !rhythm.on_demand() {
                rhythm.hasten(on);
            }
        }
    }
}

/// The rhythms of every configured look.
#[must_use]
pub fn rhythms(config: &Config) -> Looks {
    let mut rhythms = BTreeMap::new();
    for (id, service) in config.stack.services() {
        let Some(file) = config.file.service.get(&service.name) else { continue };
        let every = [
            (Probe::A2s, file.a2s.as_ref().map(|probe| probe.every)),
            (Probe::Rcon, file.rcon.as_ref().map(|probe| probe.every)),
            // A greeting that is not answered is a warning in the database's log: it is only asked
            // for when the login fails, as the second proof.
            (
                Probe::Tcp,
                file.tcp.as_ref().map(|probe| match &file.database {
                    Some(_) => GREETING_EVERY.max(probe.every),
                    None => probe.every,
                }),
            ),
            (Probe::Database, file.database.as_ref().map(|probe| probe.every)),
            (Probe::Runtime, Some(events::INSPECT_EVERY)),
        ];
        for (probe, every) in every {
            if let Some(every) = every {
                rhythms.insert((id, probe), Rhythm::new(every));
            }
        }
    }
    Looks { rhythms: Arc::new(rhythms) }
}

/// Starts every look; they end when `eyes.stop` is cancelled.
pub fn start(eyes: &Eyes, looks: &Looks, since: Option<i64>, tasks: &mut JoinSet<()>) {
    let reach = reach::Reach::default();
    // A container that has just been made is compared at once.
    let fresh = Arc::new(Notify::new());
    tasks.spawn(events::watch(eyes.clone(), since, reach.clone(), Arc::clone(&fresh)));
    tasks.spawn(host::watch(eyes.clone()));
    tasks.spawn(network::watch(eyes.clone()));
    tasks.spawn(usage::watch(eyes.clone(), reach.clone()));
    tasks.spawn(drift::watch(eyes.clone(), fresh));
    for (id, service) in eyes.config.stack.services() {
        let Some(file) = eyes.config.file.service.get(&service.name) else { continue };
        let rhythm = |probe| looks.rhythms.get(&(id, probe)).cloned();
        if let (Some(probe), Some(rhythm)) = (file.a2s.clone(), rhythm(Probe::A2s)) {
            tasks.spawn(a2s::watch(eyes.clone(), id, probe, rhythm));
        }
        if let (Some(probe), Some(rhythm)) = (file.rcon.clone(), rhythm(Probe::Rcon)) {
            tasks.spawn(rcon::watch(eyes.clone(), id, probe, rhythm));
        }
        if let (Some(probe), Some(rhythm)) = (file.tcp.clone(), rhythm(Probe::Tcp)) {
            let greeted = service.role == Role::Database;
            tasks.spawn(tcp::watch(eyes.clone(), id, probe, greeted, rhythm));
        }
        if let (Some(probe), Some(rhythm)) = (file.database.clone(), rhythm(Probe::Database)) {
            tasks.spawn(database::watch(eyes.clone(), id, probe, rhythm));
        }
        if let Some(rhythm) = rhythm(Probe::Runtime) {
            tasks.spawn(events::inspect_regularly(eyes.clone(), id, rhythm, reach.clone()));
        }
        if service.role == Role::Game {
            tasks.spawn(console::watch(eyes.clone(), id));
        }
    }
}
