//! Does: what a restore point needs of the engine: containers made into images, images looked up, named
//! and removed, and where the volumes are on this machine.

use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{ContainerConfig, ContainerInspectResponse, ImageInspect};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptions, RemoveImageOptions, TagImageOptionsBuilder,
};

use super::Docker;
use super::engine::is_missing;
use crate::runtime::RuntimeError;

/// A container of 8 GB is made into an image within this.
const COMMIT: Duration = Duration::from_secs(1_800);
/// Changed paths that are told.
const CHANGES: usize = 2_000;

/// A named volume of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Where it is on the engine's machine.
    pub source: PathBuf,
    /// Where it is in the container.
    pub target: String,
}

/// A container as a restore point sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The image it was made from, as the compose file calls it.
    pub image: String,
    /// That image's digest.
    pub image_id: String,
    /// Whether its process lives.
    pub runs: bool,
    /// When its process was last started, in milliseconds since 1970.
    pub started: Option<i64>,
    /// Its named volumes.
    pub volumes: Vec<Volume>,
    /// Its bind mounts: here and there.
    pub binds: Vec<(PathBuf, String)>,
    /// The directory in which its process begins: where its image has what it is about.
    pub content: Option<String>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub id: String,
    /// Bytes of all its layers.
    pub size: u64,
    /// Its layers' digests, lowest first.
    pub layers: Vec<String>,
    /// What registries call it: `name@sha256:…`.
    pub registries: Vec<String>,
    /// When it was made, in milliseconds since 1970, where it says so.
    pub made: Option<i64>,
}

impl Docker {
    /// The container of `service`, or `None` when there is none.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn container(&self, service: &str) -> Result<Option<Container>, RuntimeError> {
        let Some((_, seen)) = self.look(service).await? else { return Ok(None) };
        let mut container = container(seen);
        for volume in &mut container.volumes {
            // The engine names its own directory, into which another one may be mounted meanwhile.
            if let Some(room) = self.volume(&volume.name).await? {
                volume.source = room.at;
            }
        }
        Ok(Some(container))
    }

    /// Makes the container of `service` into the image `repository:tag`; its process is only paused if
    /// that is asked. Says the new image's digest.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn commit(
        &self,
        service: &str,
        repository: &str,
        tag: &str,
        pause: bool,
    ) -> Result<String, RuntimeError> {
        let (id, _) = self.existing_seen("committing", service).await?;
        let options = CommitContainerOptionsBuilder::new()
            .container(&id)
            .repo(repository)
            .tag(tag)
            .pause(pause)
            .build();
        let docker = self.engine.docker_for(COMMIT).await?;
        let commit = docker.commit_container(options, ContainerConfig::default());
        Ok(self.engine.within(COMMIT, "committing", service, commit).await?.id)
    }

    /// What the container of `service` has changed in its image's files: `C /etc/passwd`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn changes(&self, service: &str) -> Result<Vec<String>, RuntimeError> {
        let (id, _) = self.existing_seen("comparing", service).await?;
        let docker = self.engine.docker_for(COMMIT).await?;
        let asked = docker.container_changes(&id);
        let changes = self.engine.within(COMMIT, "comparing", service, asked).await?;
        let told = changes.unwrap_or_default().into_iter().map(|change| {
            let kind = match i64::from(change.kind as i32) {
                0 => 'C',
                1 => 'A',
                _ => 'D',
            };
            format!("{kind} {}", crate::text::printable(&change.path))
        });
        Ok(told.take(CHANGES).collect())
    }

    /// The image called `reference` (a name with a tag, or a digest), or `None`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn image(&self, reference: &str) -> Result<Option<Image>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let asked = async {
            match docker.inspect_image(reference).await {
                Err(error) if is_missing(&error) => Ok(None),
                other => other.map(Some),
            }
        };
        let seen = self.engine.limit("asking for the image", reference, asked).await?;
        Ok(seen.map(image))
    }

    /// The tags under which the engine has images called `repository`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let asked = docker.list_images(None::<ListImagesOptions>);
        let images = self.engine.limit("asking for the images", repository, asked).await?;
        let names = images.iter().flat_map(|image| &image.repo_tags);
        let tags = names.filter_map(|name| name.strip_prefix(repository)?.strip_prefix(':'));
        let mut tags: Vec<_> = tags.map(str::to_owned).collect();
        tags.sort();
        Ok(tags)
    }

    /// Lets `repository:tag` name the image `id`.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn tag(&self, id: &str, repository: &str, tag: &str) -> Result<(), RuntimeError> {
        let docker = self.engine.docker().await?;
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        self.engine.limit("naming the image", id, docker.tag_image(id, Some(options))).await
    }

    /// Takes the name `reference` from its image, and removes the image when it was its last one. One
    /// that is not there is no error; one that a container has is.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn remove_image(&self, reference: &str) -> Result<(), RuntimeError> {
        let docker = self.engine.docker_for(COMMIT).await?;
        let removed = async {
            match docker.remove_image(reference, None::<RemoveImageOptions>, None).await {
                Err(error) if is_missing(&error) => Ok(()),
                other => other.map(drop),
            }
        };
        self.engine.within(COMMIT, "removing the image", reference, removed).await
    }
}

fn millis(at: &str) -> Option<i64> {
    at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

fn container(seen: ContainerInspectResponse) -> Container {
    let config = seen.config.unwrap_or_default();
    let state = seen.state.unwrap_or_default();
    let mounts = seen.mounts.unwrap_or_default();
    let (mut volumes, mut binds) = (Vec::new(), Vec::new());
    for mount in mounts {
        let (Some(source), Some(target)) = (mount.source, mount.destination) else { continue };
        match mount.name {
            Some(name) => volumes.push(Volume { name, source: source.into(), target }),
            None => binds.push((source.into(), target)),
        }
    }
    volumes.sort_by(|one, other| one.name.cmp(&other.name));
    binds.sort();
    Container {
        image: config.image.unwrap_or_default(),
        image_id: seen.image.unwrap_or_default(),
        runs: state.running.unwrap_or_default(),
        started: state.started_at.and_then(|at| millis(&at.to_string())),
        volumes,
        binds,
        content: config.working_dir.filter(|at| !at.is_empty() && at != "/"),
    }
}

fn image(seen: ImageInspect) -> Image {
    Image {
        id: seen.id.unwrap_or_default(),
        size: seen.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        layers: seen.root_fs.and_then(|root| root.layers).unwrap_or_default(),
        registries: seen.repo_digests.unwrap_or_default(),
        made: seen.created.and_then(|at| millis(&at.to_string())),
    }
}
