//! Does: finds what a stack has that can be lost: its databases, volumes, mounted directories, images,
//! the project itself and its restore points.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vigie_core::backup::{Asset, Kind};
use vigie_core::stack::Role;

use super::{BackupError, Catalog};
use crate::config::Config;
use crate::runtime::docker::{Container, Docker};
use crate::snapshot::Shelf;

/// What is backed up of the stack, in the order of its names; what is excluded is left out.
///
/// # Errors
/// What the engine says.
pub async fn assets(config: &Config, docker: Option<&Docker>) -> Result<Vec<Asset>, BackupError> {
    let mut found = vec![Asset { kind: Kind::Project, service: None, what: String::new() }];
    for (_, service) in config.stack.services() {
        let name = &service.name;
        let file = config.file.service.get(name);
        let schema = file.and_then(|file| file.database.as_ref()?.schema.clone());
        if let Some(what) = schema {
            found.push(Asset { kind: Kind::Database, service: Some(name.clone()), what });
        }
        let Some(docker) = docker else { continue };
        let Some(container) = docker.container(name).await? else { continue };
        // A database's files under a running server are no backup of it: its dump is. What it is set
        // up with is no data.
        let is_database = service.role == Role::Database;
        for volume in container.volumes.iter().filter(|_| !is_database) {
            let what = volume.name.clone();
            found.push(Asset { kind: Kind::Volume, service: Some(name.clone()), what });
        }
        for directory in mounts_of(config, &container) {
            if is_database && has_data(&config.directory().join(&directory)) {
                continue;
            }
            let what = directory.display().to_string();
            found.push(Asset { kind: Kind::Files, service: Some(name.clone()), what });
        }
        let what = container.image.clone();
        found.push(Asset { kind: Kind::Image, service: Some(name.clone()), what });
    }
    // Where all of them are gone, their last backup is missed.
    if docker.is_some() && (Shelf::has_any(config) || Catalog::has(config, Kind::Points.word())) {
        found.push(Asset { kind: Kind::Points, service: None, what: String::new() });
    }
    let mut found = once(found);
    found.retain(|asset| !is_excluded(config, asset));
    Ok(found)
}

/// Each name once, in their order: services may share volumes and directories.
fn once(mut found: Vec<Asset>) -> Vec<Asset> {
    found.sort();
    let mut names = BTreeSet::new();
    found.retain(|asset| names.insert(asset.name()));
    found
}

fn is_excluded(config: &Config, asset: &Asset) -> bool {
    let backup = config.file.backup.as_ref();
    backup.is_some_and(|backup| backup.exclude.iter().any(|name| asset.is_called(name)))
}

/// Databases that nobody can back up, because no schema is said for them; what is excluded is left out.
#[must_use]
pub fn unkept(config: &Config) -> Vec<String> {
    let excluded = config.file.backup.as_ref().map(|backup| backup.exclude.as_slice());
    let excluded = excluded.unwrap_or_default();
    let is_excluded = |name: &str| excluded.iter().any(|one| one == name || one == "database");
    let services = config.stack.services().filter(|(_, one)| one.role == Role::Database);
    let without = services.filter(|(_, service)| {
        let file = config.file.service.get(&service.name);
        file.and_then(|file| file.database.as_ref()?.schema.as_ref()).is_none()
    });
    without.map(|(_, one)| one.name.clone()).filter(|name| !is_excluded(name)).collect()
}

/// What to do about the project's own directory where it is mounted whole.
pub(super) const INSTEAD: &str = "mount a directory of the project instead of the project itself: of that, \
    only the files that the compose files and vigie.toml name are in a backup";

/// The project's own directory, where a service has it mounted: nobody backs that up, because the journal and
/// local sites are in it, and none of them may be exchanged for an older one. Nothing where it is excluded.
///
/// # Errors
/// What the engine says.
pub(super) async fn unkept_project(
    config: &Config,
    docker: Option<&Docker>,
) -> Result<Option<Asset>, BackupError> {
    let Some(docker) = docker else { return Ok(None) };
    for (_, service) in config.stack.services() {
        let container = docker.container(&service.name).await?;
        if container.is_some_and(|container| has_project(config, &container)) {
            let what = String::from(".");
            let asset = Asset { kind: Kind::Files, service: Some(service.name.clone()), what };
            return Ok((!is_excluded(config, &asset)).then_some(asset));
        }
    }
    Ok(None)
}

fn has_project(config: &Config, container: &Container) -> bool {
    let project = config.directory();
    container.binds.iter().any(|(here, _)| *here == project)
}

/// Whether a database's server has its data in this directory; also where nobody may look inside.
fn has_data(directory: &Path) -> bool {
    let readable = std::fs::read_dir(directory).is_ok();
    !readable || ["ibdata1", "mysql", "PG_VERSION"].iter().any(|name| directory.join(name).exists())
}

/// The directories that a container has mounted from this host, relative to the project where they are
/// inside it.
#[must_use]
pub fn mounts_of(config: &Config, container: &Container) -> Vec<PathBuf> {
    let project = config.directory();
    let directories = container.binds.iter().map(|(here, _)| here).filter(|here| here.is_dir());
    let shown = directories.map(|here| here.strip_prefix(&project).unwrap_or(here).to_owned());
    let mut shown: Vec<PathBuf> = shown.filter(|path| path != Path::new("")).collect();
    shown.sort();
    shown.dedup();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_share_is_kept_once_wherever_it_stands() {
        let asset = |kind, service: &str, what: &str| Asset {
            kind,
            service: Some(service.to_owned()),
            what: what.to_owned(),
        };
        let all = [Kind::Volume, Kind::Files].into_iter().flat_map(|kind| {
            [("a", "one"), ("a", "two"), ("b", "one"), ("b", "two")]
                .map(|(service, what)| asset(kind, service, what))
        });
        let image = |service| asset(Kind::Image, service, "x");
        let found = once(all.chain([image("b"), image("a")]).collect());
        let names: Vec<String> = found.iter().map(Asset::name).collect();
        let wanted = ["volume:one", "volume:two", "files:one", "files:two", "image:a", "image:b"];
        assert_eq!(names, wanted);
    }

    #[test]
    fn a_project_that_is_mounted_whole_is_seen() {
        let project = tempfile::tempdir().unwrap();
        std::fs::create_dir(project.path().join("addons")).unwrap();
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";
        let config = Config::parse(&project.path().join("vigie.toml"), text).unwrap();
        let container = |here: PathBuf| Container {
            image: String::from("x"),
            image_id: String::new(),
            runs: true,
            started: None,
            volumes: Vec::new(),
            binds: vec![(here, String::from("/home/steam"))],
            content: None,
        };
        let whole = container(project.path().to_owned());
        assert!(has_project(&config, &whole));
        assert_eq!(mounts_of(&config, &whole), Vec::<PathBuf>::new());
        let part = container(project.path().join("addons"));
        assert!(!has_project(&config, &part));
        assert_eq!(mounts_of(&config, &part), [PathBuf::from("addons")]);
    }
}
