//! Does: what can keep a restore point from being made or gone back to.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use vigie_core::compose::Refusal;
use vigie_core::snapshot::{NameError, PointName};

use crate::runtime::RuntimeError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is one of that name.
    #[error(
        "there is a restore point {0} already; take another name (with `create --bump minor` the \
         description is enough)"
    )]
    Exists(PointName),
    /// An image has the name, and no restore point.
    #[error(
        "the engine has an image {0} already that is no restore point; take another name, or make it \
         one: vigie snapshot adopt {0}"
    )]
    Taken(String),
    /// What was asked for is not clear, or not there.
    #[error("{0}")]
    Unclear(String),
    /// There is none of that name.
    #[error("there is no restore point {0}; try: vigie snapshot list")]
    Unknown(PointName),
    /// Another command is at it.
    #[error("another vigie makes or goes back to a restore point now; wait for its end")]
    Busy,
    /// The disk would be too full.
    #[error(
        "{place} has {free} free, and this needs about {needed} with the reserve; make room \
         (vigie snapshot prune), or lower `reserve` in [snapshot]"
    )]
    Full {
        /// Where.
        place: PathBuf,
        /// Bytes that are free, for people.
        free: String,
        /// Bytes that are needed, for people.
        needed: String,
    },
    /// The disk became full.
    #[error(
        "the disk at {disk} became full ({place} is on it), and nothing is kept; make room on it \
         (vigie snapshot prune removes old points), then try again"
    )]
    BecameFull {
        /// Where it is mounted.
        disk: PathBuf,
        /// What could not be written.
        place: PathBuf,
    },
    /// This account may not read a part.
    #[error(
        "{0} cannot be read by this account, and nothing was begun; do it as one that can, usually \
         root: sudo vigie snapshot …"
    )]
    Unreadable(PathBuf),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    /// The repository.
    #[error(transparent)]
    Repository(#[from] vigie_backup::Error),
    /// A file.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// A restore point's description does not read.
    #[error(
        "{0} is no restore point's description: {1}; it was written by hand or by a later vigie"
    )]
    Description(PathBuf, String),
    /// The compose file cannot be edited safely.
    #[error("{0}: {1}")]
    Compose(PathBuf, Refusal),
    /// The stack has nothing that could be kept.
    #[error("{0}")]
    Nothing(String),
    /// A database's program failed.
    #[error("{program} in {service} ended with exit code {code}: {why}")]
    Database {
        /// Which program.
        program: String,
        /// Where.
        service: String,
        /// Its exit code.
        code: i64,
        /// What it complained about.
        why: String,
    },
    /// It does not work as players see it.
    #[error("{service} does not work after {after}: {why}")]
    NotWell {
        /// The service.
        service: String,
        /// How long it was given, for people.
        after: String,
        /// Why not.
        why: String,
    },
    /// A rollback did not work and was taken back.
    #[error(
        "going back to {to} failed ({why}); everything is again as it was before, see {safety}"
    )]
    Undone {
        /// Where to.
        to: Box<PointName>,
        /// The point that was made before.
        safety: Box<PointName>,
        /// Why.
        why: String,
    },
    /// A rollback did not work, nor did taking it back.
    #[error(
        "going back to {to} failed ({why}), and so did taking it back ({undo}); try again: \
         vigie snapshot rollback {safety}"
    )]
    Stuck {
        /// Where to.
        to: Box<PointName>,
        /// The point that was made before.
        safety: Box<PointName>,
        /// Why it failed.
        why: String,
        /// Why taking it back failed.
        undo: String,
    },
}

impl SnapshotError {
    /// The same, told as a disk that became full where that is what it is.
    pub(super) fn of_disk(self) -> Self {
        let place = match &self {
            // A shelf's repository is a directory of this host.
            Self::Repository(vigie_backup::Error::Site {
                place,
                trouble: vigie_backup::SiteTrouble::Full,
                ..
            }) => PathBuf::from(place),
            Self::Repository(vigie_backup::Error::File(place, why)) | Self::File(place, why)
                if why.kind() == std::io::ErrorKind::StorageFull =>
            {
                place.clone()
            }
            _ => return self,
        };
        Self::BecameFull { disk: disk(&place), place }
    }
}

/// Where the disk is mounted that `path` is on, or would be.
fn disk(path: &Path) -> PathBuf {
    let device = |path: &Path| path.metadata().ok().map(|seen| seen.dev());
    let mut above = path.ancestors().skip_while(|path| device(path).is_none());
    let Some(first) = above.next() else { return path.to_owned() };
    let same = above.take_while(|above| device(above) == device(first));
    same.last().unwrap_or(first).to_owned()
}
