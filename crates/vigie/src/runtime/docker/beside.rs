//! Does: a second project on the engine of the living one: another compose file under another name, where
//! its containers are reached, and its removal with everything that it made. Never touches what has not
//! its label.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker as Api;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptions, RemoveVolumeOptions,
};
use vigie_core::drift::Generation;

use super::engine::is_missing;
use super::find::PROJECT;
use super::{Docker, DockerConfig, DockerService, says_no};
use crate::runtime::RuntimeError;

/// What a killed container, and what it wrote, may take to be gone.
const GONE: Duration = Duration::from_secs(120);
/// Rounds of removing: a network goes when nobody is in it any more.
const ROUNDS: u32 = 3;

/// What a drill has to know of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Where it keeps volumes and images.
    pub root: PathBuf,
    /// Whether it runs without root, so that its networks cannot be reached from the host.
    pub rootless: bool,
}

impl Docker {
    /// What Compose prints of the project, and which Compose.
    ///
    /// # Errors
    /// When Compose does not read it.
    pub async fn printed(&self) -> Result<(String, Generation), RuntimeError> {
        let compose = self.compose.as_ref().ok_or_else(|| {
            let why = "vigie.toml names no compose file; set `compose` in [stack]";
            says_no("reading the compose file for", "the stack", why)
        })?;
        compose.printed().await
    }

    /// A runtime of the same engine for the project `name` of another compose file.
    ///
    /// # Errors
    /// When the engine's address cannot be one.
    pub fn beside(
        &self,
        file: PathBuf,
        name: &str,
        services: &[String],
    ) -> Result<Self, RuntimeError> {
        let directory = file.parent().map(std::path::Path::to_owned).unwrap_or_default();
        let service = |name: &String| DockerService {
            name: name.clone(),
            container: None,
            has_dependencies: false,
        };
        Self::connect(DockerConfig {
            host: Some(self.engine.host().to_owned()),
            compose_file: Some(file),
            project: Some(name.to_owned()),
            directory,
            services: services.iter().map(service).collect(),
        })
    }

    /// What the engine says of itself.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn ground(&self) -> Result<Ground, RuntimeError> {
        let docker = self.engine.docker().await?;
        let info = self.engine.limit("asking", "the engine", docker.info()).await?;
        let options = info.security_options.unwrap_or_default();
        Ok(Ground {
            root: PathBuf::from(info.docker_root_dir.unwrap_or_default()),
            rootless: options.iter().any(|option| option.contains("rootless")),
        })
    }

    /// An address of the container of `service` in one of its networks; none where it is in none.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn address(&self, service: &str) -> Result<Option<IpAddr>, RuntimeError> {
        let Some((_, seen)) = self.look(service).await? else { return Ok(None) };
        let networks = seen.network_settings.and_then(|settings| settings.networks);
        let mut found: Vec<_> = networks.unwrap_or_default().into_iter().collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let mut addresses = found.into_iter().filter_map(|(_, one)| one.ip_address?.parse().ok());
        Ok(addresses.next())
    }

    /// Removes the project `name`: containers with what they wrote, networks, volumes. Says what could not
    /// be removed.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn remove_project(&self, name: &str) -> Result<Vec<String>, RuntimeError> {
        let docker = self.engine.docker_for(GONE).await?;
        for _ in 0..ROUNDS {
            let left = self.of_project(&docker, name).await?;
            if left.is_empty() {
                return Ok(Vec::new());
            }
            for one in left {
                // What could not go now is seen in the next round, and told in the end.
                let _ = self.removed(&docker, &one).await;
            }
        }
        let left = self.of_project(&docker, name).await?;
        Ok(left
            .into_iter()
            .map(|Piece { kind, name, .. }| format!("{} {name}", kind.word()))
            .collect())
    }

    async fn removed(&self, docker: &Api, piece: &Piece) -> Result<(), RuntimeError> {
        let (id, what) = (piece.id.as_str(), "removing");
        let done = async {
            let done = match piece.kind {
                Kind::Container => {
                    let all = RemoveContainerOptions { v: true, force: true, ..Default::default() };
                    docker.remove_container(id, Some(all)).await
                }
                Kind::Network => docker.remove_network(id).await,
                Kind::Volume => docker.remove_volume(id, None::<RemoveVolumeOptions>).await,
            };
            match done {
                Err(error) if is_missing(&error) => Ok(()),
                other => other,
            }
        };
        self.engine.within(GONE, what, &piece.name, done).await
    }

    /// What the project has, containers first: they hold the rest.
    async fn of_project(&self, docker: &Api, name: &str) -> Result<Vec<Piece>, RuntimeError> {
        let filters = HashMap::from([("label", vec![format!("{PROJECT}={name}")])]);
        let what = "listing";
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let containers = docker.list_containers(Some(options));
        let containers = self.engine.limit(what, "containers", containers).await?;
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = docker.list_networks(Some(options));
        let networks = self.engine.limit(what, "networks", networks).await?;
        let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let volumes = docker.list_volumes(Some(options));
        let volumes = self.engine.limit(what, "volumes", volumes).await?;
        let piece = |kind, id: Option<String>, name: Option<String>| {
            Some(Piece { kind, name: name.unwrap_or_default(), id: id? })
        };
        let containers = containers.into_iter().filter_map(|one| {
            let name = one.names.unwrap_or_default().into_iter().next();
            piece(Kind::Container, one.id, name.map(|name| name.trim_start_matches('/').to_owned()))
        });
        let networks =
            networks.into_iter().filter_map(|one| piece(Kind::Network, one.id, one.name));
        let volumes = volumes.volumes.unwrap_or_default().into_iter();
        let volumes =
            volumes.filter_map(|one| piece(Kind::Volume, Some(one.name.clone()), Some(one.name)));
        Ok(containers.chain(networks).chain(volumes).collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Network,
    Volume,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Container => "the container",
            Self::Network => "the network",
            Self::Volume => "the volume",
        }
    }
}

/// Something of a project.
#[derive(Debug)]
struct Piece {
    kind: Kind,
    id: String,
    name: String,
}
