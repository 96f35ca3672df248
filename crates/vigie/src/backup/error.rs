//! Decides how what goes wrong with backups is said: what, why, and what to try next.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backup::binlog::BinlogError;
use crate::backup::database::DatabaseError;
use crate::runtime::RuntimeError;

/// Why a backup, or its way back, did not work.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no `[backup]`.
    #[error(
        "nothing is backed up: vigie.toml has no [backup]; write [backup] with a password and \
         [backup.site.disk] with local = \"/mnt/backup\", then: vigie backup init"
    )]
    NotConfigured,
    /// No such site.
    #[error("there is no site `{0}` in vigie.toml; known there: {1}")]
    NoSite(String, String),
    /// Nothing of that name.
    #[error("nothing that is backed up is called `{0}`; known: {1}")]
    NoAsset(String, String),
    /// Nothing was kept of it, or not as of then.
    #[error("no backup of {0}{1}; see: vigie backup list")]
    NoBackup(String, String),
    /// A secret cannot be had.
    #[error("the secret of {0}: {1}")]
    Secret(String, String),
    /// There is no repository.
    #[error(
        "there is no repository at the site {0} ({1}); is its disk mounted? If it is new: vigie backup init"
    )]
    NoRepository(String, String),
    /// The repository.
    #[error("site {0}: {1}")]
    Site(String, #[source] vigie_backup::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The binary log.
    #[error(transparent)]
    Binlog(#[from] BinlogError),
    /// A file of this host.
    #[error("{at}: {1}", at = .0.display())]
    File(PathBuf, #[source] std::io::Error),
    /// Another vigie is at work.
    #[error("another vigie is at work on the backups here; try again when it is done")]
    Busy,
    /// The worker ended without a word.
    #[error("the work was ended: {0}")]
    Worker(String),
    /// Something is damaged.
    #[error("{0}")]
    Damaged(String),
    /// It cannot be done as wished.
    #[error("{0}")]
    Refused(String),
    /// What a worker said, and what kind of error it was there.
    #[error("{1}")]
    Said(Class, String),
}

/// What kind of error it is, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What was asked for is not there, or not configured.
    Usage,
    /// The engine cannot be reached.
    Unreachable,
    /// It must not be done now.
    Refused,
    /// Anything else.
    Finding,
}

impl BackupError {
    /// What kind of error it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::NotConfigured
            | Self::NoSite(..)
            | Self::NoAsset(..)
            | Self::NoBackup(..)
            | Self::NoRepository(..)
            | Self::Secret(..) => Class::Usage,
            Self::Engine(error) if error.is_lost() => Class::Unreachable,
            Self::Busy | Self::Refused(_) => Class::Refused,
            Self::Said(class, _) => *class,
            _ => Class::Finding,
        }
    }
}
