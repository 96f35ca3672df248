//! Decides how what keeps a stack from being recovered is said: what, why, and what to try next.

use crate::backup::recover::SourceError;
use crate::backup::{BackupError, Class};
use crate::config::ConfigError;
use crate::runtime::RuntimeError;

/// Why a stack was not brought back.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Where from.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The backups.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    /// The configuration that came back.
    #[error("the configuration in the backup: {0}")]
    Config(#[from] ConfigError),
    /// Nothing to bring back.
    #[error("{0}")]
    Nothing(String),
    /// Something lives there.
    #[error("nothing was touched: {0}")]
    Living(String),
    /// Another one is at work, or it is done.
    #[error("{0}")]
    Refused(String),
    /// It does not answer.
    #[error(
        "{service} does not answer: {why}; look at it (docker logs), and run the same command again"
    )]
    NotWell {
        /// The service.
        service: String,
        /// What was seen last.
        why: String,
    },
}

impl RecoverError {
    /// What kind of error it is, for the exit code.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Source(_) | Self::Config(_) | Self::Nothing(_) => Class::Usage,
            Self::Backup(error) => error.class(),
            Self::Engine(error) if error.is_lost() => Class::Unreachable,
            Self::Living(_) | Self::Refused(_) => Class::Refused,
            Self::Engine(_) | Self::NotWell { .. } => Class::Finding,
        }
    }
}
