//! Does: sets a scratch project up from the backups and plays it: files, images and volumes first, then
//! databases and their dumps, then everything else, each proved as players see it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_core::backup::Kind;
use vigie_core::backup::scratch::{Places, Scratch, Unfit, Wish, scratch};
use vigie_core::drift::{Declared, Layout, layout};
use vigie_core::stack::{Role, ServiceId};

use super::images::{self, Chosen};
use super::parts::Parts;
use super::{Rehearsal, Stopped};
use crate::backup::BackupError;
use crate::backup::outside::OUTSIDE;
use crate::backup::recover::{named, played};
use crate::backup::restore::Bringer;
use crate::backup::work::Tell;
use crate::config::Config;
use crate::runtime::docker::Docker;
use crate::runtime::{Runtime as _, RuntimeError};
use crate::text::{cut, printable, size};
use crate::up::{limit, prove};

/// What a first start may take: a database sets itself up before it answers.
const PATIENCE: Duration = Duration::from_secs(300);
/// The scratch project's compose file.
const FILE: &str = "compose.json";
/// Lines of the console of what does not answer.
const LINES: usize = 3;

/// A scratch project that is about to be brought up.
pub(super) struct Scene<'a> {
    rehearsal: &'a Rehearsal<'a>,
    name: &'a str,
    stage: &'a Path,
    parts: &'a Parts,
    /// The configuration that came back.
    restored: Config,
    places: Places,
    layout: Layout,
    images: Vec<Chosen>,
    scratch: Scratch,
}

impl<'a> Scene<'a> {
    /// Brings the project's files into `stage`, and finds out what the scratch project will be.
    pub(super) async fn set(
        rehearsal: &'a Rehearsal<'a>,
        name: &'a str,
        stage: &'a Path,
        parts: &'a Parts,
    ) -> Result<Self, Stopped> {
        let living = rehearsal.config.directory();
        // Compose names a project after its directory where nothing else says so, and its volumes after it.
        let copy = stage.join(living.file_name().unwrap_or("project".as_ref()));
        let places = Places { outside: copy.join(OUTSIDE), living, copy };
        let project = parts.project().ok_or_else(|| {
            Stopped::Unfit(String::from(
                "the project's own files are in no backup, so there is nothing to begin with: vigie backup run \
                 project",
            ))
        })?;
        rehearsal.tell.step("bring project back");
        let bringer = rehearsal.bringer(rehearsal.config, rehearsal.docker);
        bringer.aside(&project.manifest, &project.id, &places.copy).await?;
        let restored = read(rehearsal.config, &places)?;
        if restored.file.stack.compose.is_none() {
            return Err(Stopped::Unfit(String::from(
                "vigie.toml names no compose file, so a second stack cannot be made; set `compose` in [stack]",
            )));
        }
        let (printed, generation) = crate::app::docker_runtime(&restored)?.printed().await?;
        let own = restored.file.stack.project.clone().unwrap_or_else(|| named(&places.copy));
        let layout = layout(&printed, generation, &own).map_err(|error| {
            BackupError::Damaged(format!("the compose file in the backup: {error}"))
        })?;
        let images = images::choose(rehearsal, name, &layout, parts).await?;
        let references = images::references(&images);
        let wish = Wish { name, images: &references, places: &places };
        let scratch = scratch(&printed, generation, &wish).map_err(|unfit| match unfit {
            Unfit::HostNetwork(_) => Stopped::Unfit(unfit.to_string()),
            Unfit::NoImage(_) | Unfit::Malformed(_) => {
                Stopped::Failed(BackupError::Damaged(unfit.to_string()))
            }
        })?;
        Ok(Self { rehearsal, name, stage, parts, restored, places, layout, images, scratch })
    }

