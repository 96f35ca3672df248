//! Decides whether a service keeps its CPU limit busy.

use crate::detect::{Reading, View};
use crate::observe::RuntimeState;

pub(super) fn read(view: &View<'_>) -> Reading {
    if view.sense.runtime != RuntimeState::Running {
        return Reading::Clear;
    }
    Reading::sustained(&view.sense.cpu_above, view.now, view.service.thresholds.cpu_for)
}

pub(super) fn describe(view: &View<'_>) -> String {
    let pct = view.sense.cpu_pct.unwrap_or_default();
    format!("{} uses {pct:.0} % of its CPU limit", view.service.name)
}
