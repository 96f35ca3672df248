//! Does: brings a backup back: beside what is there, or in its place. In place, what was there is kept
//! first, and the change is one moment: whoever is killed before it has changed nothing.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use vigie_backup::Repository;
use vigie_core::backup::Kind;

use super::database::play;
use super::keep::{client, tools};
use super::manifest::{DUMP, Manifest};
use super::work::Tell;
use super::{BackupError, Catalog, Outside, image};
use crate::config::Config;
use crate::runtime::Runtime as _;
use crate::runtime::docker::{Container, Docker};
use crate::snapshot::exchange;

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Into a directory, which is made or is empty.
    To(PathBuf),
    /// Where it came from.
    InPlace,
}

/// What was brought back.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Restored {
    /// The backup.
    pub asset: String,
    /// When it was begun, in milliseconds since 1970.
    pub at: i64,
    /// Where it is now.
    pub place: String,
    /// Where what was there before is.
    pub before: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Files in it that belong outside of the project.
    #[serde(default)]
    pub outside: Vec<Outside>,
}

/// Where an archive for the engine is written.
pub(super) type ToEngine = BufWriter<tokio_util::io::SyncIoBridge<tokio::io::DuplexStream>>;

/// What a backup is brought back with.
pub(super) struct Bringer<'a> {
    pub(super) config: &'a Config,
    pub(super) docker: Option<&'a Docker>,
    pub(super) repository: Repository,
    pub(super) site: &'a str,
    pub(super) tell: &'a dyn Tell,
}

