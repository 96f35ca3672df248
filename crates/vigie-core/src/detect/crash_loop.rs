//! Decides whether a service dies again and again: enough exits that nobody asked for within the
//! window, until one life has lasted.

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::{ProofState, RuntimeState};
use crate::state::ServiceState;

/// Whether the exits that made a loop are too long ago.
pub(super) fn past(view: &View<'_>) -> bool {
    let limits = &view.service.thresholds;
    let count = |memory: &ServiceState| memory.exits_within(view.now, limits.exits_window).count();
    view.memory.is_none_or(|memory| count(memory) < limits.exits)
}

pub(super) fn read(view: &View<'_>) -> Reading {
    let Some(memory) = view.memory else { return Reading::Clear };
    let limits = &view.service.thresholds;
    let mut recent = memory.exits_within(view.now, limits.exits_window);
    if past(view) || memory.stood_down {
        return Reading::Clear;
    }
    let sense = view.sense;
    let lives = sense.runtime == RuntimeState::Running
        && sense.started.is_some_and(|at| view.now.since(at) >= limits.exits_stable);
    // After vigie's own restart: it has lived for long, and nothing speaks against it yet.
    let asked = [&sense.a2s, &sense.rcon, &sense.tcp, &sense.database];
    let asked = asked.into_iter().any(|proof| proof.state(1) != ProofState::Unknown);
    if lives && (sense.ready || !(asked || sense.boot_seen)) {
        return Reading::Clear;
    }
    recent.next().map_or(Reading::Clear, |first| Reading::Active(Bounds::exactly(first.at)))
}

pub(super) fn describe(view: &View<'_>) -> String {
    let limits = &view.service.thresholds;
    let count =
        view.memory.map_or(0, |memory| memory.exits_within(view.now, limits.exits_window).count());
    let minutes = limits.exits_window.as_secs() / 60;
    format!("{} died {count} times within {minutes} min", view.service.name)
}
