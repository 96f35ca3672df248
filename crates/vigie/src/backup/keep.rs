//! Does: one backup of one asset: its data, then its manifest. What fails leaves no manifest, so that it
//! never counts.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;
use vigie_backup::{Repository, Stored};
use vigie_core::backup::{Asset, Kind};

use super::binlog::Address;
use super::database::{Client, Tools, Wish, dump, may_place};
use super::manifest::{self, DUMP, Manifest, Root};
use super::named::named;
use super::outside::{OUTSIDE, plain};
use super::unfinished::thaw;
use super::work::Tell;
use super::{BackupError, Catalog, image, physical};
use crate::config::{Config, Method, RuntimeKind};
use crate::observe::RconLink;
use crate::report::rfc3339;
use crate::runtime::docker::{Docker, files};

/// How the directories begin in which a project is gathered.
pub(super) const PROJECT: &str = ".project-";
/// Pieces that wait for whoever is slower.
pub(super) const WAITING: usize = 64;

/// What a backup is made with.
pub(super) struct Keeper<'a> {
    pub(super) config: &'a Config,
    pub(super) docker: Option<&'a Docker>,
    pub(super) catalog: &'a Catalog,
    /// The repository that is written first, and its site.
    pub(super) repository: Repository,
    pub(super) site: &'a str,
    pub(super) tell: &'a dyn Tell,
}