impl Bringer<'_> {
    /// Brings `manifest`'s backup back. In place, `before` is the backup of the present that was made
    /// first, for people.
    ///
    /// # Errors
    /// Why not. What was there is there then, but for a database: its dump is played over it, and
    /// `before` is the way back.
    pub(super) async fn bring(
        &self,
        manifest: &Manifest,
        way: &Way,
        before: Option<String>,
    ) -> Result<Restored, BackupError> {
        let began = Instant::now();
        let name = manifest.asset.name();
        let (repository, site, asset) =
            (self.repository.clone(), self.site.to_owned(), manifest.asset.clone());
        let at = manifest.at;
        let found =
            tokio::task::spawn_blocking(move || Catalog::snapshot(&repository, &site, &asset, at));
        let id = found.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        let mut outside = Vec::new();
        let place = match way {
            Way::To(directory) => {
                self.aside(manifest, &id, directory).await?;
                if manifest.asset.kind == Kind::Project {
                    outside = super::outside::outside(directory)?;
                }
                directory.display().to_string()
            }
            Way::InPlace => self.in_place(manifest, &id).await?,
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Restored { asset: name, at, place, before, took_ms, outside })
    }

    /// Into a directory of its own.
    pub(super) async fn aside(
        &self,
        manifest: &Manifest,
        id: &str,
        to: &Path,
    ) -> Result<(), BackupError> {
        self.tell.step(&format!("{} into {}", manifest.asset.name(), to.display()));
        match manifest.asset.kind {
            Kind::Volume | Kind::Files | Kind::Project | Kind::Binlog => {
                let (id, to, root) = (id.to_owned(), to.to_owned(), manifest.root);
                self.work(move |repository| {
                    repository.get_tree(&id, &to)?;
                    settle(&to, root)
                })
                .await
            }
            Kind::Database => self.file(id, DUMP, to).await,
            Kind::Image => self.image_into(id, to).await,
        }
    }

    async fn file(&self, id: &str, name: &'static str, to: &Path) -> Result<(), BackupError> {
        let id = id.to_owned();
        self.made(name, to, move |repository, file| repository.get_file(&id, name, file)).await
    }

    /// An archive that `docker load` takes.
    async fn image_into(&self, id: &str, to: &Path) -> Result<(), BackupError> {
        let id = id.to_owned();
        self.made(image::WHOLE, to, move |repository, file| {
            match image::read_record(repository, &id)? {
                Some(record) => image::write(repository, &record, &mut BufWriter::new(file)),
                None => repository.get_file(&id, image::WHOLE, file),
            }
        })
        .await
    }

    /// A file that has its name when all of it is there.
    async fn made(
        &self,
        name: &'static str,
        to: &Path,
        fill: impl FnOnce(&Repository, &mut File) -> Result<(), vigie_backup::Error> + Send + 'static,
    ) -> Result<(), BackupError> {
        let to = to.to_owned();
        self.work(move |repository| {
            let failed = |error| vigie_backup::Error::File(to.clone(), error);
            std::fs::create_dir_all(&to).map_err(failed)?;
            let mut fresh =
                tempfile::Builder::new().prefix(".vigie-").tempfile_in(&to).map_err(failed)?;
            fill(&repository, fresh.as_file_mut())?;
            fresh.as_file().sync_all().map_err(failed)?;
            let kept = fresh.persist_noclobber(to.join(name));
            kept.map(drop).map_err(|error| failed(error.error))
        })
        .await
    }

    async fn in_place(&self, manifest: &Manifest, id: &str) -> Result<String, BackupError> {
        let asset = &manifest.asset;
        let service = asset.service.clone().unwrap_or_default();
        match asset.kind {
            Kind::Database => {
                self.tell.step(&format!("play {} back into {service}", asset.what));
                self.play(&service, id).await?;
                Ok(format!("{} in {service}", asset.what))
            }
            Kind::Image => {
                self.tell.step(&format!("load {}", asset.what));
                self.load(id).await?;
                Ok(asset.what.clone())
            }
            Kind::Volume => {
                let docker = self.engine()?;
                let container = docker.container(&service).await?;
                let volumes = container.map(|container| container.volumes).unwrap_or_default();
                let volume = volumes.into_iter().find(|volume| volume.name == asset.what);
                let volume = volume.ok_or_else(|| {
                    let what = &asset.what;
                    BackupError::Refused(format!(
                        "{service} has no volume {what}; bring it back beside: --to DIR"
                    ))
                })?;
                self.stopped(docker, manifest, id, &volume.source).await?;
                Ok(format!("{} of {service}", asset.what))
            }
            Kind::Files => {
                let at = self.config.directory().join(&asset.what);
                match self.docker {
                    Some(docker) => self.stopped(docker, manifest, id, &at).await?,
                    None => self.exchange(manifest, id, &at).await?,
                }
                Ok(at.display().to_string())
            }
            Kind::Binlog => Err(BackupError::Refused(String::from(
                "a log by itself goes into no server: bring its database to a moment: vigie backup \
                 restore database@\"2026-11-22 20:14:03\" --in-place",
            ))),
            Kind::Project => Err(BackupError::Refused(String::from(
                "the project's files are not played over: bring them back beside with --to DIR, and \
                 take what you need",
            ))),
        }
    }

    /// What is mounted is only exchanged under services that stand, every one that has it; their
    /// containers are then new ones, because the old ones would see the old directory.
    async fn stopped(
        &self,
        docker: &Docker,
        manifest: &Manifest,
        id: &str,
        at: &Path,
    ) -> Result<(), BackupError> {
        let mut running = Vec::new();
        for (_, service) in self.config.stack.services() {
            let Some(container) = docker.container(&service.name).await? else { continue };
            if container.runs && has(&container, at) {
                running.push(service.name.clone());
            }
        }
        for service in running.iter().rev() {
            self.tell.step(&format!("stop {service}"));
            docker.stop(service).await?;
        }
        let done = self.exchange(manifest, id, at).await;
        let mut up = Ok(());
        for service in &running {
            self.tell.step(&format!("start {service}"));
            up = up.and(docker.up(service, true).await);
        }
        // That it did not come back says more than that a service did not start either.
        done?;
        Ok(up?)
    }

    pub(super) async fn exchange(
        &self,
        manifest: &Manifest,
        id: &str,
        at: &Path,
    ) -> Result<(), BackupError> {
        self.tell.step(&format!("{} in {}", manifest.asset.name(), at.display()));
        let (id, at, root) = (id.to_owned(), at.to_owned(), manifest.root);
        self.work(move |repository| {
            let failed = |error| vigie_backup::Error::File(at.clone(), error);
            let new = exchange::begin(&at).map_err(failed)?;
            repository.get_tree(&id, &new)?;
            settle(&new, root)?;
            exchange::finish(&at).map_err(failed)
        })
        .await
    }

    async fn play(&self, service: &str, id: &str) -> Result<(), BackupError> {
        let client = client(self.config, service)?;
        let tools = tools(self.docker, service);
        let (read, write) = tokio::io::duplex(1 << 20);
        let id = id.to_owned();
        let give = self.work(move |repository| {
            let mut write = tokio_util::io::SyncIoBridge::new(write);
            repository.get_file(&id, DUMP, &mut write)
        });
        let (taken, given) = tokio::join!(play(&tools, &client, Box::new(read)), give);
        taken?;
        given
    }

    /// Loads an image, and looks whether it is the one that was kept, under all of its names.
    async fn load(&self, id: &str) -> Result<(), BackupError> {
        let docker = self.engine()?;
        let (repository, of) = (self.repository.clone(), id.to_owned());
        let read = tokio::task::spawn_blocking(move || image::read_record(&repository, &of)).await;
        let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
        let record = read.map_err(|error| BackupError::Site(self.site.to_owned(), error))?;
        let (id, plan) = (id.to_owned(), record.clone());
        self.pour(move |repository, write| match plan {
            Some(record) => image::write(repository, &record, write),
            None => repository.get_file(&id, image::WHOLE, write),
        })
        .await?;
        let Some(record) = record else { return Ok(()) };
        let found = docker.image(record.id()).await?;
        if found.is_none() {
            return Err(BackupError::Damaged(format!(
                "the engine took the image and does not have {}; bring it back beside (--to DIR) and look \
                 what `docker load -i image.tar` says",
                record.id()
            )));
        }
        for tag in record.tags() {
            let named = docker.image(tag).await?;
            if named.is_none_or(|image| image.id != record.id())
                && let Some((repository, tag)) = tag.rsplit_once(':')
            {
                docker.tag(record.id(), repository, tag).await?;
            }
        }
        Ok(())
    }

    /// Has the engine load the archive that `give` writes.
    pub(super) async fn pour(
        &self,
        give: impl FnOnce(&Repository, &mut ToEngine) -> Result<(), vigie_backup::Error>
        + Send
        + 'static,
    ) -> Result<(), BackupError> {
        let (read, write) = tokio::io::duplex(1 << 20);
        let give = self.work(move |repository| {
            give(&repository, &mut BufWriter::new(tokio_util::io::SyncIoBridge::new(write)))
        });
        let pieces = tokio_util::io::ReaderStream::with_capacity(read, 256 << 10);
        let (taken, given) = tokio::join!(self.engine()?.load(pieces), give);
        match (taken, given) {
            // It takes no more when it has failed, and says why.
            (Err(taken), Err(BackupError::Site(_, vigie_backup::Error::File(..)))) => {
                Err(taken.into())
            }
            (taken, given) => given.and(taken.map_err(Into::into)),
        }
    }

    fn engine(&self) -> Result<&Docker, BackupError> {
        let none =
            || BackupError::Refused(String::from("only a Docker stack has volumes and images"));
        self.docker.ok_or_else(none)
    }

    async fn work(
        &self,
        work: impl FnOnce(Repository) -> Result<(), vigie_backup::Error> + Send + 'static,
    ) -> Result<(), BackupError> {
        let repository = self.repository.clone();
        let done = tokio::task::spawn_blocking(move || work(repository)).await;
        done.map_err(|error| BackupError::Worker(error.to_string()))?
            .map_err(|error| BackupError::Site(self.site.to_owned(), error))
    }
}

