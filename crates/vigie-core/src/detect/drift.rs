//! Decides whether what runs is not what the compose file says.

use crate::detect::{Reading, View};
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    match &view.sense.drift {
        Some(differences) if !differences.is_empty() => {
            Reading::Active(Bounds::exactly(view.sense.drift_since))
        }
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let differences = view.sense.drift.as_deref().unwrap_or_default().join(", ");
    format!("{} differs from the compose file: {differences}", view.service.name)
}
