//! Does: what a restore point is made of and goes back to: the configuration, its engine, its shelf.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::Access;
use rustix::io::Errno;
use vigie_backup::Meter;
use vigie_core::compose::ImageName;
use vigie_core::stack::Role;

use super::{Shelf, SnapshotError};
use crate::config::Config;
use crate::runtime::docker::{Container, Docker};
use crate::text::size;

/// Where the work is done.
pub struct Place<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The engine.
    pub docker: &'a Docker,
    /// The restore points.
    pub shelf: &'a Shelf,
    /// Hears how far long works are.
    pub meter: Option<Arc<dyn Meter>>,
    /// Hears in one line what is being done.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("shelf", &self.shelf).finish_non_exhaustive()
    }
}

impl Place<'_> {
    /// The services that have a container, in the order in which they start.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn services(&self) -> Result<Vec<(String, Role, Container)>, SnapshotError> {
        services(self.config, self.docker).await
    }

    /// Refuses when less than the reserve would be left beside `needed` bytes at `place`.
    ///
    /// # Errors
    /// [`SnapshotError::Full`].
    pub fn room(&self, place: &Path, needed: u64) -> Result<(), SnapshotError> {
        room(self.config, place, needed)
    }
}

/// As [`Place::room`]; what is not there yet is looked at where it will be.
pub(crate) fn room(config: &Config, place: &Path, needed: u64) -> Result<(), SnapshotError> {
    let there = place.ancestors().find(|path| path.exists()).unwrap_or(place);
    let seen = rustix::fs::statvfs(there);
    let seen = seen.map_err(|error| SnapshotError::File(place.to_owned(), error.into()))?;
    let free = seen.f_bavail.saturating_mul(seen.f_frsize);
    let needed = needed.saturating_add(config.file.snapshot.reserve);
    if free < needed {
        let (free, needed) = (size(free), size(needed));
        return Err(SnapshotError::Full { place: place.to_owned(), free, needed });
    }
    Ok(())
}

/// The services of `config` that have a container, in the order in which they start.
pub(super) async fn services(
    config: &Config,
    docker: &Docker,
) -> Result<Vec<(String, Role, Container)>, SnapshotError> {
    let mut found = Vec::new();
    for name in order(config) {
        let Some(container) = docker.container(&name).await? else { continue };
        let id = config.stack.find(&name);
        let role = id.map_or(Role::Other, |id| config.stack.service(id).role);
        found.push((name, role, container));
    }
    Ok(found)
}

/// What the image of a container is called, without its tag.
pub(super) fn repository(container: &Container) -> String {
    let name = ImageName::parse(&container.image).map(|name| name.repository);
    let name = name.filter(|name| !name.starts_with("sha256:") && !name.is_empty());
    name.unwrap_or_else(|| String::from("vigie/unnamed"))
}

/// Every service of `config`, each behind those that it needs.
fn order(config: &Config) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut left: Vec<_> = config.stack.services().collect();
    while !left.is_empty() {
        let ready = left.iter().position(|(_, service)| {
            let names = service.depends_on.iter().map(|id| &config.stack.service(*id).name);
            let mut names = names;
            names.all(|name| order.contains(name))
        });
        // A circle has no beginning: any will do.
        let (_, service) = left.remove(ready.unwrap_or(0));
        order.push(service.name.clone());
    }
    order
}

/// Refuses what this account may not read in the directory or file `path`, before anything is begun.
///
/// # Errors
/// [`SnapshotError::Unreadable`] with the first of it.
pub(super) fn readable(path: &Path) -> Result<(), SnapshotError> {
    let denied = |error: &std::io::Error| error.kind() == ErrorKind::PermissionDenied;
    let unreadable = || SnapshotError::Unreadable(path.to_owned());
    let seen = match path.symlink_metadata() {
        Ok(seen) => seen,
        Err(error) if denied(&error) => return Err(unreadable()),
        // What went away since its directory was read was not there to be kept.
        Err(_) => return Ok(()),
    };
    if seen.is_dir() {
        return match std::fs::read_dir(path) {
            Ok(entries) => entries.flatten().try_for_each(|entry| readable(&entry.path())),
            Err(error) if denied(&error) => Err(unreadable()),
            Err(_) => Ok(()),
        };
    }
    let asked = seen.is_file().then(|| rustix::fs::access(path, Access::READ_OK));
    match asked {
        Some(Err(Errno::ACCESS)) => Err(unreadable()),
        _ => Ok(()),
    }
}

/// Bytes of all files below `path`, holes counted as nothing.
#[must_use]
pub(super) fn weight(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let weigh = |entry: std::fs::DirEntry| {
        let Ok(seen) = entry.metadata() else { return 0 };
        if seen.is_dir() { weight(&entry.path()) } else { seen.blocks().saturating_mul(512) }
    };
    entries.flatten().map(weigh).sum()
}
