//! Does: one step. Each arm is one call of a port; what a step means for the guards is in the core.

use std::path::Path;

use vigie_core::respond::Step;
use vigie_core::stack::ServiceId;

use super::revert;
use crate::observe::{Eyes, RconLink};
use crate::snapshot;

const NO_IMAGES: &str = "only a Docker stack has images to go back to";

/// Carries `step` out on `service`.
///
/// # Errors
/// Why it did not work, for the journal.
pub(super) async fn carry_out(eyes: &Eyes, service: ServiceId, step: &Step) -> Result<(), String> {
    let name = &eyes.config.stack.service(service).name;
    let runtime = &eyes.runtime;
    let result = match step {
        Step::Up { recreate } => runtime.up(name, *recreate).await,
        Step::DownUp => runtime.down_up().await,
        Step::Restart { kill } => runtime.restart(name, *kill).await,
        Step::Stop => runtime.stop(name).await,
        Step::Rcon { command } => return rcon(eyes, service, command).await,
        Step::Wait { time } => {
            tokio::time::sleep(*time).await;
            Ok(())
        }
        Step::RollbackImage { to, .. } => {
            let docker = runtime.docker().ok_or(NO_IMAGES)?;
            let to = to.as_deref().ok_or("no restore point is known to be good")?;
            return snapshot::image_back(&eyes.config, docker, name, to).await;
        }
        Step::ForwardImage { to } => {
            let docker = runtime.docker().ok_or(NO_IMAGES)?;
            return snapshot::image_forward(&eyes.config, docker, name, to).await;
        }
        Step::Revert { push, commit, repository } => {
            let blamed = commit.as_deref().zip(repository.as_deref());
            let (commit, repository) = blamed.ok_or("the error is blamed on no commit")?;
            return revert::revert(Path::new(repository), commit, *push).await;
        }
        Step::Unrevert { commit, repository, push } => {
            return revert::unrevert(Path::new(repository), commit, *push).await;
        }
        // The engine itself carries these out.
        Step::MarkDegraded | Step::Escalate { .. } => Ok(()),
    };
    result.map_err(|error| error.to_string())
}

async fn rcon(eyes: &Eyes, service: ServiceId, command: &str) -> Result<(), String> {
    let probe = eyes.config.service(service).and_then(|service| service.rcon.as_ref());
    let probe = probe.ok_or_else(|| String::from("the service has no rcon in vigie.toml"))?;
    let password = eyes.config.vault.reveal(&probe.password).map_err(|error| error.to_string())?;
    let mut link = RconLink::open(&probe.address, &password, probe.timeout)
        .await
        .map_err(|problem| problem.to_string())?;
    link.ask(command, probe.timeout).await.map(drop).map_err(|problem| problem.to_string())
}
