//! Decides whether a symptom that was shown is known to be over. What cannot be read at present says
//! "clear" to every detector, after vigie's own restart, with its own network down or the runtime
//! away: that is ignorance, not an end.

use crate::detect::{SymptomKind, View, crash_loop, frozen};
use crate::observe::{Proof, ProofState, RuntimeState};

/// Whether enough is known to believe a clear reading.
pub(crate) fn known_over(kind: SymptomKind, view: &View<'_>) -> bool {
    let sense = view.sense;
    if view.memory.is_some_and(|memory| memory.stood_down) {
        return true;
    }
    let seen = sense.runtime != RuntimeState::Unknown && !view.runtime_away;
    let gone = seen && sense.runtime != RuntimeState::Running;
    let proofs = view.service.proofs;
    let needed = view.service.thresholds.failures;
    let passes = |proof: &Proof| proof.state(needed) == ProofState::Passing;
    // Where silence means something, another proof's failures tell one kind of trouble from the other.
    let telling = !view.silence_excused() && !view.runtime_away;
    match kind {
        SymptomKind::Down | SymptomKind::Unhealthy => seen,
        SymptomKind::OutOfMemory => seen && (gone || sense.ready),
        SymptomKind::CrashLoop => {
            // A process that lives and was not asked yet may be about to die again.
            let asked = proofs.a2s || proofs.tcp || proofs.database;
            seen && (crash_loop::past(view) || gone || sense.ready || !asked)
        }
        SymptomKind::Frozen => {
            let one_fails = sense.a2s.state(needed) == ProofState::Failing;
            let not_both = telling && one_fails && !frozen::both_proofs_fail(view);
            !proofs.a2s || gone || passes(&sense.a2s) || passes(&sense.rcon) || not_both
        }
        SymptomKind::Unreachable if proofs.a2s => {
            gone || passes(&sense.a2s) || (telling && frozen::both_proofs_fail(view))
        }
        SymptomKind::Unreachable => gone || !proofs.tcp || passes(&sense.tcp),
        SymptomKind::DatabaseDown => gone || !proofs.database || passes(&sense.database),
        SymptomKind::MemoryPressure => {
            gone || (sense.memory.is_some() && sense.memory_above.since().is_none())
        }
        SymptomKind::Cpu => gone || (sense.cpu_pct.is_some() && sense.cpu_above.since().is_none()),
        SymptomKind::DatabaseLoad => {
            let quiet = sense.connections_above.since().is_none();
            gone || !proofs.database || (sense.database.last_good().is_some() && quiet)
        }
        SymptomKind::HostMemory => {
            sense.host_memory_pct.is_some() && sense.host_memory_low.since().is_none()
        }
        SymptomKind::Disk => sense.disk.is_some(),
        SymptomKind::Drift => sense.drift.is_some(),
        SymptomKind::BackupLate => sense.backups_late.is_some(),
        SymptomKind::DrillFailed => sense.drills_failed.is_some(),
        // Counted by the minute from a console that is followed afresh: it shows again if it lasts.
        SymptomKind::DatabaseLink | SymptomKind::LuaErrors | SymptomKind::NetAbuse => true,
    }
}
