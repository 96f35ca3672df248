//! Does: what can go wrong with a repository, and what to try next.

use std::path::PathBuf;

/// Why something was not kept or did not come back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is a repository already.
    #[error("{0} is a repository already; use it, or name another directory")]
    Exists(PathBuf),
    /// There is none.
    #[error("{0} is no repository; was its directory moved or its disk not mounted?")]
    Missing(PathBuf),
    /// The password does not open it.
    #[error("the password does not open the repository {0}; it needs the one it was made with")]
    Password(PathBuf),
    /// Parts of a source could not be read; nothing was kept.
    #[error("{what} could not be read whole, so nothing of it was kept: {why}")]
    Unreadable {
        /// The source.
        what: String,
        /// The first reasons.
        why: String,
    },
    /// A disk has no more room.
    #[error("the disk that {0} is on is full; make room on it, then try again")]
    Full(PathBuf),
    /// The repository itself failed.
    #[error("the repository {0}: {1}")]
    Repository(PathBuf, String),
    /// It does not have what was asked for.
    #[error("the repository {0} does not have {1}")]
    NotThere(PathBuf, String),
    /// A file on this machine.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
}
