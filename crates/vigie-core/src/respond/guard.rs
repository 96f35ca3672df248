//! Decides whether a step may be carried out now, whatever a runbook says: a running server is
//! ended only when A2S *and* RCON fail, or when a person has said yes. Never makes it worse.

use crate::observe::{ProofState, RuntimeState, Sense};
use crate::respond::Step;
use crate::stack::{Proofs, Role, Service};

/// What the guard looks at.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'a> {
    /// The service that the step is for.
    pub service: &'a Service,
    /// What is sensed of it now.
    pub sense: &'a Sense,
    /// Whether a person approved this run.
    pub approved: bool,
    /// Whether the runtime itself says that it is sick (its health check), for services that have
    /// no A2S and RCON.
    pub unhealthy: bool,
    /// Whether it keeps dying: a life of seconds is no life worth protecting.
    pub crash_looping: bool,
}

/// Whether `step` may be carried out.
///
/// # Errors
/// Why not, in one line.
pub fn allow(step: &Step, on: &Guarded<'_>) -> Result<(), String> {
    if !step.ends_process() || on.approved || on.sense.runtime != RuntimeState::Running {
        return Ok(());
    }
    if on.crash_looping {
        return Ok(());
    }
    let Proofs { a2s, rcon, database, tcp } = on.service.proofs;
    let needed = on.service.thresholds.failures;
    let name = &on.service.name;
    match on.service.role {
        Role::Game => {
            let a2s_fails = a2s && on.sense.a2s.state(needed) == ProofState::Failing;
            let rcon_fails = rcon
                && on.sense.rcon.state(needed.min(2)) == ProofState::Failing
                && on.sense.rcon_testifies();
            if a2s_fails && rcon_fails {
                return Ok(());
            }
            Err(format!("{name} is running and only {} fails", one(a2s_fails, rcon_fails)))
        }
        Role::Database | Role::Other => {
            let login = database && on.sense.database.state(needed) == ProofState::Failing;
            // The greeting is only asked for when a login fails, and so is one look behind it.
            let port = tcp && on.sense.tcp.state(needed.min(2)) == ProofState::Failing;
            let failing = [login, port, on.unhealthy].into_iter().filter(|fails| *fails).count();
            if failing >= 2 {
                return Ok(());
            }
            Err(format!("{name} is running and two proofs against it are needed"))
        }
    }
}

const fn one(a2s: bool, rcon: bool) -> &'static str {
    match (a2s, rcon) {
        (true, _) => "A2S",
        (_, true) => "RCON",
        (false, false) => "no proof",
    }
}
