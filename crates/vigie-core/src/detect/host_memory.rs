//! Decides whether the host runs out of memory (the seed's case D).

use crate::detect::{Reading, View};

pub(super) fn read(view: &View<'_>) -> Reading {
    Reading::sustained(&view.sense.host_memory_low, view.now, view.settings.host_memory_for)
}

pub(super) fn describe(view: &View<'_>) -> String {
    let pct = view.sense.host_memory_pct.unwrap_or_default();
    format!("the host has {pct:.1} % of its memory available")
}
