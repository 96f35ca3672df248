//! Decides whether a disk is nearly full.

use crate::detect::{Reading, View};
use crate::incident::Severity;
use crate::moment::Bounds;

pub(super) fn read(view: &View<'_>) -> Reading {
    match &view.sense.disk {
        Some((pct, _, since)) if *pct > view.settings.disk_pct[0] => {
            Reading::Active(Bounds::exactly(*since))
        }
        _ => Reading::Clear,
    }
}

pub(super) fn severity(view: &View<'_>) -> Severity {
    match &view.sense.disk {
        Some((pct, ..)) if *pct > view.settings.disk_pct[1] => Severity::P2,
        _ => Severity::P3,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    match &view.sense.disk {
        Some((pct, mount, _)) => format!("the disk at {mount} is {pct:.0} % full"),
        None => String::from("a disk is nearly full"),
    }
}
