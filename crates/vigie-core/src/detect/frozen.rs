//! Decides whether a living server is frozen: A2S *and* RCON fail, each several times. One proof
//! alone is never enough, because this symptom is what allows a running server to be killed.

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::{Probe, ProofState, RuntimeState};

/// RCON failures that count; it is asked at every A2S failure, so they come along.
const RCON_FAILURES: u32 = 2;

/// Whether both proofs fail, whatever the runtime says.
pub(super) fn both_proofs_fail(view: &View<'_>) -> bool {
    let needed = view.service.thresholds.failures;
    view.sense.a2s.state(needed) == ProofState::Failing
        && view.sense.rcon.state(RCON_FAILURES.min(needed)) == ProofState::Failing
        && view.sense.rcon_testifies()
        && view.memory.is_none_or(|memory| memory.trusts(Probe::Rcon))
}

pub(super) fn read(view: &View<'_>) -> Reading {
    if view.sense.runtime != RuntimeState::Running || view.runtime_away || !both_proofs_fail(view) {
        return Reading::Clear;
    }
    if view.silence_excused() {
        return view.excused_until().map_or(Reading::Clear, Reading::Later);
    }
    let a2s = view.sense.a2s.failing_since();
    let rcon = view.sense.rcon.failing_since();
    match (a2s, rcon) {
        (Some(a2s), Some(rcon)) => Reading::Active(Bounds {
            earliest: a2s.earliest.max(rcon.earliest).min(a2s.latest),
            latest: a2s.latest,
        }),
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    format!(
        "{} is running but answers neither A2S ({} failures) nor RCON ({} failures)",
        view.service.name,
        view.sense.a2s.failures(),
        view.sense.rcon.failures()
    )
}
