//! Does: writes the planned files. Each is written beside the old one and put in its place whole, with
//! its mode and owner; the old compose file stays as a copy. What somebody changed meanwhile is left.

use std::path::{Path, PathBuf};

use super::collect::shown;
use super::patch::Kind;
use super::{DoctorError, FileChange, Looked};
use crate::whole::{self, Access};

/// What holds secrets is read by its owner alone.
const PRIVATE: u32 = 0o600;

/// Writes `changes`, and gives what was written and the copies, as they are shown. `stamp` tells this run's
/// copies from others.
///
/// # Errors
/// When a file cannot be written, or is not any more what the plan was made from.
pub fn write(
    looked: &Looked,
    changes: &[FileChange],
    stamp: &str,
) -> Result<Vec<String>, DoctorError> {
    let path = |change: &FileChange| match change.kind {
        Kind::Compose(number) => looked.paths[number].clone(),
        Kind::Dotenv => looked.directory.join(".env"),
        Kind::Gitignore => looked.directory.join(".gitignore"),
    };
    for change in changes {
        if std::fs::read_to_string(path(change)).ok() != change.before {
            return Err(DoctorError::Changed(path(change)));
        }
    }
    let mut written = Vec::new();
    for change in changes {
        // A link stays a link: what it leads to is written.
        let path = path(change);
        let path = path.canonicalize().unwrap_or(path);
        let failed = |error| DoctorError::Unwritable(path.clone(), error);
        if let Kind::Compose(_) = change.kind {
            std::fs::copy(&path, copy_of(&path, stamp)).map_err(failed)?;
            written.push(shown(&copy_of(Path::new(&change.path), stamp)));
        }
        replace(&path, change).map_err(failed)?;
        written.push(change.path.clone());
    }
    Ok(written)
}

fn copy_of(path: &Path, stamp: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.vigie-{stamp}.bak"))
}

fn replace(path: &Path, change: &FileChange) -> std::io::Result<()> {
    let access =
        if change.kind == Kind::Dotenv { Access::Mode(PRIVATE) } else { Access::Kept(0o644) };
    whole::put(path, change.after.as_bytes(), access)
}