impl Keeper<'_> {
    /// Backs `asset` up.
    ///
    /// # Errors
    /// Why it is not backed up.
    pub(super) async fn keep(&self, asset: &Asset) -> Result<Manifest, BackupError> {
        self.tell.step(&asset.name());
        let began = Instant::now();
        let now = jiff::Timestamp::now().as_millisecond();
        // Two within one moment would be one.
        let last = self
            .catalog
            .state()
            .sites
            .get(self.site)
            .and_then(|site| site.newest.get(&asset.name()).copied());
        let at = last.map_or(now, |last| now.max(last + 1));
        let mut manifest = Manifest {
            asset: asset.clone(),
            at,
            took_ms: 0,
            files: 0,
            bytes: 0,
            added: 0,
            root: None,
            tables: BTreeMap::new(),
            physical: None,
            place: None,
            moments: BTreeMap::new(),
            image: None,
            layers: Vec::new(),
            points: Vec::new(),
            parts: Vec::new(),
            troubles: Vec::new(),
            mounted: Vec::new(),
            stack: self.config.stack.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let stored = match asset.kind {
            Kind::Database => self.database(&mut manifest).await?,
            Kind::Binlog => {
                let backups = self.catalog.backups_in(&self.repository, self.site)?;
                manifest.moments = super::log::moments(self.config, &asset.what, &backups)?;
                let path = super::log::kept_of(self.config, &asset.what);
                self.tree(&mut manifest, path).await?
            }
            Kind::Volume => self.volume(&mut manifest).await?,
            Kind::Files => {
                let path = self.config.directory().join(&asset.what);
                self.tree(&mut manifest, path).await?
            }
            Kind::Image => image::keep(self, &mut manifest).await?,
            Kind::Project => self.project(&mut manifest).await?,
            Kind::Points => self.points(&mut manifest).await?,
        };
        manifest.files = stored.files;
        manifest.bytes = stored.bytes;
        manifest.added = stored.added;
        manifest.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.seal(&manifest).await?;
        Ok(manifest)
    }

    /// From here on it counts.
    async fn seal(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(manifest);
        let text = text.map_err(|error| BackupError::Damaged(error.to_string()))?;
        let (label, tags) = (manifest.asset.name(), Manifest::tags(manifest.at));
        let sealed = self.work(move |repository| {
            let reader = std::io::Cursor::new(text);
            repository.put_stream(&label, &tags, manifest::FILE, reader, || Ok(()))
        });
        let sealed = sealed.await?;
        self.still_there(manifest, sealed.id).await?;
        let (site, name, at) = (self.site.to_owned(), manifest.asset.name(), manifest.at);
        self.catalog.remember(|state| {
            let now = jiff::Timestamp::now().as_millisecond();
            state.failed.remove(&name);
            let site = state.sites.entry(site).or_default();
            site.newest.insert(name, at);
            site.written(None, now);
        })
    }

    /// Refuses when something is gone that the backup shares with others: another host may have pruned the
    /// site meanwhile. Whoever prunes after this look sees a manifest that they have not read, and takes
    /// nothing.
    async fn still_there(&self, manifest: &Manifest, sealed: String) -> Result<(), BackupError> {
        let shared: Vec<String> = manifest.shared().collect();
        if shared.is_empty() {
            return Ok(());
        }
        let gone = self.work(move |repository| {
            let snapshots = repository.snapshots()?;
            let there = image::there(&snapshots);
            let gone = shared.into_iter().find(|label| !there.contains(label));
            let Some(gone) = gone else { return Ok(None) };
            // It must not count; where nothing can be removed from here, that has to be said.
            Ok(Some((gone, repository.forget(&[sealed]).err())))
        });
        let Some((gone, left)) = gone.await? else { return Ok(()) };
        let left = left.map_or_else(String::new, |error| {
            let (name, at) = (manifest.asset.name(), rfc3339(manifest.at));
            format!(
                "; the backup of {name} of {at} does not come back whole and stays listed: {error}"
            )
        });
        Err(BackupError::Refused(format!(
            "{gone} was removed from {} while it was needed; try again{left}",
            self.site
        )))
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

    async fn tree(&self, manifest: &mut Manifest, path: PathBuf) -> Result<Stored, BackupError> {
        let seen = std::fs::metadata(&path);
        let seen = seen.map_err(|error| BackupError::File(path.clone(), error))?;
        manifest.root = Some(Root { mode: seen.mode(), uid: seen.uid(), gid: seen.gid() });
        let (label, tag) = (manifest.asset.name(), Manifest::tag(manifest.at));
        self.work(move |repository| repository.put_tree(&label, &tag, &path)).await
    }

    async fn volume(&self, manifest: &mut Manifest) -> Result<Stored, BackupError> {
        let docker = self.docker.ok_or_else(no_engine)?;
        let service = manifest.asset.service.clone().unwrap_or_default();
        let container = docker.container(&service).await?;
        let runs = container.as_ref().is_some_and(|container| container.runs);
        let volumes = container.map(|container| container.volumes).unwrap_or_default();
        let volume = volumes.into_iter().find(|volume| volume.name == manifest.asset.what);
        let volume = volume.ok_or_else(|| {
            let what = &manifest.asset.what;
            BackupError::Refused(format!("{service} has no volume {what} any more"))
        })?;
        let always = docker.volume(&volume.name).await?.is_none_or(|room| room.always);
        if !always && !runs {
            let what = &manifest.asset.what;
            return Err(BackupError::Refused(format!(
                "the files of the volume {what} are only there while {service} runs, and it does not; start \
                 it, or leave the volume out: exclude = [\"volume:{what}\"]"
            )));
        }
        manifest.mounted.push((service.clone(), volume.target.clone()));
        self.before(&service).await;
        let backup = self.config.file.backup.as_ref();
        let pause = backup.is_some_and(|backup| backup.pause);
        if !pause {
            return self.tree(manifest, volume.source).await;
        }
        // Noted first: whoever is killed now is followed by one who lets it go on.
        self.catalog.remember(|state| {
            state.paused.insert(service.clone());
        })?;
        let stored = match docker.pause(&service).await {
            // Nobody else's lock is worth that the game stands still.
            Ok(()) => self.brisk().tree(manifest, volume.source).await,
            // An answer that did not come in time may have been a yes.
            Err(error) => Err(error.into()),
        };
        let thawed = thaw(self.catalog, docker).await;
        stored.and_then(|stored| thawed.map(|()| stored))
    }

    /// The same, which waits for no lock.
    fn brisk(&self) -> Self {
        Self { repository: self.repository.with_patience(Duration::ZERO), ..*self }
    }

    /// Asks the game to write down what it has in mind. One that does not answer is backed up all the
    /// same.
    async fn before(&self, service: &str) {
        let backup = self.config.file.backup.as_ref();
        let Some(command) = backup.and_then(|backup| backup.before.as_ref()) else { return };
        let rcon = self.config.file.service.get(service).and_then(|file| file.rcon.as_ref());
        let Some(rcon) = rcon else { return };
        let asked = async {
            let password = self.config.vault.reveal(&rcon.password);
            let password = password.map_err(|error| error.to_string())?;
            let link = RconLink::open(&rcon.address, &password, rcon.timeout).await;
            let mut link = link.map_err(|problem| problem.to_string())?;
            link.ask(command, rcon.timeout).await.map(drop).map_err(|problem| problem.to_string())
        };
        if let Err(why) = asked.await {
            self.tell.step(&format!("{service} was not asked to save: {why}"));
        }
    }

    async fn database(&self, manifest: &mut Manifest) -> Result<Stored, BackupError> {
        let service = manifest.asset.service.clone().unwrap_or_default();
        let schema = manifest.asset.what.clone();
        let client = client(self.config, &service)?;
        let tools = tools(self.docker, &service);
        let probe = self.config.file.service.get(&service).and_then(|file| file.database.as_ref());
        if probe.is_some_and(|probe| probe.method == Method::Physical) {
            return self.copied(manifest, &client, &tools).await;
        }
        let keeps_log = self.config.keeps_log();
        // Where the log stands is only told by a server that has one, to an account that may ask.
        let placed = keeps_log && self.may_place(&tools, &client, &manifest.asset).await;
        let wish = Wish { schemas: vec![schema], place: placed };
        let print = |output| dump(&tools, &client, &wish, output);
        let (done, stored) = self.streamed(manifest, DUMP, print).await?;
        manifest.tables = done.survey.tables().clone();
        let id = Manifest::tag(manifest.at);
        manifest.place = done.place.map(|place| vigie_core::binlog::Dump { id, ..place });
        Ok(stored)
    }

    /// The server's own files, instead of a dump.
    async fn copied(
        &self,
        manifest: &mut Manifest,
        client: &Client,
        tools: &Tools<'_>,
    ) -> Result<Stored, BackupError> {
        let copy = |output| physical::copy(tools, client, &manifest.asset.what, output);
        let (done, stored) = self.streamed(manifest, physical::COPY, copy).await?;
        manifest.tables = done.tables;
        manifest.physical = Some(done.physical);
        let id = Manifest::tag(manifest.at);
        manifest.place = done.place.map(|place| vigie_core::binlog::Dump { id, ..place });
        Ok(Stored { files: done.files, ..stored })
    }

    /// Whether a dump of this server can say where its binary log stood. Why not is remembered, unless the
    /// log itself is what is missing: that is said already.
    async fn may_place(&self, tools: &Tools<'_>, client: &Client, asset: &Asset) -> bool {
        let asked = may_place(tools, client, &asset.what).await;
        let log = super::log::asset(asset.service.as_deref().unwrap_or_default()).name();
        let name = format!("{log} after its dumps");
        let noted = self.catalog.remember(|state| {
            match &asked {
                Err(error) if !state.failed.contains_key(&log) => {
                    state.failed.insert(name, error.to_string());
                }
                _ => drop(state.failed.remove(&name)),
            };
        });
        if let Err(error) = noted {
            self.tell.step(&format!("that could not be noted: {error}"));
        }
        asked.unwrap_or(false)
    }

    /// Keeps an image as the one archive that the engine gives of it.
    pub(super) async fn whole_image(
        &self,
        manifest: &Manifest,
        docker: &Docker,
        reference: &str,
    ) -> Result<Stored, BackupError> {
        let save = |output| docker.save(reference, output);
        self.streamed(manifest, image::WHOLE, save).await.map(|((), stored)| stored)
    }

    /// Keeps what `produce` puts out as the one file `name`, while it comes. When it fails, nothing of it is
    /// kept.
    async fn streamed<T, E, F>(
        &self,
        manifest: &Manifest,
        name: &'static str,
        produce: impl FnOnce(mpsc::Sender<Bytes>) -> F,
    ) -> Result<(T, Stored), BackupError>
    where
        E: std::fmt::Display + Into<BackupError>,
        F: Future<Output = Result<T, E>>,
    {
        let place = (manifest.asset.name(), Manifest::tag(manifest.at));
        self.streamed_at(place, name, produce).await
    }

    /// The same under any label and tags.
    pub(super) async fn streamed_at<T, E, F>(
        &self,
        (label, tag): (String, String),
        name: &'static str,
        produce: impl FnOnce(mpsc::Sender<Bytes>) -> F,
    ) -> Result<(T, Stored), BackupError>
    where
        E: std::fmt::Display + Into<BackupError>,
        F: Future<Output = Result<T, E>>,
    {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (tell, told) = std::sync::mpsc::channel::<Result<(), String>>();
        let keep = self.work(move |repository| {
            repository.put_stream(&label, &tag, name, Pieces::of(receiver), || {
                told.recv().unwrap_or_else(|_| Err(String::from("it was given up")))
            })
        });
        let produced = async {
            let done = produce(sender).await;
            let _ = tell.send(done.as_ref().map(drop).map_err(ToString::to_string));
            done
        };
        let (done, stored) = tokio::join!(produced, keep);
        Ok((done.map_err(Into::into)?, stored?))
    }

    /// The project's files are gathered first: what is in them belongs together, and the journal is
    /// written to meanwhile.
    async fn project(&self, manifest: &mut Manifest) -> Result<Stored, BackupError> {
        let stage = tempfile::Builder::new().prefix(PROJECT).tempdir_in(self.catalog.directory());
        let stage =
            stage.map_err(|error| BackupError::File(self.catalog.directory().to_owned(), error))?;
        for left_out in gather(self.config, &self.mounted().await?, stage.path())? {
            let file = left_out.display();
            self.tell
                .step(&format!("{file} may not be read, and is left out: a recovery needs it"));
        }
        self.tree(manifest, stage.path().to_owned()).await
    }
}

impl Keeper<'_> {
    /// Single files of this host that services have mounted: no other asset has them.
    async fn mounted(&self) -> Result<Vec<PathBuf>, BackupError> {
        let Some(docker) = self.docker else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (_, service) in self.config.stack.services() {
            let container = docker.container(&service.name).await?;
            let binds = container.map(|container| container.binds).unwrap_or_default();
            found.extend(binds.into_iter().map(|(here, _)| here).filter(|here| here.is_file()));
        }
        Ok(found)
    }
}

