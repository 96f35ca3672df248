//! Does: backups of restore points, all of a stack as one asset. What is in a point is given from the
//! repository beside the stack to the sites, and kept there once, however many points and backups have it;
//! its images are kept by their layers, as those of services are. It never removes anything.

mod back;
mod keep;
mod prove;
mod record;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use vigie_backup::{Error, Repository, SnapshotId};

use vigie_core::backup::Kind;

use super::BackupError;
use crate::config::Config;
use crate::snapshot::{Shelf, SnapshotError};

/// How the labels of what restore points have begin.
const PART: &str = "part:";

/// What is said where there is none.
pub(super) const NONE: &str = "there is no restore point to back up yet; the first one: vigie snapshot create --bump minor base";

/// The label of a content.
pub(super) fn label(content: &str) -> String {
    format!("{PART}{content}")
}

/// Whether a label is that of a content.
pub(super) fn is_part(label: &str) -> bool {
    label.starts_with(PART)
}

/// What a content with these tags is of, for people.
pub(super) fn shown(tags: &[String]) -> String {
    let mut tags = tags.to_vec();
    tags.sort();
    format!("points ({})", tags.join(", "))
}

/// The contents among these snapshots, and the snapshots.
fn parts(snapshots: &[(SnapshotId, String, Vec<String>)]) -> Vec<(&str, &str)> {
    let parts = snapshots.iter().filter_map(|(id, label, _)| Some((label.strip_prefix(PART)?, id)));
    parts.map(|(content, id)| (content, id.as_str())).collect()
}

/// The repository of restore points beside the stack, where there is one.
///
/// # Errors
/// When it cannot be read.
pub(super) fn beside(config: &Config) -> Result<Option<Repository>, BackupError> {
    Shelf::peek(config).map_err(said)
}

/// The name under which the failed backup of a restore point is remembered.
pub(super) fn failed_name(point: impl Display) -> String {
    format!("{}:{point}", Kind::Points.word())
}

/// Whether this is such a name.
pub(super) fn is_failed_name(name: &str) -> bool {
    name.split_once(':').is_some_and(|(kind, _)| kind == Kind::Points.word())
}

/// Makes the repository of restore points beside the stack; it cuts data where `like` does.
///
/// # Errors
/// When it cannot be made.
pub(super) fn begin(config: &Config, like: &Repository) -> Result<(), BackupError> {
    let shelf = Shelf::open(config).map_err(said)?;
    shelf.repository_like(like).map(drop).map_err(said)
}

/// Whether this is the name of a failed backup of a restore point that is not here any more.
pub(super) fn is_gone(config: &Config, name: &str) -> bool {
    let Ok((points, unread)) = Shelf::look_at_each(config) else { return false };
    let points = points.iter().map(|one| one.name.to_string());
    let mut known = points.chain(unread.into_iter().map(|(one, _)| one)).map(failed_name);
    is_failed_name(name) && !known.any(|one| one == name)
}

/// How what goes wrong is said of a work between `site` and the repository beside the stack.
fn told(site: &str, shelf: &Repository, error: Error) -> BackupError {
    if error.place() != Some(&shelf.place()) {
        return BackupError::Site(site.to_owned(), error);
    }
    match error {
        Error::Locked { .. } => BackupError::Refused(error.to_string()),
        error => BackupError::Damaged(format!(
            "{error}; what is damaged beside the stack comes back by: vigie backup restore points --in-place"
        )),
    }
}

/// How what goes wrong with restore points is said of their backup.
fn said(error: SnapshotError) -> BackupError {
    match error {
        SnapshotError::Engine(error) => BackupError::Engine(error),
        SnapshotError::File(at, error) => BackupError::File(at, error),
        SnapshotError::Repository(error @ Error::Locked { .. }) => {
            BackupError::Refused(error.to_string())
        }
        SnapshotError::Repository(error) => BackupError::Damaged(error.to_string()),
        other => BackupError::Refused(other.to_string()),
    }
}
