//! Does: finds what a stack has that can be lost: its databases, volumes, mounted directories, images,
//! and the project itself.

use std::path::{Path, PathBuf};

use vigie_core::backup::{Asset, Kind};
use vigie_core::stack::Role;

use super::BackupError;
use crate::config::Config;
use crate::runtime::docker::{Container, Docker};

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
    found.sort();
    // Two services may share a volume or a directory.
    found.dedup_by(|one, other| one.kind == other.kind && one.name() == other.name());
    let excluded = config.file.backup.as_ref().map(|backup| backup.exclude.as_slice());
    let is_excluded =
        |asset: &Asset| excluded.unwrap_or_default().iter().any(|name| asset.is_called(name));
    found.retain(|asset| !is_excluded(asset));
    Ok(found)
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
