//! Decides whether the kernel killed a service for memory; it lasts until a new process has proved
//! itself.

use std::time::Duration;

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::RuntimeState;

/// How long the killing of a single process inside a service that goes on counts.
const CHILD: Duration = Duration::from_secs(60);

/// How long the death of the whole service may take to follow.
const DEATH: Duration = Duration::from_millis(500);

pub(super) fn read(view: &View<'_>) -> Reading {
    let running = view.sense.runtime == RuntimeState::Running;
    if view.memory.is_some_and(|memory| memory.stood_down) || view.sense.pending_exit.is_some() {
        return Reading::Clear;
    }
    if running && view.sense.ready {
        return match view.sense.oom {
            // The word of it comes before the death itself.
            Some(at) if view.now.since(at) < DEATH => Reading::Later(at.plus(DEATH)),
            Some(at) if view.now.since(at) < CHILD => Reading::Active(Bounds::exactly(at)),
            _ => Reading::Clear,
        };
    }
    let unseen = view.sense.runtime == RuntimeState::Unknown;
    if unseen || (running && !view.sense.boot_seen) {
        // Not seen yet, or found alive by a look: it may have proved itself long before.
        return Reading::Clear;
    }
    let last = view.memory.and_then(|memory| memory.exits.last());
    match last {
        Some(exit) if exit.oom => Reading::Active(Bounds::exactly(exit.at)),
        _ => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let name = &view.service.name;
    if view.sense.runtime == RuntimeState::Running && view.sense.ready {
        return format!("a process inside {name} was killed for memory; {name} itself goes on");
    }
    match view.sense.memory {
        Some((_, Some(limit))) => {
            format!("{name} was killed for memory (limit {} MiB)", limit / (1024 * 1024))
        }
        _ => format!("{name} was killed for memory"),
    }
}