pub(super) fn no_engine() -> BackupError {
    BackupError::Refused(String::from("only a Docker stack has volumes and images"))
}

/// Who logs in at the database of `service`.
pub(super) fn client(config: &Config, service: &str) -> Result<Client, BackupError> {
    let probe = config.file.service.get(service).and_then(|file| file.database.as_ref());
    let probe = probe.ok_or_else(|| {
        BackupError::Refused(format!("{service} has no `database` in vigie.toml any more"))
    })?;
    let password = config.vault.reveal(&probe.password);
    let password =
        password.map_err(|error| BackupError::Secret(service.to_owned(), error.to_string()))?;
    let address = match config.file.stack.runtime {
        // Inside the server's own container, the programs find it by themselves.
        RuntimeKind::Docker => None,
        RuntimeKind::Process => Some(address(service, &probe.address)?),
    };
    Ok(Client { user: probe.user.clone(), password, address })
}

/// Where the probe of `service` looks for its server.
pub(super) fn address(service: &str, text: &str) -> Result<Address, BackupError> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "3306"));
    let port = port.parse().map_err(|_| {
        BackupError::Refused(format!("the database of {service} has no port in `{text}`"))
    })?;
    Ok(Address::Tcp(host.to_owned(), port))
}

/// Where its client programs are.
pub(super) fn tools<'a>(docker: Option<&'a Docker>, service: &'a str) -> Tools<'a> {
    match docker {
        Some(docker) => Tools::Container { docker, service },
        None => Tools::Local { first: None },
    }
}

