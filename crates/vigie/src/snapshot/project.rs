//! Does: the project's own files: compose files, `.env`, vigie's configuration, runbooks, single files
//! that services have mounted, and what is not committed in its git repositories.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use vigie_core::snapshot::Repository;

use super::SnapshotError;
use crate::config::Config;
use crate::runtime::docker::{Container, files};
use crate::whole::{Access, Draft};

/// Where patches are among the kept files.
pub(super) const PATCHES: &str = ".vigie-patches";

/// The compose files of `config`, as Compose reads them.
pub(super) fn compose_files(config: &Config) -> Vec<PathBuf> {
    let directory = config.directory();
    let named = config.file.stack.compose.as_ref().map(|file| directory.join(file));
    let at = named.as_deref().and_then(Path::parent).unwrap_or(&directory).to_owned();
    let mut files = files::read_in(&at, |name| std::env::var(name).ok());
    if let Some(named) = named
        && !files.contains(&named)
    {
        files = vec![named];
    }
    files
}

/// The files of the project, as paths in its directory.
pub(super) fn members(config: &Config, containers: &[Container]) -> Vec<PathBuf> {
    let directory = config.directory();
    let mut found: BTreeSet<PathBuf> = compose_files(config).into_iter().collect();
    found.insert(directory.join(".env"));
    found.insert(std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone()));
    if let Ok(runbooks) = std::fs::read_dir(directory.join(&config.file.stack.runbooks)) {
        let books = runbooks.flatten().map(|entry| entry.path());
        found.extend(books.filter(|path| path.extension().is_some_and(|end| end == "toml")));
    }
    let binds = containers.iter().flat_map(|one| &one.binds).map(|(from, _)| from.clone());
    found.extend(binds);
    let inside = found.into_iter().filter(|path| path.is_file());
    inside.filter_map(|path| path.strip_prefix(&directory).ok().map(Path::to_owned)).collect()
}

/// Directories of the project that services have mounted, but those of databases: these are dumped.
pub(super) fn binds(
    config: &Config,
    containers: &[(&str, &Container)],
) -> Vec<(PathBuf, Vec<(String, String)>)> {
    let directory = config.directory();
    let mut found: Vec<(PathBuf, Vec<(String, String)>)> = Vec::new();
    for (service, container) in containers {
        for (from, at) in container.binds.iter().filter(|(from, _)| from.is_dir()) {
            let Ok(inside) = from.strip_prefix(&directory) else { continue };
            if inside.as_os_str().is_empty() {
                continue;
            }
            let mount = ((*service).to_owned(), at.clone());
            match found.iter_mut().find(|(known, _)| known == inside) {
                Some((_, mounts)) => mounts.push(mount),
                None => found.push((inside.to_owned(), vec![mount])),
            }
        }
    }
    found
}

/// Copies `members` and patches into `to`, which is then kept; modes and owners stay.
pub(super) fn gather(
    config: &Config,
    members: &[PathBuf],
    patches: &[(String, Vec<u8>)],
    to: &Path,
) -> Result<(), SnapshotError> {
    let directory = config.directory();
    for member in members {
        let target = to.join(member);
        copy(&directory.join(member), &target)
            .map_err(|error| SnapshotError::File(directory.join(member), error))?;
    }
    for (name, patch) in patches {
        let target = to.join(PATCHES).join(name);
        let write = || {
            std::fs::create_dir_all(to.join(PATCHES))?;
            std::fs::write(&target, patch)
        };
        write().map_err(|error| SnapshotError::File(target.clone(), error))?;
    }
    Ok(())
}

/// Puts the files in `from` back, each as a whole; a file that is the same is left alone.
pub(super) fn spread(config: &Config, from: &Path) -> Result<(), SnapshotError> {
    let directory = config.directory();
    for member in below(from).map_err(|error| SnapshotError::File(from.to_owned(), error))? {
        if member.starts_with(PATCHES) {
            continue;
        }
        let (source, target) = (from.join(&member), directory.join(&member));
        let same = std::fs::read(&source).ok() == std::fs::read(&target).ok();
        if same && target.exists() {
            continue;
        }
        copy(&source, &target).map_err(|error| SnapshotError::File(target, error))?;
    }
    Ok(())
}

fn below(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut rooms = vec![root.to_owned()];
    while let Some(room) = rooms.pop() {
        for entry in std::fs::read_dir(room)? {
            let path = entry?.path();
            if path.is_dir() {
                rooms.push(path);
            } else if let Ok(member) = path.strip_prefix(root) {
                found.push(member.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Content, mode, owner and attributes.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(directory) = to.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut draft = Draft::of(to)?;
    std::io::copy(&mut File::open(from)?, &mut draft)?;
    draft.put(Access::Like(from))
}

/// The git repositories around the project and what services have mounted, with what is not committed.
pub(super) async fn repositories(
    config: &Config,
    directories: &[PathBuf],
) -> Vec<(Repository, Option<Vec<u8>>)> {
    let project = config.directory();
    let mut roots = BTreeSet::new();
    for directory in std::iter::once(&project).chain(directories) {
        roots.extend(crate::respond::root(directory).await);
    }
    let mut found = Vec::new();
    for root in roots {
        let Some((commit, branch, patch)) = crate::respond::checked_out(&root).await else {
            continue;
        };
        let directory = root.strip_prefix(&project).unwrap_or(&root);
        let directory = match directory.display().to_string() {
            inside if inside.is_empty() => String::from("."),
            other => other,
        };
        let dirty = !patch.is_empty();
        let repository = Repository { directory, commit, branch, dirty };
        found.push((repository, dirty.then_some(patch)));
    }
    found
}
