//! Decides conditions on the proofs of life.

use crate::observe::ProofState;
use crate::respond::Verdict;

pub(super) fn is(what: &str, state: ProofState, wanted: ProofState) -> Verdict {
    if state == wanted {
        return Ok(());
    }
    let word = match state {
        ProofState::Unknown => "is not known",
        ProofState::Passing => "passes",
        ProofState::Doubtful => "failed, but not often enough",
        ProofState::Failing => "fails",
    };
    Err(format!("{what} {word}"))
}
