//! Does: runs services with Docker: events, looks and consoles through the engine's API, changes
//! through Compose, because only Compose applies what the compose file says.

mod bare;
mod beside;
mod compose;
mod drift;
mod engine;
mod events;
mod exec;
mod facts;
#[cfg(test)]
pub(crate) mod fake_engine;
pub(crate) mod files;
mod find;
mod image;
mod inspect;
mod keep;
mod layers;
mod logs;
mod order;
mod registry;
mod save;
mod scratch;
#[cfg(test)]
mod tests;
mod usage;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::KillContainerOptionsBuilder;
use bytes::Bytes;
use vigie_core::observe::{Inspection, RuntimeState};

use super::{Feed, LogLine, LogPosition, News, Runtime, RuntimeError, Usage};
pub use bare::Room;
pub use beside::Ground;
pub use exec::{Ended, Program};
pub use keep::{Container, Image, Volume};

use compose::Compose;
use engine::{Engine, refused};
use find::Finder;
pub use image::images;
pub use layers::{Layer, Picture, Reach};
pub use registry::{Logins, Transfer};
pub use scratch::Scratch;

/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// One service.
#[derive(Debug, Clone)]
pub struct DockerService {
    /// Its name in the compose file.
    pub name: String,
    /// Its container's name, where the user gave one.
    pub container: Option<String>,
    /// Whether the compose file says that it needs other services.
    pub has_dependencies: bool,
}

/// Which engine and which project.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    /// The engine's address; `DOCKER_HOST`, then the usual socket without it.
    pub host: Option<String>,
    /// The compose file; without one, containers are only started and stopped.
    pub compose_file: Option<PathBuf>,
    /// The compose project's name, when it is not the directory's.
    pub project: Option<String>,
    /// The project's directory.
    pub directory: PathBuf,
    /// The services.
    pub services: Vec<DockerService>,
}

/// The runtime; cheap to clone.
#[derive(Debug, Clone)]
pub struct Docker {
    engine: Engine,
    finder: Arc<Finder>,
    compose: Option<Arc<Compose>>,
    usage: Arc<usage::Samples>,
    // Whether it was said that console positions lie in the future.
    consoles_ahead: Arc<AtomicBool>,
}

impl Docker {
    /// A runtime for `config`. The engine need not be there yet.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn connect(config: DockerConfig) -> Result<Self, RuntimeError> {
        let engine = Engine::at(config.host.as_deref())?;
        // What Compose takes for the project's directory, and labels its containers with.
        let directory = config.compose_file.as_ref().and_then(|file| file.parent());
        let directory = directory.filter(|directory| directory.is_absolute());
        let directory = directory.unwrap_or(&config.directory).to_owned();
        let compose = config.compose_file.map(|file| {
            Arc::new(Compose::new(
                file,
                config.project.clone(),
                config.directory.clone(),
                engine.host().to_owned(),
            ))
        });
        let finder = Finder::new(config.services, config.project, &directory);
        Ok(Self {
            engine,
            finder: Arc::new(finder),
            compose,
            usage: Arc::default(),
            consoles_ahead: Arc::default(),
        })
    }

    /// The container of a service of the stack, or `None` when there is none.
    async fn id(&self, service: &str) -> Result<Option<String>, RuntimeError> {
        self.finder.find(&self.engine, service).await
    }

    /// The service's container and what it is now, or `None` when there is none.
    async fn look(
        &self,
        service: &str,
    ) -> Result<Option<(String, ContainerInspectResponse)>, RuntimeError> {
        for _ in 0..2 {
            let Some(id) = self.id(service).await? else { return Ok(None) };
            if let Some(seen) = inspect::container(&self.engine, service, &id).await? {
                return Ok(Some((id, seen)));
            }
            // Recreated since it was found: found again, once.
            self.finder.forget(service);
        }
        Ok(None)
    }

    async fn existing(&self, what: &'static str, service: &str) -> Result<String, RuntimeError> {
        self.existing_seen(what, service).await.map(|(id, _)| id)
    }

    async fn existing_seen(
        &self,
        what: &'static str,
        service: &str,
    ) -> Result<(String, ContainerInspectResponse), RuntimeError> {
        self.look(service).await?.ok_or_else(|| RuntimeError::Refused {
            what,
            service: service.to_owned(),
            why: String::from("it has no container; `docker compose up -d` makes one"),
        })
    }

    async fn start(&self, service: &str) -> Result<(), RuntimeError> {
        let id = self.existing("starting", service).await?;
        let docker = self.engine.docker().await?;
        // A container that runs already answers 304, which is a success.
        let started = docker.start_container(&id, None);
        self.engine.limit("starting", service, started).await
    }

    async fn running(&self, service: &str) -> Result<bool, RuntimeError> {
        Ok(self.inspect(service).await?.state == RuntimeState::Running)
    }
}

