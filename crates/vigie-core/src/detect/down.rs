//! Decides whether a service is down: its container or process ended, is missing or never started,
//! and nobody asked for that.

use crate::detect::{Reading, View};
use crate::moment::Bounds;
use crate::observe::RuntimeState;

pub(super) fn read(view: &View<'_>) -> Reading {
    let sense = view.sense;
    if view.runtime_away || view.memory.is_some_and(|memory| memory.stood_down) {
        return Reading::Clear;
    }
    if let Some(exit) = sense.pending_exit {
        return Reading::Later(exit.judged_at);
    }
    match sense.runtime {
        RuntimeState::Exited
        | RuntimeState::Missing
        | RuntimeState::Created
        | RuntimeState::Restarting => Reading::Active(Bounds::between(sense.alive_at, sense.since)),
        RuntimeState::Unknown | RuntimeState::Running | RuntimeState::Paused => Reading::Clear,
    }
}

pub(super) fn describe(view: &View<'_>) -> String {
    let name = &view.service.name;
    let state = view.sense.runtime.word();
    let line = view.sense.crash_line.as_ref().map(|(_, line)| format!("; console: {line}"));
    let line = line.unwrap_or_default();
    match view.sense.exit_code {
        Some(code) => format!("{name} is {state}, exit code {code}{line}"),
        None => format!("{name} is {state}{line}"),
    }
}
