//! Decides whether a backup is late or does not work.

use crate::detect::{Reading, View, backup_list};
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    match &view.sense.backups_late {
        Some(late) if !late.is_empty() => Reading::Active(Bounds::exactly(view.sense.late_since)),
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let late = view.sense.backups_late.as_deref().unwrap_or_default();
    format!("backups are late: {}", backup_list(late))
}
