//! What a test makes happen.

use std::time::Duration;

use vigie::runtime::{RuntimeError, Usage};
use vigie_core::observe::{Health, RuntimeEvent, RuntimeState};

use super::service::Virtual;
use super::world::Later;
use super::{Call, FakeRuntime, Fate};

/// Happenings to services. A name that does not exist changes nothing.
impl FakeRuntime {
    /// The process ends by itself.
    pub fn crash(&self, service: &str, code: i32) {
        let later = self.change(|world| world.crash(service, code));
        self.plan(later);
    }

    /// The kernel kills it for memory.
    pub fn oom(&self, service: &str) {
        let later = self.change(|world| {
            if !world.find(service).is_ok_and(|found| found.lives()) {
                return None;
            }
            world.tell(service, RuntimeEvent::Oom);
            if let Ok(found) = world.find(service) {
                found.oom = true;
            }
            world.crash(service, 137)
        });
        self.plan(later);
    }

    /// A person stops it, past vigie.
    pub fn operator_stop(&self, service: &str) {
        self.operator_kill_with(service, 15, 0, true);
    }

    /// A person kills it, past vigie. As Docker does, no restart policy answers that.
    pub fn operator_kill(&self, service: &str) {
        self.operator_kill_with(service, 9, 137, false);
    }

    fn operator_kill_with(&self, service: &str, signal: i32, code: i32, stop: bool) {
        self.change(|world| {
            if world.find(service).is_ok_and(|found| found.lives()) {
                world.tell(service, RuntimeEvent::Killed { signal });
                world.die(service, code);
                if stop {
                    world.tell(service, RuntimeEvent::Stopped);
                }
            }
        });
    }

    /// A person starts it, past vigie.
    ///
    /// # Errors
    /// When there is no such service, or its fate is to refuse.
    pub fn operator_start(&self, service: &str) -> Result<(), RuntimeError> {
        let later = self.change(|world| world.start(service))?;
        self.plan(later);
        Ok(())
    }

    /// A person suspends it (`true`) or lets it go on.
    pub fn pause(&self, service: &str, paused: bool) {
        let (from, to, event) = if paused {
            (RuntimeState::Running, RuntimeState::Paused, RuntimeEvent::Paused)
        } else {
            (RuntimeState::Paused, RuntimeState::Running, RuntimeEvent::Unpaused)
        };
        self.change(|world| {
            if let Ok(found) = world.find(service)
                && found.state == from
            {
                found.state = to;
                world.tell(service, event);
            }
        });
    }

    /// A person removes it; `up` makes it again.
    pub fn destroy(&self, service: &str) {
        self.operator_kill_with(service, 9, 137, false);
        self.change(|world| {
            if let Ok(found) = world.find(service) {
                found.state = RuntimeState::Missing;
                found.exit_code = None;
                world.tell(service, RuntimeEvent::Destroyed);
            }
        });
    }

    /// Its health check's verdict changes.
    pub fn health(&self, service: &str, health: Health) {
        self.change(|world| {
            if let Ok(found) = world.find(service)
                && found.health != health
            {
                found.health = health;
                world.tell(service, RuntimeEvent::Health(health));
            }
        });
    }

    /// It prints a line.
    pub fn print(&self, service: &str, line: &str) {
        self.change(|world| world.print(service, line));
    }

    /// It ignores SIGTERM until it ends.
    pub fn deafen(&self, service: &str) {
        self.set(service, |found| found.deaf = true);
    }

    /// What it uses from now on.
    pub fn set_usage(&self, service: &str, usage: Usage) {
        self.set(service, |found| found.usage = usage);
    }

    /// How it differs from its definition from now on; making it afresh mends that.
    pub fn set_drift(&self, service: &str, drift: Vec<String>) {
        self.set(service, |found| found.drift = drift);
    }

    /// What becomes of it whenever it is started.
    pub fn set_fate(&self, service: &str, fate: Fate) {
        self.set(service, |found| found.fate = fate);
    }

    /// Whether the runtime starts it again by itself.
    pub fn set_restarts_itself(&self, service: &str, does: bool) {
        self.set(service, |found| found.restarts_itself = does);
    }

    fn set(&self, service: &str, set: impl FnOnce(&mut Virtual)) {
        self.change(|world| {
            if let Ok(found) = world.find(service) {
                set(found);
            }
        });
    }

    /// Does later what the world has planned.
    pub(super) fn plan(&self, later: Option<Later>) {
        let Some(later) = later else { return };
        let fake = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(later.after).await;
            let next = fake.change(|world| world.happen(&later));
            fake.plan(next);
        });
    }
}

/// Happenings to the runtime itself.
impl FakeRuntime {
    /// It goes away: feeds end with an error, calls fail. Services live on.
    pub fn lose(&self) {
        self.change(|world| {
            world.lost = true;
            world.losses += 1;
        });
    }

    /// It is back.
    pub fn restore(&self) {
        self.change(|world| world.lost = false);
    }

    /// Every such call takes this long from now on.
    pub fn delay(&self, call: Call, time: Duration) {
        self.change(|world| world.delays.insert(call, time));
    }

    /// The next such call fails, and does nothing. May be said several times.
    pub fn fail(&self, call: Call, error: RuntimeError) {
        self.change(|world| world.failures.entry(call).or_default().push_back(error));
    }

    /// How often a call was made.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.lock().calls.iter().filter(|(one, _)| *one == call).count()
    }

    /// All calls in order, each with its service (empty where there is none).
    #[must_use]
    pub fn calls(&self) -> Vec<(Call, String)> {
        self.lock().calls.clone()
    }

    /// Forgets the calls made so far.
    pub fn forget_calls(&self) {
        self.change(|world| world.calls.clear());
    }
}
