//! Decides whether one proof alone fails: worth telling a person, never worth touching a server.

use crate::detect::{Reading, View, frozen};
use crate::incident::Severity;
use crate::observe::{Proof, ProofState, RuntimeState};

fn failing<'a>(view: &View<'a>) -> Option<(&'static str, &'a Proof)> {
    let needed = view.service.thresholds.failures;
    let proofs = view.service.proofs;
    if proofs.a2s && view.sense.a2s.state(needed) == ProofState::Failing {
        return Some(("A2S", &view.sense.a2s));
    }
    let tcp_counts = proofs.tcp && !proofs.a2s && !proofs.database;
    (tcp_counts && view.sense.tcp.state(needed) == ProofState::Failing)
        .then_some(("TCP", &view.sense.tcp))
}

pub(super) fn read(view: &View<'_>) -> Reading {
    let alive = matches!(view.sense.runtime, RuntimeState::Running | RuntimeState::Unknown)
        || view.runtime_away;
    let Some((_, proof)) = failing(view).filter(|_| alive) else { return Reading::Clear };
    let known_frozen = view.sense.runtime == RuntimeState::Running && !view.runtime_away;
    if known_frozen && frozen::both_proofs_fail(view) {
        return Reading::Clear;
    }
    if view.silence_excused() {
        return view.excused_until().map_or(Reading::Clear, Reading::Later);
    }
    proof.failing_since().map_or(Reading::Clear, Reading::Active)
}

pub(super) fn severity(view: &View<'_>) -> Severity {
    if frozen::both_proofs_fail(view) { Severity::P1 } else { Severity::P3 }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let name = &view.service.name;
    if frozen::both_proofs_fail(view) {
        return format!("{name} answers neither A2S nor RCON, and its runtime cannot be asked");
    }
    let (what, failures) = failing(view).map_or(("?", 0), |(what, proof)| (what, proof.failures()));
    format!("{name}: {what} alone fails ({failures} times); nothing is touched on one proof")
}
