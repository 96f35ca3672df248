//! Does: a container of its own for a drill: from a service's image and with its environment, without
//! network and ports, with no mount of this host but one that is asked for, and gone afterwards. What a killed drill left is removed by the next one.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptionsBuilder, RemoveContainerOptions,
};
use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;

use super::{Docker, Ended, Program};
use crate::runtime::RuntimeError;

/// Says whose it is: the process that made it.
const LABEL: &str = "vigie.scratch";
/// What one does that does nothing.
const IDLE: [&str; 3] = ["tail", "-f", "/dev/null"];
/// Bytes of memory that it may take.
const MEMORY: i64 = 1 << 30;

/// A scratch container; [`Scratch::remove`] removes it.
pub struct Scratch<'a> {
    docker: &'a Docker,
    id: String,
    env: Vec<String>,
}

impl std::fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> Scratch<'a> {
    /// A variable of its environment, which is that of the service's own container.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.iter().find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
    }

    /// Starts one from the image that `service` runs, with the environment that it has.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn start(docker: &'a Docker, service: &str) -> Result<Self, RuntimeError> {
        Self::begun(docker, service, None).await
    }

    /// One that does nothing by itself, as root, with the directory of this host that `mount` names at a
    /// place in it. Its service may be stopped meanwhile.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn idle(
        docker: &'a Docker,
        service: &str,
        mount: Option<(&Path, &str)>,
    ) -> Result<Self, RuntimeError> {
        let mounts = mount.map(|(source, target)| Mount {
            target: Some(target.to_owned()),
            source: Some(source.display().to_string()),
            typ: Some(MountType::BIND),
            ..Mount::default()
        });
        Self::begun(docker, service, Some(mounts.into_iter().collect())).await
    }

    /// Mounts are those of one that does nothing by itself.
    async fn begun(
        docker: &'a Docker,
        service: &str,
        mounts: Option<Vec<Mount>>,
    ) -> Result<Self, RuntimeError> {
        sweep(docker).await?;
        let (_, seen) = docker.existing_seen("trying a backup of", service).await?;
        let env = seen.config.and_then(|config| config.env).unwrap_or_default();
        let idle = mounts.is_some();
        let body = ContainerCreateBody {
            image: seen.image,
            entrypoint: idle.then(|| IDLE.map(str::to_owned).into()),
            // An empty one: the image's own words are for its own entry point.
            cmd: idle.then(Vec::new),
            user: idle.then(|| String::from("0")),
            env: Some(env.clone()),
            labels: Some(HashMap::from([(LABEL.to_owned(), std::process::id().to_string())])),
            host_config: Some(HostConfig {
                network_mode: Some(String::from("none")),
                memory: Some(MEMORY),
                mounts,
                init: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let what = "starting a scratch server of";
        let engine = docker.engine.docker().await?;
        let made = engine.create_container(None::<CreateContainerOptions>, body);
        let id = docker.engine.limit(what, service, made).await?.id;
        let scratch = Self { docker, id, env };
        let started = engine.start_container(&scratch.id, None);
        if let Err(error) = docker.engine.limit(what, service, started).await {
            let _ = scratch.remove().await;
            return Err(error);
        }
        Ok(scratch)
    }

    /// Runs `program` in it.
    ///
    /// # Errors
    /// What the engine says; a program that fails is none.
    pub async fn exec(
        &self,
        program: &Program,
        input: Option<Box<dyn AsyncRead + Send + Unpin>>,
        output: Option<mpsc::Sender<Bytes>>,
    ) -> Result<Ended, RuntimeError> {
        self.docker.exec_in(&self.id, "a scratch server", program, input, output).await
    }

    /// Removes it with all that it wrote.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn remove(self) -> Result<(), RuntimeError> {
        remove(self.docker, &self.id).await
    }
}

async fn remove(docker: &Docker, id: &str) -> Result<(), RuntimeError> {
    let options =
        RemoveContainerOptions { v: true, force: true, ..RemoveContainerOptions::default() };
    let engine = docker.engine.docker().await?;
    let removed = engine.remove_container(id, Some(options));
    docker.engine.limit("removing", "a scratch server", removed).await
}

/// Removes what drills left that were killed.
async fn sweep(docker: &Docker) -> Result<(), RuntimeError> {
    let filters = HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let engine = docker.engine.docker().await?;
    let listed = engine.list_containers(Some(options));
    let listed = docker.engine.limit("listing", "scratch servers", listed).await?;
    for one in listed {
        let owner = one.labels.and_then(|labels| labels.get(LABEL)?.parse::<u32>().ok());
        let lives = owner.is_some_and(|owner| Path::new(&format!("/proc/{owner}")).exists());
        if let (false, Some(id)) = (lives, one.id) {
            remove(docker, &id).await?;
        }
    }
    Ok(())
}
