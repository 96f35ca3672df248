//! Decides whether the runtime's own health check fails.

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::{Health, RuntimeState};

pub(super) fn read(view: &View<'_>) -> Reading {
    let running = view.sense.runtime == RuntimeState::Running && !view.runtime_away;
    if running && view.sense.health == Health::Unhealthy {
        Reading::Active(Bounds::exactly(view.sense.health_since))
    } else {
        Reading::Clear
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    format!("{}: its health check fails", view.service.name)
}
