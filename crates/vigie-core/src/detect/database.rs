//! Decides whether a database is down or slow: login and `SELECT 1` fail, or take too long,
//! several times in a row.

use crate::detect::{Reading, View};
use crate::observe::{ProofState, RuntimeState};

pub(super) fn read(view: &View<'_>) -> Reading {
    let needed = view.service.thresholds.failures;
    let stood_down = view.memory.is_some_and(|memory| memory.stood_down);
    if stood_down || view.sense.database.state(needed) != ProofState::Failing {
        return Reading::Clear;
    }
    // A dead container is `down`; the database being silent then says nothing more.
    if !matches!(view.sense.runtime, RuntimeState::Running | RuntimeState::Unknown) {
        return Reading::Clear;
    }
    if view.silence_excused() {
        return view.excused_until().map_or(Reading::Clear, Reading::Later);
    }
    view.sense.database.failing_since().map_or(Reading::Clear, Reading::Active)
}

pub(super) fn describe(view: &View<'_>) -> String {
    format!(
        "{} does not answer `SELECT 1` in time ({} looks in a row)",
        view.service.name,
        view.sense.database.failures()
    )
}
