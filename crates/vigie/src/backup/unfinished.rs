//! Does: puts in order what a killed work left: services that it held still or had stopped, what it had
//! made beside the directory that it was about to exchange. Never touches what is in place, and never
//! what a work that still goes on has: whoever calls it has the catalog's lock.

use vigie_core::observe::RuntimeState;

use super::work::Tell;
use super::{BackupError, Catalog, State};
use crate::runtime::Runtime as _;
use crate::runtime::docker::Docker;
use crate::snapshot::exchange;

/// Whether somebody was killed in the middle.
pub(super) fn is_left(state: &State) -> bool {
    !(state.paused.is_empty() && state.stopped.is_empty() && state.exchanging.is_empty())
}

/// Puts everything in order.
///
/// # Errors
/// When a service cannot be let go on, or it cannot be noted. One that does not start is told, and tried
/// again the next time.
pub(super) async fn tidy(
    catalog: &Catalog,
    docker: Option<&Docker>,
    tell: &dyn Tell,
) -> Result<(), BackupError> {
    let state = catalog.state();
    if !is_left(&state) {
        return Ok(());
    }
    for at in &state.exchanging {
        tell.step(&format!("remove what a killed restore left beside {}", at.display()));
        exchange::abandon(at).map_err(|error| BackupError::File(at.clone(), error))?;
        catalog.remember(|state| {
            state.exchanging.remove(at);
        })?;
    }
    let Some(docker) = docker else { return Ok(()) };
    thaw(catalog, docker).await?;
    for service in &state.stopped {
        tell.step(&format!("start {service}, which a killed restore had stopped"));
        if let Err(error) = up(catalog, docker, service).await {
            tell.step(&format!("{service} does not start: {error}"));
        }
    }
    Ok(())
}

/// Lets every service go on that is held still. The caller holds the catalog's lock.
pub(super) async fn thaw(catalog: &Catalog, docker: &Docker) -> Result<(), BackupError> {
    for service in catalog.state().paused {
        // One that was started anew meanwhile is not paused any more.
        if docker.inspect(&service).await?.state == RuntimeState::Paused {
            docker.unpause(&service).await?;
        }
        catalog.remember(|state| {
            state.paused.remove(&service);
        })?;
    }
    Ok(())
}

/// Starts a service that was stopped, in a new container unless it runs by now.
async fn up(catalog: &Catalog, docker: &Docker, service: &str) -> Result<(), BackupError> {
    if !docker.container(service).await?.is_some_and(|container| container.runs) {
        docker.up(service, true).await?;
    }
    catalog.remember(|state| {
        state.stopped.remove(service);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    struct Quiet;

    impl Tell for Quiet {
        fn step(&self, _: &str) {}
    }

    #[tokio::test]
    async fn what_a_killed_restore_made_beside_goes_and_what_is_in_place_stays() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";
        let config = Config::parse(&directory.path().join("vigie.toml"), text).unwrap();
        let catalog = Catalog::open(&config).unwrap();
        let at = directory.path().join("addons");
        std::fs::create_dir(&at).unwrap();
        std::fs::write(at.join("old"), "").unwrap();
        catalog
            .remember(|state| {
                state.exchanging.insert(at.clone());
            })
            .unwrap();
        let beside = exchange::begin(&at).unwrap();
        std::fs::create_dir(&beside).unwrap();
        std::fs::write(beside.join("half"), "").unwrap();
        assert!(is_left(&catalog.state()));
        tidy(&catalog, None, &Quiet).await.unwrap();
        assert!(at.join("old").exists() && !beside.exists());
        assert!(!is_left(&catalog.state()));
    }
}