/// The project's own files, without what other assets have. Says which of those that its files only name
/// may not be read: that of a secret may be for the engine alone.
fn gather(config: &Config, mounted: &[PathBuf], to: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let directory = config.directory();
    let mut members: Vec<PathBuf> = files::read_in(&directory, |name| std::env::var(name).ok());
    members.extend(config.file.stack.compose.as_ref().map(|file| directory.join(file)));
    let named: Vec<PathBuf> = named(config, &members).iter().map(|path| plain(path)).collect();
    members.extend(named.iter().cloned());
    members.extend(mounted.iter().cloned());
    members.push(directory.join(".env"));
    members.push(std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone()));
    let written = &config.file.postmortem;
    members.extend(written.template.as_ref().map(|template| directory.join(template)));
    let folders =
        [&config.file.stack.runbooks, &written.directory].map(|folder| directory.join(folder));
    for folder in &folders {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        members.extend(inside.map(|entry| entry.path()));
    }
    // What is named through `..` is outside, too.
    let mut members: Vec<PathBuf> = members.iter().map(|path| plain(path)).collect();
    members.sort();
    members.dedup();
    let mut left_out = Vec::new();
    for member in members.iter().filter(|path| path.is_file()) {
        let (from, room, below) = shelf(&directory, member, to);
        let target = room.join(&below);
        let copy = || {
            std::fs::create_dir_all(&room)?;
            make_like(&from, below.parent().unwrap_or(Path::new("")), &room)?;
            std::fs::copy(member, &target)?;
            own_like(member, &target)
        };
        match copy() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied && named.contains(member) => {
                left_out.push(member.clone());
            }
            done => done.map_err(|error| BackupError::File(member.clone(), error))?,
        }
    }
    journal(config, to)?;
    Ok(left_out)
}

