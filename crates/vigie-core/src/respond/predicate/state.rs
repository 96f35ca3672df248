//! Decides conditions on the runtime's word, the symptoms and the dependencies.

use crate::observe::RuntimeState;
use crate::respond::{Evidence, Verdict};

pub(super) fn holds(states: &[RuntimeState], evidence: &Evidence) -> Verdict {
    let state = evidence.inspection.state;
    if states.contains(&state) {
        return Ok(());
    }
    let wanted: Vec<_> = states.iter().map(|state| state.word()).collect();
    Err(format!("it is {}, not {}", state.word(), wanted.join(" or ")))
}

pub(super) fn restarts_itself(wanted: bool, evidence: &Evidence) -> Verdict {
    match (evidence.inspection.restarts_itself, wanted) {
        (true, false) => Err(String::from("its runtime starts it again by itself")),
        (false, true) => Err(String::from("its runtime does not start it again by itself")),
        _ => Ok(()),
    }
}

pub(super) fn symptom(word: &str, evidence: &Evidence) -> Verdict {
    if evidence.symptoms.iter().any(|shown| shown == word) {
        Ok(())
    } else {
        Err(format!("no symptom `{word}`"))
    }
}

pub(super) fn dependencies(wanted: bool, evidence: &Evidence) -> Verdict {
    let sick = evidence.dependencies.iter().find(|dependency| !dependency.well);
    match (sick, wanted) {
        (Some(sick), true) => Err(format!("{} does not work", sick.service)),
        (None, false) => Err(String::from("everything it needs works")),
        _ => Ok(()),
    }
}