/// Whether a container has `at` mounted, or a part of it, or what it is a part of.
fn has(container: &Container, at: &Path) -> bool {
    let volumes = container.volumes.iter().map(|volume| &volume.source);
    let mut mounts = volumes.chain(container.binds.iter().map(|(here, _)| here));
    mounts.any(|here| here.starts_with(at) || at.starts_with(here))
}

/// The directory itself is in no snapshot.
fn settle(at: &Path, root: Option<super::Root>) -> Result<(), vigie_backup::Error> {
    let Some(root) = root else { return Ok(()) };
    let mode = std::fs::Permissions::from_mode(root.mode);
    std::fs::set_permissions(at, mode)
        .map_err(|error| vigie_backup::Error::File(at.to_owned(), error))?;
    // Only root can give a directory away; anybody else owned it before.
    let _ = std::os::unix::fs::chown(at, Some(root.uid), Some(root.gid));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::docker::Volume;

    #[test]
    fn a_service_has_what_it_has_mounted_and_what_is_in_it() {
        let volume = |source: &str| Volume {
            name: String::from("data"),
            source: PathBuf::from(source),
            target: String::from("/data"),
        };
        let container = Container {
            image: String::new(),
            image_id: String::new(),
            runs: true,
            started: None,
            volumes: vec![volume("/var/lib/docker/volumes/data/_data")],
            binds: vec![(PathBuf::from("/srv/x/addons"), String::from("/addons"))],
            content: None,
        };
        for (at, wanted) in [
            ("/var/lib/docker/volumes/data/_data", true),
            ("/srv/x/addons", true),
            ("/srv/x", true),
            ("/srv/x/addons/patch", true),
            ("/srv/x/addons2", false),
            ("/var/lib/docker/volumes/data2/_data", false),
        ] {
            assert_eq!(has(&container, Path::new(at)), wanted, "{at}");
        }
    }
}
