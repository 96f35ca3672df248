//! Does: looks whether a service works as players and addons see it.

use std::time::{Duration, Instant};

use super::SnapshotError;
use super::engine::Place;
use crate::observe;
use crate::report::ago;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// For a service whose start was given no time.
const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until `service` answers.
pub(super) async fn until_well(place: &Place<'_>, service: &str) -> Result<(), SnapshotError> {
    let given = place.config.file.service.get(service);
    let limit = given.and_then(|one| one.boot_grace).unwrap_or(PATIENCE).max(PATIENCE);
    let end = Instant::now() + limit;
    loop {
        let why = match look(place, service).await {
            Ok(()) => return Ok(()),
            Err(why) => why,
        };
        if Instant::now() >= end {
            let service = service.to_owned();
            return Err(SnapshotError::NotWell { service, after: ago(limit), why });
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// One look.
async fn look(place: &Place<'_>, service: &str) -> Result<(), String> {
    let container = place.docker.container(service).await.map_err(|error| error.to_string())?;
    if !container.is_some_and(|container| container.runs) {
        return Err(String::from("its container does not run"));
    }
    let Some(probes) = place.config.file.service.get(service) else { return Ok(()) };
    if let Some(a2s) = &probes.a2s {
        let asked = observe::query_a2s(&a2s.address, a2s.timeout).await;
        asked.map_err(|why| format!("A2S: {why}"))?;
    }
    if let Some(database) = &probes.database {
        let password = place.config.vault.reveal(&database.password);
        let password = password.map_err(|error| error.to_string())?;
        let asked = observe::query_database(database, &password).await;
        asked.map_err(|why| format!("database: {why}"))?;
    }
    Ok(())
}
