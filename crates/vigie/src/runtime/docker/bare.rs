//! Does: what a host needs of the engine before a project starts there for the first time: whether
//! anything of it is there, and its volumes, made as Compose would make them. Never removes anything.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::ListContainersOptionsBuilder;
use vigie_core::drift::{Declared, Keeping, Layout, keeping};

use super::engine::{is_missing, refused};
use super::find::PROJECT;
use super::{Docker, says_no};
use crate::runtime::RuntimeError;

/// How Compose labels a volume with its name in the compose file.
const VOLUME: &str = "com.docker.compose.volume";

/// Where the files of a volume are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The directory on the engine's machine.
    pub at: PathBuf,
    /// Whether they are there also while no container has the volume.
    pub always: bool,
}

impl Docker {
    /// What the project's compose file needs; `named` is the project's name where only its directory
    /// says it.
    ///
    /// # Errors
    /// When Compose does not read it.
    pub async fn layout(&self, named: &str) -> Result<Layout, RuntimeError> {
        let compose = self.compose.as_ref().ok_or_else(|| {
            let why = "vigie.toml names no compose file; set `compose` in [stack]";
            refused("reading the compose file for", "the stack", why)
        })?;
        compose.layout(named).await
    }

    /// Brings up every service of the compose file that does not run, and leaves the others alone.
    ///
    /// # Errors
    /// What Compose says.
    pub async fn up_rest(&self) -> Result<(), RuntimeError> {
        match &self.compose {
            Some(compose) => compose.up_rest().await,
            None => Ok(()),
        }
    }

    /// The first of these variables that the container of `service` was made with.
    ///
    /// # Errors
    /// What the engine says, or that there is no container.
    pub async fn variable(
        &self,
        service: &str,
        names: &[&str],
    ) -> Result<Option<String>, RuntimeError> {
        let (_, seen) = self.existing_seen("asking for the environment of", service).await?;
        let all = seen.config.and_then(|config| config.env).unwrap_or_default();
        let value = |name: &&str| {
            all.iter().find_map(|one| Some(one.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
        };
        Ok(names.iter().find_map(value))
    }

    /// The names of the containers, running or not, that are in the way of a project: its own, and
    /// others' that have the name of one.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn containers_of(&self, layout: &Layout) -> Result<Vec<String>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let listed = docker.list_containers(Some(options));
        let listed = self.engine.limit("listing", "containers", listed).await?;
        let wanted: Vec<_> =
            layout.services.values().filter_map(|one| one.container.as_deref()).collect();
        let mut found: Vec<String> = Vec::new();
        for one in listed {
            let names = one.names.unwrap_or_default();
            let name = names.first().map_or("", String::as_str).trim_start_matches('/');
            let project = one.labels.as_ref().and_then(|labels| labels.get(PROJECT));
            if project == Some(&layout.project) || wanted.contains(&name) {
                found.push(name.to_owned());
            }
        }
        found.sort();
        Ok(found)
    }

    /// The names of the containers, running or not, that were made from the image `id`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn made_from(&self, id: &str) -> Result<Vec<String>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let listed = docker.list_containers(Some(options));
        let listed = self.engine.limit("listing", "containers", listed).await?;
        let mine = listed.into_iter().filter(|one| one.image_id.as_deref() == Some(id));
        let mut names: Vec<String> = mine
            .filter_map(|one| Some(one.names?.first()?.trim_start_matches('/').to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Where the files of the volume called `name` are on the engine's machine, or `None` when there is none.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn volume(&self, name: &str) -> Result<Option<Room>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let asked = async {
            match docker.inspect_volume(name).await {
                Err(error) if is_missing(&error) => Ok(None),
                other => other.map(Some),
            }
        };
        let seen = self.engine.limit("asking for the volume", name, asked).await?;
        Ok(seen.map(|volume| room(&volume)))
    }

    /// Makes a volume as Compose would, and says where it is; one that is there already is left as it
    /// is.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn make_volume(
        &self,
        project: &str,
        volume: &Declared,
    ) -> Result<PathBuf, RuntimeError> {
        if let Some(room) = self.volume(&volume.name).await? {
            return Ok(room.at);
        }
        let labels = HashMap::from([
            (PROJECT.to_owned(), project.to_owned()),
            (VOLUME.to_owned(), volume.key.clone()),
        ]);
        let options = volume.options.iter().map(|(key, value)| (key.clone(), value.clone()));
        let request = VolumeCreateRequest {
            name: Some(volume.name.clone()),
            driver: volume.driver.clone(),
            driver_opts: Some(options.collect()),
            // What Compose only uses is not its own.
            labels: (!volume.external).then_some(labels),
            ..VolumeCreateRequest::default()
        };
        let docker = self.engine.docker().await?;
        let made = docker.create_volume(request);
        let made = self.engine.limit("making the volume", &volume.name, made).await?;
        if made.mountpoint.is_empty() {
            let why = "the engine does not say where it is on this machine";
            return Err(says_no("making the volume", &volume.name, why));
        }
        Ok(room(&made).at)
    }
}

fn room(volume: &bollard::models::Volume) -> Room {
    let options: BTreeMap<String, String> = volume.options.clone().into_iter().collect();
    let own = || PathBuf::from(&volume.mountpoint);
    match keeping(Some(&volume.driver), &options) {
        Keeping::Own => Room { at: own(), always: true },
        Keeping::Directory(at) => Room { at: at.into(), always: true },
        Keeping::Memory | Keeping::Elsewhere(_) => Room { at: own(), always: false },
    }
}