    /// Brings it up; what that proves, a line each.
    pub(super) async fn play(&self) -> Result<Vec<String>, Stopped> {
        let tell = self.rehearsal.tell;
        let file = self.stage.join(FILE);
        let written = std::fs::write(&file, &self.scratch.text);
        written.map_err(|error| BackupError::File(file.clone(), error))?;
        let docker = self.rehearsal.docker.beside(file, self.name, &self.scratch.services)?;
        let mut config = self.restored.clone();
        let bringer = self.rehearsal.bringer(&self.restored, &docker);
        let mut told = images::load(self.rehearsal, &bringer, &self.images).await?;
        told.extend(self.files(&bringer).await?);
        told.extend(self.volumes(&docker, &bringer).await?);
        told.extend(self.bare()?);
        let stack = self.restored.stack.clone();
        let is_here = |id: &ServiceId| self.scratch.services.contains(&stack.service(*id).name);
        let all: Vec<_> = stack.services().map(|(id, _)| id).filter(is_here).collect();
        let is_database = |id: &&ServiceId| stack.service(**id).role == Role::Database;
        let databases: Vec<_> = all.iter().filter(is_database).copied().collect();
        let first: Vec<_> = stack.in_order(&databases).into_iter().filter(is_here).collect();
        for id in &first {
            told.push(self.start(&docker, &mut config, *id).await?);
        }
        for part in self.parts.all(Kind::Database) {
            let service = part.manifest.asset.service.as_deref().unwrap_or_default();
            if !stack.find(service).is_some_and(|id| first.contains(&id)) {
                continue;
            }
            tell.step(&format!("bring {} back", part.manifest.asset.name()));
            let says = played(&bringer, &part.manifest).await?;
            told.push(format!("{}: {says}", part.manifest.asset.name()));
        }
        // What vigie.toml does not know may be needed by what it knows, or need it itself.
        let beside: Vec<_> =
            self.scratch.services.iter().filter(|name| stack.find(name).is_none()).collect();
        for name in &beside {
            match docker.up(name, false).await {
                Ok(()) | Err(RuntimeError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for id in stack.in_order(&all).into_iter().filter(|id| !first.contains(id) && is_here(id)) {
            told.push(self.start(&docker, &mut config, id).await?);
        }
        if !beside.is_empty() {
            docker.up_rest().await?;
        }
        told.extend(self.scratch.left.iter().map(ToString::to_string));
        Ok(told)
    }

    /// Directories that services have mounted.
    async fn files(&self, bringer: &Bringer<'_>) -> Result<Vec<String>, Stopped> {
        let mut told = Vec::new();
        let mut all: Vec<_> = self.parts.all(Kind::Files).collect();
        // A directory comes before what is mounted below it.
        all.sort_by(|one, other| one.manifest.asset.what.cmp(&other.manifest.asset.what));
        for part in all {
            let manifest = &part.manifest;
            let (_, now) = self.places.copied(&self.places.living.join(&manifest.asset.what));
            let mut binds = self.scratch.binds.iter();
            if !binds.any(|bind| bind.now.starts_with(&now) || now.starts_with(&bind.now)) {
                continue;
            }
            let parent = now.parent().unwrap_or(&self.places.copy);
            self.made(parent)?;
            self.rehearsal.tell.step(&format!("bring {} back", manifest.asset.name()));
            bringer.exchange(manifest, &part.id, &now).await?;
            let (name, bytes) = (manifest.asset.name(), size(manifest.bytes));
            told.push(format!("{name}: {} files, {bytes}", manifest.files));
        }
        Ok(told)
    }

    /// Volumes, filled before their containers are there. Those of databases come from their dumps.
    async fn volumes(
        &self,
        docker: &Docker,
        bringer: &Bringer<'_>,
    ) -> Result<Vec<String>, Stopped> {
        let mut told = Vec::new();
        for part in self.parts.all(Kind::Volume) {
            let manifest = &part.manifest;
            let mut volumes = self.layout.volumes.iter();
            let Some(volume) = volumes.find(|one| one.name == manifest.asset.what) else {
                let name = manifest.asset.name();
                told.push(format!("{name} is none of the compose file's in the backup; left out"));
                continue;
            };
            let own = Declared {
                key: volume.key.clone(),
                name: format!("{}_{}", self.name, volume.key),
                external: false,
                driver: None,
                options: std::collections::BTreeMap::new(),
            };
            self.rehearsal.tell.step(&format!("bring {} back", manifest.asset.name()));
            let at = docker.make_volume(self.name, &own).await?;
            bringer.exchange(manifest, &part.id, &at).await?;
            let (name, bytes) = (manifest.asset.name(), size(manifest.bytes));
            told.push(format!("{name}: {} files, {bytes}", manifest.files));
        }
        Ok(told)
    }

    /// What is mounted and is in no backup begins empty. That a database's data is among it is right: its
    /// dump is played into a new one.
    fn bare(&self) -> Result<Vec<String>, Stopped> {
        let mut told = Vec::new();
        for bind in &self.scratch.binds {
            let failed = |error| BackupError::File(bind.now.clone(), error);
            if bind.now.symlink_metadata().is_err() {
                let service = bind.service.as_deref();
                let is_file = service.is_none() || bind.was.is_file();
                if is_file {
                    let parent = bind.now.parent().unwrap_or(&self.places.copy);
                    self.made(parent)?;
                    std::fs::write(&bind.now, "").map_err(failed)?;
                } else {
                    self.made(&bind.now)?;
                }
                let role = service.and_then(|name| self.restored.stack.find(name));
                if role.is_none_or(|id| self.restored.stack.service(id).role != Role::Database) {
                    let of = service.map_or_else(String::new, |name| format!(" of {name}"));
                    let shown = bind.was.strip_prefix(&self.places.living).unwrap_or(&bind.was);
                    let what = if is_file { "file" } else { "directory" };
                    let shown = shown.display();
                    told.push(format!("{shown}{of} is in no backup: an empty {what} was used"));
                }
            }
            self.inside(&bind.now)?;
        }
        Ok(told)
    }

    /// Makes a directory of the copy, and what it is in. A link that leads out is not followed.
    fn made(&self, path: &Path) -> Result<(), BackupError> {
        let there = path.ancestors().find(|one| one.symlink_metadata().is_ok());
        self.inside(there.unwrap_or(&self.places.copy))?;
        std::fs::create_dir_all(path).map_err(|error| BackupError::File(path.to_owned(), error))?;
        self.inside(path)
    }

    fn inside(&self, path: &Path) -> Result<(), BackupError> {
        contained(path, self.stage, &self.places.copy)
    }

    /// Starts a service, and waits until it answers at its own address.
    async fn start(
        &self,
        docker: &Docker,
        config: &mut Config,
        id: ServiceId,
    ) -> Result<String, Stopped> {
        let name = config.stack.service(id).name.clone();
        self.rehearsal.tell.step(&format!("start {name}"));
        docker.up(&name, false).await?;
        self.readdress(docker, config, &name).await?;
        let patience = limit(config, id).max(PATIENCE);
        match prove(config, docker, id, patience).await {
            Ok(says) if says.is_empty() => Ok(format!("{name} runs")),
            Ok(says) => Ok(format!("{name} answers: {}", says.join(", "))),
            Err(why) => {
                let lines = docker.tail(&name, LINES).await.unwrap_or_default();
                let lines: Vec<_> =
                    lines.iter().map(|line| printable(&String::from_utf8_lossy(line))).collect();
                let console = cut(&lines.join(" / "), 300);
                // Its container is removed, so what it said last is told here.
                Err(Stopped::Failed(BackupError::Damaged(format!(
                    "{name} does not answer: {why}; its console: {console}"
                ))))
            }
        }
    }

    /// Where the living one is asked on this host's ports, the scratch one is asked at its own address.
    async fn readdress(
        &self,
        docker: &Docker,
        config: &mut Config,
        name: &str,
    ) -> Result<(), Stopped> {
        let Some(file) = config.file.service.get_mut(name) else { return Ok(()) };
        let places = [
            file.a2s.as_mut().map(|probe| (&mut probe.address, true)),
            file.rcon.as_mut().map(|probe| (&mut probe.address, false)),
            file.tcp.as_mut().map(|probe| (&mut probe.address, false)),
            file.database.as_mut().map(|probe| (&mut probe.address, false)),
        ];
        for (address, udp) in places.into_iter().flatten() {
            let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            let Some(port) = port else { continue };
            let (owner, port) = self.scratch.door(name, port, udp);
            let found: Option<IpAddr> = docker.address(owner).await?;
            let found = found.ok_or_else(|| {
                BackupError::Damaged(format!("{name} does not answer: {owner} is in no network"))
            })?;
            *address = std::net::SocketAddr::new(found, port).to_string();
        }
        Ok(())
    }
}

impl Rehearsal<'_> {
    /// What backups are brought back with, into the stack that `config` and `docker` are of.
    fn bringer<'b>(&'b self, config: &'b Config, docker: &'b Docker) -> Bringer<'b> {
        Bringer {
            config,
            docker: Some(docker),
            repository: self.repository.clone(),
            site: self.site,
            tell: &Quiet,
            // Nobody puts it in order after a kill: all of it goes.
            catalog: None,
            point: None,
        }
    }
}

