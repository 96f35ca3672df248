//! Decides whether a service nears its memory limit.

use crate::detect::{Reading, View};
use crate::incident::Severity;
use crate::observe::RuntimeState;

pub(super) fn read(view: &View<'_>) -> Reading {
    if view.sense.runtime != RuntimeState::Running {
        return Reading::Clear;
    }
    Reading::sustained(&view.sense.memory_above, view.now, view.service.thresholds.memory_for)
}

pub(super) fn severity(view: &View<'_>) -> Severity {
    let high = &view.sense.memory_high;
    match Reading::sustained(high, view.now, view.service.thresholds.memory_for) {
        Reading::Active(_) => Severity::P2,
        Reading::Clear | Reading::Later(_) => Severity::P3,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let pct = view.sense.memory_pct().unwrap_or_default();
    format!("{} uses {pct:.0} % of its memory limit", view.service.name)
}