#[async_trait]
impl Runtime for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn docker(&self) -> Option<&Docker> {
        Some(self)
    }

    async fn ping(&self) -> Result<String, RuntimeError> {
        let docker = self.engine.docker().await?;
        let version = self.engine.limit("asking", "the engine", docker.version()).await?;
        Ok(version.version.unwrap_or_default())
    }

    async fn events(&self, since: Option<i64>) -> Result<Feed<News>, RuntimeError> {
        events::follow(&self.engine, Arc::clone(&self.finder), since).await
    }

    async fn inspect(&self, service: &str) -> Result<Inspection, RuntimeError> {
        let found = match self.look(service).await {
            // What is not part of the stack does not exist: a state, not an error.
            Err(RuntimeError::Unknown { .. }) => None,
            found => found?,
        };
        let missing = || Inspection { state: RuntimeState::Missing, ..Inspection::default() };
        Ok(found.map_or_else(missing, |(_, seen)| inspect::inspection(&seen)))
    }

    async fn usage(&self, service: &str) -> Result<Option<Usage>, RuntimeError> {
        let Some(id) = self.id(service).await? else { return Ok(None) };
        if let Some(used) = self.usage.take(&self.engine, service, &id).await? {
            return Ok(Some(used));
        }
        match self.look(service).await? {
            Some((now, _)) if now != id => self.usage.take(&self.engine, service, &now).await,
            _ => Ok(None),
        }
    }

    async fn logs(
        &self,
        service: &str,
        from: Option<LogPosition>,
    ) -> Result<Feed<LogLine>, RuntimeError> {
        let id = self.existing("reading the console of", service).await?;
        logs::follow(&self.engine, &id, from, &self.consoles_ahead).await
    }

    async fn tail(&self, service: &str, lines: usize) -> Result<Vec<Bytes>, RuntimeError> {
        let Some((id, _)) = self.look(service).await? else { return Ok(Vec::new()) };
        logs::tail(&self.engine, service, &id, lines).await
    }

    async fn up(&self, service: &str, recreate: bool) -> Result<(), RuntimeError> {
        self.finder.known(service)?;
        let Some(compose) = &self.compose else { return self.start(service).await };
        // The engine tells a death before it is in the list by which Compose decides that there is
        // nothing to do. An answer about the container itself comes when it is in there.
        self.look(service).await?;
        let done = compose.up(service, recreate).await;
        // Not forgotten: what is told of the old container now must not be taken for the new one's.
        let _ = self.finder.find_afresh(&self.engine, service).await;
        match done {
            // Docker's own policy may have started it in the same moment: what was wanted is so.
            Err(_) if !recreate && self.running(service).await.unwrap_or(false) => Ok(()),
            done => done,
        }
    }

    async fn down_up(&self) -> Result<(), RuntimeError> {
        let compose = self.compose.as_ref().ok_or_else(|| RuntimeError::Refused {
            what: "taking down and up",
            service: String::from("the stack"),
            why: String::from("vigie.toml names no compose file"),
        })?;
        let done = compose.down_up().await;
        self.finder.forget_all();
        done
    }

    async fn restart(&self, service: &str, kill: bool) -> Result<(), RuntimeError> {
        let (id, seen) = self.existing_seen("restarting", service).await?;
        if !kill {
            let limit = inspect::end_limit(&seen);
            let docker = self.engine.docker_for(limit).await?;
            // No time is given: the container's own `stop_grace_period` holds.
            let restarted = docker.restart_container(&id, None);
            return self.engine.within(limit, "restarting", service, restarted).await;
        }
        let docker = self.engine.docker().await?;
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let killed = docker.kill_container(&id, Some(options));
        match self.engine.limit("killing", service, killed).await {
            // It is dead already, which is what was wanted.
            Err(RuntimeError::Refused { .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        let gone = async {
            while self.running(service).await? {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, RuntimeError>(())
        };
        // Docker's own policy may start it again faster than it can be seen gone.
        let _ = tokio::time::timeout(GONE, gone).await;
        self.start(service).await
    }

    async fn stop(&self, service: &str) -> Result<(), RuntimeError> {
        let (id, seen) = self.existing_seen("stopping", service).await?;
        let limit = inspect::end_limit(&seen);
        let docker = self.engine.docker_for(limit).await?;
        let stopped = docker.stop_container(&id, None);
        self.engine.within(limit, "stopping", service, stopped).await?;
        // The engine answers when the process is gone, and may tell its death a moment later. An
        // answer about the container comes behind that.
        inspect::container(&self.engine, service, &id).await.map(drop)
    }

    async fn drift(&self, service: &str) -> Result<Vec<String>, RuntimeError> {
        drift::drift(self, service).await
    }
}

/// An error that says no.
fn says_no(what: &'static str, service: &str, why: impl ToString) -> RuntimeError {
    refused(what, service, &why.to_string())
}