/// Refuses a path that a link leads out of `stage`: what is mounted must be a copy.
fn contained(path: &Path, stage: &Path, copy: &Path) -> Result<(), BackupError> {
    let real = |path: &Path| {
        path.canonicalize().map_err(|error| BackupError::File(path.to_owned(), error))
    };
    if real(path)?.starts_with(real(stage)?) {
        return Ok(());
    }
    let path = path.strip_prefix(copy).unwrap_or(path).display();
    Err(BackupError::Refused(format!(
        "{path} in the backup is a link that leads to the living stack; nothing was mounted from there"
    )))
}

/// Where things are for a minute says nothing to people.
struct Quiet;

impl Tell for Quiet {
    fn step(&self, _: &str) {}
}

/// The configuration that came back; the compose file that it names is the copy.
fn read(living: &Config, places: &Places) -> Result<Config, BackupError> {
    let name = living.path.file_name().unwrap_or("vigie.toml".as_ref());
    let path: PathBuf = places.copy.join(name);
    let mut restored = Config::read(&path).map_err(|error| {
        BackupError::Damaged(format!("the configuration in the backup: {error}"))
    })?;
    let stack = &mut restored.file.stack;
    let compose = stack.compose.take();
    stack.compose = compose.map(|file| places.copied(&places.living.join(file)).1);
    Ok(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_out_is_refused_and_one_inside_is_not() {
        let (stage, living) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let copy = stage.path().join("town");
        std::fs::create_dir_all(copy.join("addons")).unwrap();
        std::os::unix::fs::symlink("addons", copy.join("near")).unwrap();
        std::os::unix::fs::symlink(living.path(), copy.join("far")).unwrap();
        let look = |name: &str| contained(&copy.join(name), stage.path(), &copy);
        look("addons").unwrap();
        look("near").unwrap();
        let said = look("far").unwrap_err().to_string();
        assert!(said.starts_with("far in the backup is a link"), "{said}");
        std::fs::create_dir(living.path().join("below")).unwrap();
        assert!(look("far/below").is_err());
    }

    #[test]
    fn the_compose_file_that_is_read_is_the_copy() {
        let copy = tempfile::tempdir().unwrap();
        let living = PathBuf::from("/srv/town");
        let outside = copy.path().join(OUTSIDE);
        let places = Places { living, copy: copy.path().into(), outside: outside.clone() };
        let named = |compose: &str| {
            let text = format!(
                "[stack]\nname = \"x\"\ncompose = \"{compose}\"\n[service.a]\nrole = \"other\"\n"
            );
            std::fs::write(copy.path().join("vigie.toml"), &text).unwrap();
            let living = Config::parse(Path::new("/srv/town/vigie.toml"), &text).unwrap();
            read(&living, &places).unwrap().file.stack.compose.unwrap()
        };
        assert_eq!(named("docker-compose.yml"), copy.path().join("docker-compose.yml"));
        assert_eq!(named("/srv/town/docker-compose.yml"), copy.path().join("docker-compose.yml"));
        assert_eq!(named("../other/compose.yml"), outside.join("srv/other/compose.yml"));
    }
}
