//! Does: carries out what the engine wants done: collects evidence, runs steps, looks out of turn.
//! Never decides; reports every end back to the engine.

mod blame;
mod evidence;
mod git;
mod history;
mod redact;
mod revert;
mod step;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use vigie_core::event::{Act, Event};
use vigie_core::respond::{RunId, Step, StepResult};
use vigie_core::stack::ServiceId;

pub use blame::{lines as told, unlike_yesterday};
pub use evidence::{collect, last_lines};
pub use git::{
    CommitError, asked_remotes, between, checked_out, commit, commits, head, ignored, remotes,
    root, tracks,
};
pub use redact::Redactor;

use crate::engine::Hands;
use crate::observe::{Eyes, Looks};

/// The hands of the engine.
#[derive(Debug)]
pub struct Responder {
    eyes: Eyes,
    looks: Looks,
    redactor: Arc<Redactor>,
    running: Arc<Mutex<HashMap<RunId, CancellationToken>>>,
}

impl Responder {
    /// Hands that work on what `eyes` look at.
    #[must_use]
    pub fn new(eyes: Eyes, looks: Looks) -> Self {
        let redactor = Arc::new(Redactor::of(&eyes.config));
        Self { eyes, looks, redactor, running: Arc::default() }
    }

    fn execute(&self, run: RunId, service: ServiceId, step: Step) {
        let token = self.eyes.stop.child_token();
        let running = Arc::clone(&self.running);
        lock(&running).insert(run, token.clone());
        let eyes = self.eyes.clone();
        let redactor = Arc::clone(&self.redactor);
        tokio::spawn(async move {
            let result = token.run_until_cancelled(step::carry_out(&eyes, service, &step)).await;
            lock(&running).remove(&run);
            // A cancelled step reports nothing: the engine gave it up itself, or vigie is stopping
            // and will look at the service when it is back.
            let Some(result) = result else { return };
            let result = match result {
                Ok(()) => StepResult::Done,
                // Compose repeats what it could not read.
                Err(why) => StepResult::Failed(redactor.clean(&why)),
            };
            let _ = eyes.handle.event(Event::StepEnded { run, result }).await;
        });
    }

    fn collect(&self, run: RunId, service: ServiceId) {
        let eyes = self.eyes.clone();
        tokio::spawn(async move {
            let evidence = Box::new(collect(&eyes.config, eyes.runtime.as_ref(), service).await);
            let _ = eyes.handle.event(Event::Collected { run, evidence }).await;
        });
    }
}

impl Hands for Responder {
    fn take(&mut self, act: Act) {
        match act {
            Act::Collect { run, service } => self.collect(run, service),
            Act::Execute { run, service, step } => self.execute(run, service, step),
            Act::Abort { run } => {
                if let Some(token) = lock(&self.running).remove(&run) {
                    token.cancel();
                }
            }
            Act::Look { service, probe } => self.looks.now(service, probe),
            Act::Hasten { service, on } => self.looks.hasten(service, on),
        }
    }
}

fn lock(
    running: &Mutex<HashMap<RunId, CancellationToken>>,
) -> std::sync::MutexGuard<'_, HashMap<RunId, CancellationToken>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
