//! Decides whether a service dies again and again: enough exits that nobody asked for within the
//! window, until one life has lasted.

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::RuntimeState;

pub(super) fn read(view: &View<'_>) -> Reading {
    let Some(memory) = view.memory else { return Reading::Clear };
    let limits = &view.service.thresholds;
    let mut recent = memory.exits_within(view.now, limits.exits_window);
    let count = recent.clone().count();
    if count < limits.exits || memory.stood_down {
        return Reading::Clear;
    }
    let lasting = view.sense.ready
        && view.sense.runtime == RuntimeState::Running
        && view.sense.started.is_some_and(|at| view.now.since(at) >= limits.exits_stable);
    if lasting {
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
