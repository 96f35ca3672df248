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

/// Differences that a title has room for.
const MOST: usize = 6;

pub(super) fn describe(view: &View<'_>) -> String {
    let all = view.sense.drift.as_deref().unwrap_or_default();
    // The last line says what ends it.
    let (told, left, end) = match all.split_last() {
        Some((end, before)) if all.len() > MOST => {
            (&before[..MOST - 1], before.len() + 1 - MOST, Some(end))
        }
        _ => (all, 0, None),
    };
    let more = (left > 0).then(|| format!("and {left} more differences"));
    let told: Vec<_> = told.iter().chain(&more).chain(end).map(String::as_str).collect();
    format!("{} differs from the compose file: {}", view.service.name, told.join(", "))
}
