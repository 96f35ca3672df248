//! Decides whether a step may be carried out now, whatever a runbook says: a running server is
//! ended only when A2S *and* RCON fail, or when a person has said yes. Never makes it worse.

use crate::observe::{Probe, Proof, ProofState, RuntimeState, Sense};
use crate::respond::Step;
use crate::stack::{Proofs, Role, Service};
use crate::state::ServiceState;

/// What the guard looks at.
#[derive(Debug, Clone, Copy)]
pub struct Guarded<'a> {
    /// The service that the step is for.
    pub service: &'a Service,
    /// What is sensed of it now.
    pub sense: &'a Sense,
    /// What the journal remembers of it.
    pub memory: Option<&'a ServiceState>,
    /// Whether a person approved this run.
    pub approved: bool,
    /// Whether the runtime itself says that it is sick (its health check), for services that have
    /// no A2S and RCON.
    pub unhealthy: bool,
    /// Whether it keeps dying and does not work: a life of seconds is no life worth protecting.
    pub crash_looping: bool,
    /// Whether silence says nothing: vigie itself was away until moments ago, or its own network is
    /// down.
    pub blind: bool,
}

/// What the guard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It may be carried out.
    Allowed,
    /// Nobody has looked yet: what is not known to be dead may live.
    Unseen,
    /// No, and why, in one line.
    Refused(String),
}

/// Whether `step` may be carried out.
#[must_use]
pub fn ask(step: &Step, on: &Guarded<'_>) -> Word {
    if !step.ends_process() || on.approved {
        return Word::Allowed;
    }
    match on.sense.known_runtime() {
        // What answers is not dead, whatever was told.
        RuntimeState::Exited
        | RuntimeState::Missing
        | RuntimeState::Created
        | RuntimeState::Restarting => {
            return if answered_since(on) { Word::Unseen } else { Word::Allowed };
        }
        RuntimeState::Unknown => return Word::Unseen,
        RuntimeState::Paused => {
            return Word::Refused(format!("{} was paused by a person", on.service.name));
        }
        RuntimeState::Running => {}
    }
    if on.crash_looping {
        return Word::Allowed;
    }
    match two_proofs(on) {
        Ok(()) => Word::Allowed,
        Err(_) if on.blind && !passes(on) => Word::Unseen,
        Err(why) => Word::Refused(why),
    }
}

/// Whether two proofs against a running service agree.
fn two_proofs(on: &Guarded<'_>) -> Result<(), String> {
    let Proofs { a2s, rcon, database, tcp } = on.service.proofs;
    let needed = on.service.thresholds.failures;
    let name = &on.service.name;
    let fails = |asked: bool, proof: &Proof, needed: u32| {
        asked && proof.state(needed) == ProofState::Failing
    };
    match on.service.role {
        Role::Game => {
            let a2s = fails(a2s, &on.sense.a2s, needed);
            let rcon = fails(rcon, &on.sense.rcon, needed.min(2)) && testifies(on);
            if !(a2s && rcon) {
                return Err(format!("{name} is running and only {} fails", one(a2s, rcon)));
            }
            known(on, &[(Probe::A2s, "A2S"), (Probe::Rcon, "RCON")])
        }
        Role::Database | Role::Other => {
            let login = fails(database, &on.sense.database, needed);
            // The greeting is only asked for when a login fails, and so is one look behind it.
            let port = fails(tcp, &on.sense.tcp, needed.min(2));
            let failing = [login, port, on.unhealthy].into_iter().filter(|fails| *fails).count();
            if failing < 2 {
                return Err(format!("{name} is running and two proofs against it are needed"));
            }
            let counted = [(login, Probe::Database, "the login"), (port, Probe::Tcp, "the port")];
            let counted = counted.into_iter().filter(|(fails, ..)| *fails);
            known(on, &counted.map(|(_, probe, word)| (probe, word)).collect::<Vec<_>>())
        }
    }
}

/// A proof that was never seen to pass proves nothing: its address may be wrong.
fn known(on: &Guarded<'_>, proofs: &[(Probe, &str)]) -> Result<(), String> {
    let passed = |probe| on.memory.is_some_and(|memory| memory.proved.contains(&probe));
    let never = proofs.iter().filter(|(probe, _)| !passed(*probe));
    let never: Vec<_> = never.map(|(_, word)| *word).collect();
    if never.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} is running, and vigie has never had an answer from {}: check the addresses in its \
         configuration, and look at the server",
        on.service.name,
        never.join(" and ")
    ))
}

/// Whether RCON's failures can be the second proof.
fn testifies(on: &Guarded<'_>) -> bool {
    on.sense.rcon_testifies() && on.memory.is_none_or(|memory| memory.trusts(Probe::Rcon))
}

/// Whether it has answered since its end was told.
fn answered_since(on: &Guarded<'_>) -> bool {
    let sense = on.sense;
    let proofs = [&sense.a2s, &sense.rcon, &sense.tcp, &sense.database];
    let answers = proofs.iter().filter_map(|proof| proof.last_good());
    answers.max().is_some_and(|answer| answer.steady > sense.since.steady)
}

/// Whether any proof passes.
fn passes(on: &Guarded<'_>) -> bool {
    let sense = on.sense;
    let proofs = [&sense.a2s, &sense.rcon, &sense.tcp, &sense.database];
    proofs.iter().any(|proof| proof.state(1) == ProofState::Passing)
}

const fn one(a2s: bool, rcon: bool) -> &'static str {
    match (a2s, rcon) {
        (true, _) => "A2S",
        (_, true) => "RCON",
        (false, false) => "no proof",
    }
}
