//! Decides conditions on memory: the service's own end, and the host's reserve.

use crate::respond::{Evidence, Verdict};

pub(super) fn oom_killed(wanted: bool, evidence: &Evidence) -> Verdict {
    match (evidence.inspection.oom_killed, wanted) {
        (true, false) => Err(String::from("it was killed for memory")),
        (false, true) => Err(String::from("it was not killed for memory")),
        _ => Ok(()),
    }
}

pub(super) fn host_below(pct: u8, evidence: &Evidence) -> Verdict {
    match evidence.host.memory_available_pct {
        Some(available) if available < f32::from(pct) => Ok(()),
        Some(available) => Err(format!("the host has {available:.0} % of its memory available")),
        None => Err(String::from("the host's memory is not known")),
    }
}
