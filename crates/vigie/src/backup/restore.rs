//! Does: brings a backup back: beside what is there, or in its place. In place, what was there is kept
//! first, and the change is one moment: whoever is killed before it has changed nothing.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use vigie_backup::{Repository, WriteBehind};
use vigie_core::backup::Kind;

use super::database::play;
use super::keep::{client, tools};
use super::manifest::{DUMP, Manifest};
use super::work::Tell;
use super::{BackupError, Catalog, Outside, State, image};
use crate::config::Config;
use crate::runtime::Runtime as _;
use crate::runtime::docker::{Container, Docker};
use crate::snapshot::exchange;

/// In a directory that is being filled: what has come back so far.
const UNFINISHED: &str = ".vigie-unfinished";

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
    /// Where is noted what a killed restore would leave; nowhere when somebody else knows it.
    pub(super) catalog: Option<&'a Catalog>,
    /// The one restore point that is wanted; all of them without it.
    pub(super) point: Option<&'a str>,
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
            Way::InPlace => self.in_place(manifest, &id, before.as_deref()).await?,
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
                    let failed = |error| vigie_backup::Error::File(to.clone(), error);
                    let filling = Filling::begin(&to).map_err(failed)?;
                    let room = filling.room();
                    let made = repository.get_tree(&id, room).and_then(|()| settle(room, root));
                    let ended = filling.end(made.is_ok()).map_err(failed);
                    made.and(ended)
                })
                .await
            }
            Kind::Database if manifest.physical.is_some() => {
                self.copy_aside(manifest, id, to).await
            }
            Kind::Database => self.file(id, DUMP, to).await,
            Kind::Image => self.image_into(id, to).await,
            Kind::Points => self.points_into(id, to).await,
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
        fill: impl FnOnce(&Repository, &mut WriteBehind<'_>) -> Result<(), vigie_backup::Error>
        + Send
        + 'static,
    ) -> Result<(), BackupError> {
        let to = to.to_owned();
        self.work(move |repository| {
            let failed = |error| vigie_backup::Error::File(to.clone(), error);
            std::fs::create_dir_all(&to).map_err(failed)?;
            // What a killed one left has the same name, and is written over.
            let part = to.join(format!(".{name}.vigie-new"));
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let fresh = options.open(&part).map_err(failed)?;
            let taken =
                || std::io::Error::other("another vigie is bringing something back into it");
            fresh.try_lock().map_err(|_| failed(taken()))?;
            fresh.set_len(0).map_err(failed)?;
            let done = fill(&repository, &mut WriteBehind::new(&fresh))
                .and_then(|()| fresh.sync_all().map_err(failed))
                .and_then(|()| std::fs::hard_link(&part, to.join(name)).map_err(failed));
            let gone = std::fs::remove_file(&part).map_err(failed);
            done.and(gone)
        })
        .await
    }

    async fn in_place(
        &self,
        manifest: &Manifest,
        id: &str,
        before: Option<&str>,
    ) -> Result<String, BackupError> {
        let asset = &manifest.asset;
        let service = asset.service.clone().unwrap_or_default();
        match asset.kind {
            Kind::Database if manifest.physical.is_some() => {
                self.copy_in_place(manifest, id, before).await
            }
            Kind::Database => {
                self.tell.step(&format!("play {} back into {service}", asset.what));
                let (name, before) = (asset.name(), before.unwrap_or_default().to_owned());
                // Who cannot log in changes nothing, and leaves nothing half done.
                let client = client(self.config, &service)?;
                client.ask(&tools(self.docker, &service), "SELECT 1").await?;
                // A dump drops what is there before it brings back what was: whoever is killed in between
                // leaves neither, and that has to be said.
                self.note(|state| {
                    // One that was killed before has the way back to what was whole.
                    state.half.entry(name.clone()).or_insert(before);
                })?;
                self.play(&service, id).await?;
                self.note(|state| drop(state.half.remove(&name)))?;
                Ok(format!("{} in {service}", asset.what))
            }
            Kind::Image => {
                self.tell.step(&format!("load {}", asset.what));
                self.image_back(manifest, id).await
            }
            Kind::Points => self.points_back(id).await,
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
                let at = &volume.source;
                self.stopped(docker, at, self.exchange(manifest, id, at)).await?;
                Ok(format!("{} of {service}", asset.what))
            }
            Kind::Files => {
                let at = self.config.directory().join(&asset.what);
                match self.docker {
                    Some(docker) => {
                        self.stopped(docker, &at, self.exchange(manifest, id, &at)).await?;
                    }
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
    pub(super) async fn stopped(
        &self,
        docker: &Docker,
        at: &Path,
        exchange: impl Future<Output = Result<(), BackupError>>,
    ) -> Result<(), BackupError> {
        let mut running = Vec::new();
        for (_, service) in self.config.stack.services() {
            let Some(container) = docker.container(&service.name).await? else { continue };
            if container.runs && has(&container, at) {
                running.push(service.name.clone());
            }
        }
        // Noted first: whoever is killed is followed by one who starts them again.
        self.note(|state| state.stopped.extend(running.iter().cloned()))?;
        let (mut done, mut tried) = (Ok(()), 0);
        for service in running.iter().rev() {
            self.tell.step(&format!("stop {service}"));
            tried += 1;
            done = docker.stop(service).await.map_err(BackupError::from);
            if done.is_err() {
                break;
            }
        }
        if done.is_ok() {
            done = exchange.await;
        }
        // Those before it were never touched, and somebody may be playing there.
        let untouched = running.len() - tried;
        self.note(|state| {
            for service in &running[..untouched] {
                state.stopped.remove(service);
            }
        })?;
        for service in &running[untouched..] {
            self.tell.step(&format!("start {service}"));
            let up = docker.up(service, true).await.map_err(BackupError::from);
            let up = up.and_then(|()| {
                self.note(|state| {
                    state.stopped.remove(service);
                })
            });
            // That it did not come back says more than that a service did not start either.
            done = done.and(up);
        }
        done
    }

    /// Notes something, where it is noted.
    pub(super) fn note(&self, change: impl FnOnce(&mut State)) -> Result<(), BackupError> {
        self.catalog.map_or(Ok(()), |catalog| catalog.remember(change))
    }

    pub(super) async fn exchange(
        &self,
        manifest: &Manifest,
        id: &str,
        at: &Path,
    ) -> Result<(), BackupError> {
        self.tell.step(&format!("{} in {}", manifest.asset.name(), at.display()));
        self.note(|state| {
            state.exchanging.insert(at.to_owned());
        })?;
        let (id, root, place) = (id.to_owned(), manifest.root, at.to_owned());
        let done = self
            .work(move |repository| {
                let failed = |error| vigie_backup::Error::File(place.clone(), error);
                let new = exchange::begin(&place).map_err(failed)?;
                let made = repository.get_tree(&id, &new).and_then(|()| settle(&new, root));
                if made.is_err() {
                    // What failed needs the room that half of it takes; why it failed says more.
                    let _ = exchange::abandon(&place);
                }
                made?;
                exchange::finish(&place).map_err(failed).inspect_err(|_| {
                    // The one that is beside now is not the one that anybody wants.
                    let _ = exchange::abandon(&place);
                })
            })
            .await;
        self.note(|state| {
            state.exchanging.remove(at);
        })?;
        done
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

    pub(super) fn engine(&self) -> Result<&Docker, BackupError> {
        let none =
            || BackupError::Refused(String::from("only a Docker stack has volumes and images"));
        self.docker.ok_or_else(none)
    }

    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(Repository) -> Result<T, vigie_backup::Error> + Send + 'static,
    ) -> Result<T, BackupError> {
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

/// A directory that is filled, and is there when all of it is. One that is there already may be the root
/// of a disk: then it is made inside of it, and moved up.
pub(super) struct Filling {
    to: PathBuf,
    room: PathBuf,
    /// Whether the directory was there.
    inside: bool,
}

impl Filling {
    /// Makes room for what shall be in `to`, which is not there or is empty.
    pub(super) fn begin(to: &Path) -> std::io::Result<Self> {
        if !to.exists() {
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let room = exchange::begin(to)?;
            return Ok(Self { to: to.to_owned(), room, inside: false });
        }
        let unfinished = to.join(UNFINISHED);
        for entry in std::fs::read_dir(to)? {
            // What a killed one left is written anew.
            if entry?.path() != unfinished {
                return Err(std::io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
        exchange::remove(&unfinished)?;
        std::fs::create_dir(&unfinished)?;
        Ok(Self { to: to.to_owned(), room: unfinished.join("all"), inside: true })
    }

    /// The directory to make.
    pub(super) fn room(&self) -> &Path {
        &self.room
    }

    /// Puts it in its place when it is whole; otherwise nothing of it is left.
    pub(super) fn end(self, whole: bool) -> std::io::Result<()> {
        match (whole, self.inside) {
            (true, false) => exchange::finish(&self.to),
            (false, false) => exchange::abandon(&self.to),
            (_, true) => {
                let raised = if whole { raise(&self.room, &self.to) } else { Ok(()) };
                raised.and(exchange::remove(&self.to.join(UNFINISHED)))
            }
        }
    }
}

/// What is in `from` goes into the directory `to`, which gets its mode and owner.
fn raise(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    let seen = std::fs::metadata(from)?;
    std::fs::set_permissions(to, seen.permissions())?;
    // Only root can give a directory away; anybody else owned it before.
    let _ = std::os::unix::fs::chown(to, Some(seen.uid()), Some(seen.gid()));
    std::fs::File::open(to)?.sync_all()
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
    fn a_directory_is_filled_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let make = |to: &Path, whole: bool| {
            let filling = Filling::begin(to)?;
            std::fs::create_dir(filling.room())?;
            std::fs::write(filling.room().join("file"), "x")?;
            filling.end(whole)
        };
        let is_empty = |at: &Path| std::fs::read_dir(at).unwrap().next().is_none();
        // One that is not there, with what a killed one left beside it.
        let new = place.path().join("deep/new");
        make(&new, false).unwrap();
        assert!(is_empty(new.parent().unwrap()));
        std::fs::create_dir(exchange::begin(&new).unwrap()).unwrap();
        make(&new, true).unwrap();
        assert!(new.join("file").exists());
        assert_eq!(std::fs::read_dir(new.parent().unwrap()).unwrap().count(), 1);
        // One that is there, with what a killed one left inside.
        let old = place.path().join("old");
        std::fs::create_dir(&old).unwrap();
        make(&old, false).unwrap();
        assert!(is_empty(&old));
        std::fs::create_dir_all(old.join(UNFINISHED).join("all/half")).unwrap();
        make(&old, true).unwrap();
        assert_eq!(std::fs::read_dir(&old).unwrap().count(), 1);
        let refused = make(&old, true).unwrap_err().to_string();
        assert!(refused.contains("not empty"), "{refused}");
    }

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
