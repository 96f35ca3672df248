//! Faults that work in the background: started, counted, and ended together.
//!
//! A job belongs to the epoch in which it began; healing starts a new epoch,
//! and every job of an older one ends at its next look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::world::World;

/// How many jobs may run at once: enough for any experiment, too few to
/// exhaust the threads of the machine.
const MOST: usize = 16;

/// The jobs of one server.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    epoch: AtomicU64,
    running: AtomicUsize,
}

impl Jobs {
    /// Asks every running job to end.
    pub(crate) fn end_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

/// One running job's view of the world.
pub(crate) struct Job {
    world: Arc<World>,
    epoch: u64,
}

impl Job {
    /// The server it runs in.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Whether it was neither healed nor overtaken by the server's death.
    pub(crate) fn goes_on(&self) -> bool {
        !self.world.is_dead() && self.epoch == self.world.jobs().epoch.load(Ordering::SeqCst)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.world.jobs().running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts `body` in the background; the error is an answer for the console.
pub(crate) fn launch(
    world: &Arc<World>,
    name: &str,
    body: impl FnOnce(&Job) + Send + 'static,
) -> Result<(), String> {
    let jobs = world.jobs();
    if jobs.running.fetch_add(1, Ordering::SeqCst) >= MOST {
        jobs.running.fetch_sub(1, Ordering::SeqCst);
        return Err(format!("{MOST} faults already run: practice heal ends them"));
    }
    let job = Job { world: Arc::clone(world), epoch: jobs.epoch.load(Ordering::SeqCst) };
    // If the thread cannot start, the closure and its job are dropped, and the
    // count is right again.
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || body(&job))
        .map(drop)
        .map_err(|error| format!("cannot start {name}: {error}"))
}
