//! Does: which watched files are not as they were when the stack last worked: compared with the last
//! known good restore point, or with the commit of a day ago where there is none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vigie_backup::Repository;

use vigie_core::respond::ChangedFile;
use vigie_core::snapshot::Point;

use super::{Shelf, last_good, project};
use crate::config::Config;
use crate::respond::{Redactor, told, unlike_yesterday};

/// Directories below a mount that are looked into, and entries in all.
const DEPTH: usize = 8;
const ENTRIES: usize = 50_000;
/// A configuration is smaller.
const LARGEST: u64 = 1024 * 1024;

/// The watched files of `service` that have changed. `mounts` are directories of this host and where
/// the service has them.
///
/// # Errors
/// Why nobody can tell, in one line.
pub async fn changed_files(
    config: &Config,
    service: &str,
    mounts: &[(String, String)],
    redactor: &Redactor,
) -> Result<Vec<ChangedFile>, String> {
    let names = config.file.service.get(service).map(|service| service.config_files.clone());
    let names: BTreeSet<String> = names.unwrap_or_default().into_iter().collect();
    let mounts: Vec<PathBuf> = mounts.iter().map(|(here, _)| PathBuf::from(here)).collect();
    let mut files: BTreeSet<PathBuf> = project::compose_files(config).into_iter().collect();
    let found = tokio::task::spawn_blocking(move || find(&mounts, &names)).await;
    files.extend(found.map_err(|error| error.to_string())?);
    let good = Shelf::look(config).map_err(|error| error.to_string())?;
    let good = last_good(&good).and_then(|name| good.iter().find(|point| &point.name == name));
    // Opened once for all of them: a repository opens slowly on purpose.
    let repository = match good {
        Some(_) => {
            let config = config.clone();
            let opened = tokio::task::spawn_blocking(move || Shelf::peek(&config)).await;
            opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?
        }
        None => None,
    };
    let mut changed = Vec::new();
    for file in files {
        let name = shown(config, &file);
        let then = match (good, &repository) {
            (Some(point), Some(repository)) => kept(config, repository, point, &file).await,
            _ => None,
        };
        if let (Some(before), Some(point)) = (then, good) {
            let Some(now) = read(&file) else { continue };
            if before != now {
                let diff = told(&difference(&before, &now, &name), redactor);
                changed.push(ChangedFile { file: name, since: point.name.to_string(), diff });
            }
        } else if let Some((since, diff)) = unlike_yesterday(&file).await {
            changed.push(ChangedFile { file: name, since, diff: told(&diff, redactor) });
        }
    }
    Ok(changed)
}

fn shown(config: &Config, file: &Path) -> String {
    let directory = config.directory();
    crate::text::printable(&file.strip_prefix(&directory).unwrap_or(file).to_string_lossy())
}

fn difference(before: &[u8], now: &[u8], name: &str) -> String {
    let (before, now) = (String::from_utf8_lossy(before), String::from_utf8_lossy(now));
    let told = similar::TextDiff::from_lines(&before, &now);
    told.unified_diff().context_radius(1).header(name, name).to_string()
}

fn read(file: &Path) -> Option<Vec<u8>> {
    let size = std::fs::metadata(file).ok()?.len();
    (size <= LARGEST).then(|| std::fs::read(file).ok())?
}

/// Files of these names in the mounts, or that are mounted themselves.
fn find(mounts: &[PathBuf], names: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = ENTRIES;
    for mount in mounts {
        let mut rooms = vec![(mount.clone(), 0)];
        if mount.is_file() && is_named(mount, names) {
            found.insert(mount.clone());
        }
        while let Some((room, depth)) = rooms.pop() {
            for entry in std::fs::read_dir(&room).into_iter().flatten().flatten() {
                left = left.saturating_sub(1);
                if left == 0 {
                    return found;
                }
                let path = entry.path();
                // A link is not followed: it may lead round in a circle.
                let kind = entry.file_type();
                if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) {
                    let inner = depth < DEPTH && !path.ends_with(".git");
                    rooms.extend(inner.then_some((path, depth + 1)));
                } else if kind.is_ok_and(|kind| kind.is_file()) && is_named(&path, names) {
                    found.insert(path);
                }
            }
        }
    }
    found
}

fn is_named(path: &Path, names: &BTreeSet<String>) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| names.contains(name))
}

/// A file as the point has it; none where it does not have it.
async fn kept(
    config: &Config,
    repository: &Repository,
    point: &Point,
    file: &Path,
) -> Option<Vec<u8>> {
    let inside = file.strip_prefix(config.directory()).ok()?;
    let bind = point.binds.iter().find_map(|part| {
        let inside = inside.strip_prefix(&part.name).ok()?;
        Some((part, inside.to_owned()))
    });
    let project = point.project.as_ref().map(|part| (part, inside.to_owned()));
    let (part, inside) = bind.or(project)?;
    let (repository, snapshot) = (repository.clone(), part.snapshot.clone());
    let work = move || {
        let mut bytes = Vec::new();
        // That it is not in there is no fault.
        let found = repository.get_file(&snapshot, &inside.to_string_lossy(), &mut bytes);
        found.ok().map(|()| bytes)
    };
    tokio::task::spawn_blocking(work).await.ok().flatten()
}
