//! Does: `vigie up`: makes each service what the compose file says, what one needs before it, and goes on
//! only when it answers. The watch is told, so that it takes none of it for a fault.

mod prove;
mod watch;

use std::time::Duration;

use vigie_core::observe::{Inspection, RuntimeState};
use vigie_core::stack::ServiceId;

use crate::config::{Config, RuntimeKind};
use crate::control::ControlError;
use crate::runtime::{Runtime, RuntimeError};
use crate::store::{JournalError, Register};

pub use prove::prove;
pub use watch::Told;

/// Incidents among which a run can still be at work.
const LAST: usize = 100;

/// What keeps a stack from being what its compose file says.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The watch.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The register.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is nothing to apply.
    #[error(
        "vigie.toml names no compose file, and `vigie up` applies one; set `compose` in [stack], or \
         use `vigie start SERVICE`"
    )]
    NoCompose,
    /// A repair is under way.
    #[error(
        "vigie is repairing {0} (incident {1}); try again when it is over: vigie incident show {1}"
    )]
    Busy(String, u64),
    /// The watch will not be told.
    #[error("the watch did not take the maintenance: {0}; see: vigie status")]
    Refused(String),
    /// It does not work.
    #[error("{service} is not well: {why}; what needs it was not touched; try: vigie diagnose")]
    NotWell {
        /// The service.
        service: String,
        /// What was seen last.
        why: String,
    },
    /// The watch does not say that all is well.
    #[error("everything was applied, and the watch does not find it well: {0}; try: vigie status")]
    NotVerified(String),
}

/// What is done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Todo {
    /// It is what the compose file says, and runs.
    Leave,
    /// It is started, or made where there is none.
    Start(RuntimeState),
    /// It is made afresh.
    Recreate,
}

/// A service and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What.
    pub todo: Todo,
    /// Why, one line each.
    pub differences: Vec<String>,
}

/// What is to be done to `services` and what they need, in this order. Changes nothing.
///
/// # Errors
/// When it cannot be found out.
pub async fn plan(
    config: &Config,
    runtime: &dyn Runtime,
    services: &[ServiceId],
) -> Result<Vec<Planned>, UpError> {
    let stack = &config.file.stack;
    if stack.runtime != RuntimeKind::Docker || stack.compose.is_none() {
        return Err(UpError::NoCompose);
    }
    runtime.ping().await?;
    let mut planned = Vec::new();
    for id in config.stack.in_order(services) {
        let name = config.stack.service(id).name.clone();
        let seen = runtime.inspect(&name).await?;
        let differences = runtime.drift(&name).await?;
        let todo = todo(&seen, &differences);
        planned.push(Planned { id, name, todo, differences });
    }
    Ok(planned)
}

fn todo(seen: &Inspection, differences: &[String]) -> Todo {
    match seen.state {
        _ if !differences.is_empty() => Todo::Recreate,
        RuntimeState::Running | RuntimeState::Restarting => Todo::Leave,
        state => Todo::Start(state),
    }
}

/// Refuses while a run of vigie's holds the stack: two hands at a time would undo each other.
///
/// # Errors
/// When one does.
pub fn refuse_while_repairing(config: &Config) -> Result<(), UpError> {
    for row in Register::open(&config.journal())?.list(LAST)? {
        if let Some(run) = row.runs.iter().find(|run| run.holds_stack()) {
            return Err(UpError::Busy(run.service.clone(), run.incident.0));
        }
    }
    Ok(())
}

/// Does to one service what is planned, and waits until it answers; what it says then.
///
/// # Errors
/// When it does not come up, or does not answer in its time.
pub async fn apply(
    config: &Config,
    runtime: &dyn Runtime,
    planned: &Planned,
) -> Result<Vec<String>, UpError> {
    match planned.todo {
        Todo::Leave => {}
        Todo::Start(_) => runtime.up(&planned.name, false).await?,
        Todo::Recreate => runtime.up(&planned.name, true).await?,
    }
    prove(config, runtime, planned.id, limit(config, planned.id))
        .await
        .map_err(|why| UpError::NotWell { service: planned.name.clone(), why })
}

/// The time that a service has to answer.
#[must_use]
pub fn limit(config: &Config, id: ServiceId) -> Duration {
    config.stack.service(id).boot_grace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_made_afresh_and_what_does_not_run_is_started() {
        let seen = |state| Inspection { state, ..Inspection::default() };
        let differs = [String::from("the variable MAP differs")];
        assert_eq!(todo(&seen(RuntimeState::Running), &[]), Todo::Leave);
        assert_eq!(todo(&seen(RuntimeState::Running), &differs), Todo::Recreate);
        assert_eq!(todo(&seen(RuntimeState::Exited), &differs), Todo::Recreate);
        let missing = RuntimeState::Missing;
        assert_eq!(todo(&seen(missing), &[]), Todo::Start(missing));
    }
}
