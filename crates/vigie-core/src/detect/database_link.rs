//! Decides whether the game has lost its database, by the game's own word on its console. It ends
//! when the game says so, or has been quiet about it for a minute.

use std::time::Duration;

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::RuntimeState;

const QUIET: Duration = Duration::from_secs(60);

pub(super) fn read(view: &View<'_>) -> Reading {
    match &view.sense.database_lost {
        Some((first, last, _))
            if view.sense.runtime == RuntimeState::Running && view.now.since(*last) < QUIET =>
        {
            Reading::Active(Bounds::exactly(*first))
        }
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let why = view.sense.database_lost.as_ref().map_or("", |(_, _, why)| why);
    format!("{} says that it lost its database: {why}", view.service.name)
}
