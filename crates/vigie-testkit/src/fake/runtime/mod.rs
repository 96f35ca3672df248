//! A runtime in memory: services that a test starts, breaks and asks about, by the thousand. Time is
//! tokio's, so that a test may stop it.

mod port;
mod record;
mod script;
mod service;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use service::Virtual;
use world::World;

/// How long an asked-for end may take until the service is killed.
const GRACE: Duration = Duration::from_secs(10);

/// The calls of the port, to be counted, delayed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// `ping`.
    Ping,
    /// `events`.
    Events,
    /// `inspect`.
    Inspect,
    /// `usage`.
    Usage,
    /// `logs`.
    Logs,
    /// `tail`.
    Tail,
    /// `up`.
    Up,
    /// `down_up`.
    DownUp,
    /// `restart`.
    Restart,
    /// `stop`.
    Stop,
    /// `drift`.
    Drift,
}

/// What becomes of a service when it is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fate {
    /// It lives until something happens to it.
    #[default]
    Lives,
    /// It ends by itself.
    Dies {
        /// After this long.
        after: Duration,
        /// With this code.
        code: i32,
    },
    /// It cannot be started: the call is refused with these words.
    Refuses(String),
}

/// The fake; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct FakeRuntime {
    world: Arc<Mutex<World>>,
    // Counts changes; whoever follows something looks again after each.
    changes: watch::Sender<u64>,
}

impl FakeRuntime {
    /// A runtime with these services, made and never started.
    #[must_use]
    pub fn new<S: Into<String>>(services: impl IntoIterator<Item = S>) -> Self {
        let services = services.into_iter().map(|name| (name.into(), Virtual::default()));
        let world = World::new(services.collect());
        Self { world: Arc::new(Mutex::new(world)), changes: watch::channel(0).0 }
    }

    /// Starts every service, before anybody looks.
    #[must_use]
    pub fn running(self) -> Self {
        self.change(|world| {
            for name in world.names() {
                let _ = world.start(&name);
            }
        });
        self
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world and wakes everybody who follows it.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        changed
    }
}
