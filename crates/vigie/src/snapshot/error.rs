//! Does: what can keep a restore point from being made or gone back to.

use std::path::PathBuf;

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
    #[error("there is a restore point or an image {0} already; take another name, or --bump minor")]
    Exists(String),
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
