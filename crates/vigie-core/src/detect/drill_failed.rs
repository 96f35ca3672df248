//! Decides whether a drill found that a backup does not come back.

use crate::detect::{Reading, View, backup_list};
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    match &view.sense.drills_failed {
        Some(failed) if !failed.is_empty() => {
            Reading::Active(Bounds::exactly(view.sense.drills_since))
        }
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let failed = view.sense.drills_failed.as_deref().unwrap_or_default();
    format!("drills failed: {}", backup_list(failed))
}
