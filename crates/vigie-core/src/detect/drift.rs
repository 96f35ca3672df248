//! Decides whether what runs is not what the compose file says.

use crate::detect::{Reading, View};
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    if view.sense.drift.is_empty() {
        Reading::Clear
    } else {
        Reading::Active(Bounds::exactly(view.sense.drift_since))
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    format!("{} differs from the compose file: {}", view.service.name, view.sense.drift.join(", "))
}
