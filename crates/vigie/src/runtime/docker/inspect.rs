//! Does: one look at a container.

use std::time::Duration;

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, HealthStatusEnum,
    RestartPolicyNameEnum as Policy,
};
use vigie_core::observe::{Health, Inspection, RuntimeState};

use super::engine::{Engine, is_missing};
use crate::runtime::RuntimeError;

/// The engine's own patience, where the container has none of its own.
const GRACE: Duration = Duration::from_secs(10);
const MARGIN: Duration = Duration::from_secs(35);
/// Below the time that the core gives a step: who gives up first says why.
const MOST: Duration = Duration::from_secs(170);

/// The engine's word; `None` when the container is gone.
pub(super) async fn container(
    engine: &Engine,
    service: &str,
    id: &str,
) -> Result<Option<ContainerInspectResponse>, RuntimeError> {
    let docker = engine.docker().await?;
    let asked = async {
        match docker.inspect_container(id, None).await {
            Err(error) if is_missing(&error) => Ok(None),
            other => other.map(Some),
        }
    };
    engine.limit("inspecting", service, asked).await
}

/// How long asking the container's process to end may take: its own `stop_grace_period`, after which
/// the engine kills it, and what the engine needs for that.
pub(super) fn end_limit(seen: &ContainerInspectResponse) -> Duration {
    let own = seen.config.as_ref().and_then(|config| config.stop_timeout);
    // A negative one is "for ever".
    let grace = own.map_or(GRACE, |own| u64::try_from(own).map_or(MOST, Duration::from_secs));
    grace.saturating_add(MARGIN).min(MOST)
}

pub(super) fn inspection(seen: &ContainerInspectResponse) -> Inspection {
    let state = seen.state.clone().unwrap_or_default();
    let word = match state.status {
        Some(Status::RUNNING | Status::STOPPING) => RuntimeState::Running,
        Some(Status::CREATED) => RuntimeState::Created,
        Some(Status::PAUSED) => RuntimeState::Paused,
        Some(Status::RESTARTING) => RuntimeState::Restarting,
        Some(Status::EXITED | Status::DEAD | Status::REMOVING) => RuntimeState::Exited,
        Some(Status::EMPTY) | None => RuntimeState::Unknown,
    };
    let health = match state.health.as_ref().and_then(|health| health.status) {
        Some(HealthStatusEnum::STARTING) => Health::Starting,
        Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
        Some(HealthStatusEnum::EMPTY | HealthStatusEnum::NONE) | None => Health::None,
    };
    let runs = word == RuntimeState::Running;
    let policy = seen.host_config.as_ref().and_then(|host| host.restart_policy.as_ref()?.name);
    Inspection {
        state: word,
        exit_code: state
            .exit_code
            .filter(|_| !runs && word != RuntimeState::Paused)
            .and_then(|code| i32::try_from(code).ok()),
        oom_killed: state.oom_killed.unwrap_or(false) && !runs,
        health,
        up_for: state.started_at.filter(|_| runs).and_then(|text| up_for(&text.to_string())),
        restarts: seen.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        restarts_itself: matches!(
            policy,
            Some(Policy::ALWAYS | Policy::UNLESS_STOPPED | Policy::ON_FAILURE)
        ),
    }
}

/// Whether a health check runs in the container.
pub(super) fn has_healthcheck(state: Option<&bollard::models::ContainerState>) -> bool {
    let health = state.and_then(|state| state.health.as_ref()?.status);
    !matches!(health, Some(HealthStatusEnum::EMPTY | HealthStatusEnum::NONE) | None)
}

fn up_for(started: &str) -> Option<Duration> {
    let started: jiff::Timestamp = started.parse().ok()?;
    jiff::Timestamp::now().duration_since(started).try_into().ok()
}
