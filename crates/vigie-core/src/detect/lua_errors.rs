//! Decides whether Lua errors matter: one with a signature never seen before, or too many a minute.
//! It lasts until the console has been quiet about them for a while.

use crate::detect::{Reading, View};
use crate::incident::Severity;
use crate::moment::Bounds;

/// What stands between the rate and the sample in a description.
const BETWEEN: &str = " Lua errors a minute, ";

fn many(view: &View<'_>) -> bool {
    view.sense.lua.per_minute(view.now) > view.service.thresholds.lua_per_minute
}

pub(super) fn read(view: &View<'_>) -> Reading {
    let quiet = view.service.thresholds.lua_quiet;
    if view.sense.lua.last().is_none_or(|last| view.now.since(last) >= quiet) {
        return Reading::Clear;
    }
    match &view.sense.lua_new {
        Some(new) if many(view) || view.now.since(new.last) < quiet => {
            Reading::Active(Bounds::exactly(new.first))
        }
        _ if many(view) => {
            Reading::Active(Bounds::exactly(view.sense.lua.first().unwrap_or(view.now)))
        }
        _ => Reading::Clear,
    }
}

pub(super) fn severity(view: &View<'_>) -> Severity {
    if many(view) { Severity::P2 } else { Severity::P3 }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let sample = view.sense.lua_new.as_ref().map(|new| &new.sample);
    let sample = sample.or(view.sense.lua_last.as_ref()).map_or("", |sample| sample);
    let rate = view.sense.lua.per_minute(view.now);
    format!("{}: {rate}{BETWEEN}{sample}", view.service.name)
}

/// The sample in a description.
pub(super) fn sample(description: &str) -> Option<&str> {
    let (_, sample) = description.split_once(BETWEEN)?;
    (!sample.is_empty()).then_some(sample)
}