/// Where the file `member` is kept: what it is below on this host, what that is in `to`, and its path below
/// either. What is somewhere else on this host is kept below its whole path.
fn shelf(directory: &Path, member: &Path, to: &Path) -> (PathBuf, PathBuf, PathBuf) {
    match member.strip_prefix(directory) {
        Ok(inside) => (directory.to_owned(), to.to_owned(), inside.to_owned()),
        Err(_) => {
            let below = member.strip_prefix("/").unwrap_or(member).to_owned();
            (PathBuf::from("/"), to.join(OUTSIDE), below)
        }
    }
}

/// Makes the directory `inside` of `to`, each part of it as it is in `from`.
fn make_like(from: &Path, inside: &Path, to: &Path) -> std::io::Result<()> {
    let mut part = PathBuf::new();
    for name in inside.components() {
        part.push(name);
        let made = to.join(&part);
        if made.is_dir() {
            continue;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&made)?;
        let seen = std::fs::metadata(from.join(&part))?;
        std::fs::set_permissions(&made, seen.permissions())?;
        own_like(&from.join(&part), &made)?;
    }
    Ok(())
}

/// Gives `to` the owner of `from`; only root can, and anybody else owned it before.
fn own_like(from: &Path, to: &Path) -> std::io::Result<()> {
    let seen = std::fs::metadata(from)?;
    let _ = std::os::unix::fs::chown(to, Some(seen.uid()), Some(seen.gid()));
    Ok(())
}

/// The journal as it is at one moment, through SQLite itself.
fn journal(config: &Config, to: &Path) -> Result<(), BackupError> {
    let from = config.journal();
    if !from.is_file() {
        return Ok(());
    }
    let (_, room, below) = shelf(&config.directory(), &plain(&from), to);
    let target = room.join(below);
    let refused = |error: String| BackupError::File(from.clone(), std::io::Error::other(error));
    if let Some(at) = target.parent() {
        std::fs::create_dir_all(at).map_err(|error| BackupError::File(at.to_owned(), error))?;
    }
    crate::store::copy(&from, &target).map_err(|error| refused(error.to_string()))
}

/// Pieces that come from a task, read by a thread.
pub(super) struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Pieces {
    /// Those that come from `receiver`.
    pub(super) const fn of(receiver: mpsc::Receiver<Bytes>) -> Self {
        Self { receiver, piece: Bytes::new() }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_outside_of_the_project_are_kept_below_their_whole_path() {
        let (project, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let to = tempfile::tempdir().unwrap();
        let secret = elsewhere.path().join("rcon");
        std::fs::write(&secret, "s3cr3t").unwrap();
        let compose = "include: [more/web.yaml]\nservices:\n  a:\n    image: x\n    \
                       env_file: ../beside.env\n";
        std::fs::create_dir(project.path().join("in")).unwrap();
        let beside = project.path().join("beside.env");
        std::fs::write(&beside, "A=b").unwrap();
        let project = project.path().join("in");
        std::fs::write(project.join("docker-compose.yml"), compose).unwrap();
        std::fs::create_dir(project.join("more")).unwrap();
        std::fs::write(project.join("more/web.yaml"), "services: {}\n").unwrap();
        let text = "[stack]\nname = \"x\"\nstate = \"state\"\n[postmortem]\ndirectory = \"told\"\n\
                    [service.a]\nrole = \"other\"\n";
        std::fs::write(project.join("vigie.toml"), text).unwrap();
        std::fs::create_dir(project.join("told")).unwrap();
        std::fs::write(project.join("told/one.md"), "# One\n").unwrap();
        std::fs::create_dir(project.join("state")).unwrap();
        let journal = rusqlite::Connection::open(project.join("state/journal.db")).unwrap();
        journal.execute_batch("CREATE TABLE one (id INTEGER)").unwrap();
        let config = Config::parse(&project.join("vigie.toml"), text).unwrap();
        let stage = to.path().join("stage");
        std::fs::create_dir(&stage).unwrap();
        gather(&config, std::slice::from_ref(&secret), &stage).unwrap();
        for (file, word) in [(&secret, "s3cr3t"), (&beside, "A=b")] {
            let inside = stage.join(OUTSIDE).join(file.strip_prefix("/").unwrap());
            assert_eq!(std::fs::read_to_string(inside).unwrap(), word);
        }
        assert!(!to.path().join("beside.env").exists(), "nothing leaves the stage");
        let to = stage;
        assert!(to.join("docker-compose.yml").exists());
        assert!(to.join("more/web.yaml").exists());
        assert!(to.join("vigie.toml").exists());
        assert!(to.join("told/one.md").exists() && to.join("state/journal.db").exists());
    }
}
