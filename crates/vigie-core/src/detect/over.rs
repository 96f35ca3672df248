//! Decides whether a symptom that was there before vigie's own restart is known to be over. Senses
//! begin empty, and empty senses say "clear" to every detector: that is ignorance, not an end.

use crate::detect::{SymptomKind, View};
use crate::observe::{Proof, ProofState, RuntimeState};

/// Whether enough was sensed since the start to believe a clear reading.
pub(crate) fn known_over(kind: SymptomKind, view: &View<'_>) -> bool {
    let sense = view.sense;
    let seen = sense.runtime != RuntimeState::Unknown;
    let gone = seen && sense.runtime != RuntimeState::Running;
    let needed = view.service.thresholds.failures;
    let answered =
        |proof: &Proof| matches!(proof.state(needed), ProofState::Passing | ProofState::Failing);
    match kind {
        SymptomKind::Down
        | SymptomKind::CrashLoop
        | SymptomKind::OutOfMemory
        | SymptomKind::Unhealthy => seen,
        SymptomKind::Frozen | SymptomKind::Unreachable => {
            let proof = if view.service.proofs.a2s { &sense.a2s } else { &sense.tcp };
            gone || answered(proof)
        }
        SymptomKind::DatabaseDown => gone || answered(&sense.database),
        SymptomKind::MemoryPressure => {
            gone || (sense.memory.is_some() && sense.memory_above.since().is_none())
        }
        SymptomKind::Cpu => gone || (sense.cpu_pct.is_some() && sense.cpu_above.since().is_none()),
        SymptomKind::DatabaseLoad => {
            let quiet = sense.connections_above.since().is_none();
            gone || (sense.database.last_good().is_some() && quiet)
        }
        SymptomKind::HostMemory => {
            sense.host_memory_pct.is_some() && sense.host_memory_low.since().is_none()
        }
        SymptomKind::Disk => sense.disk.is_some(),
        SymptomKind::Drift => sense.drift.is_some(),
        // Counted by the minute from a console that is followed afresh: it shows again if it lasts.
        SymptomKind::DatabaseLink | SymptomKind::LuaErrors | SymptomKind::NetAbuse => true,
    }
}
