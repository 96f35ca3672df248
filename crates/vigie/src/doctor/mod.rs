//! Does: collects what the doctor's rules look at, shows what they find, and writes what ends it. Works
//! on any compose project, with and without Docker, git or a vigie.toml.

mod bound;
mod collect;
mod patch;
mod plan;
mod report;
mod sarif;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use vigie_core::compose::Refusal;

pub use collect::{Looked, is_project, look};
pub use patch::{FileChange, Masks, changes};
pub use plan::{Plan, plan};
pub use report::{DoctorReport, FindingRow, Shown, report};
pub use sarif::sarif;
pub use write::write;

/// Why a project could not be looked at, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// No compose file.
    #[error(
        "there is no compose file in {0} (looked for compose.yaml, docker-compose.yml and their kin); \
         name the project's directory or a file: vigie doctor PATH"
    )]
    NoFile(PathBuf),
    /// A file that cannot be read.
    #[error("{0} cannot be read: {1}; is it this account's? try: ls -l {0}")]
    Unreadable(PathBuf, std::io::Error),
    /// A file that is not what it should be.
    #[error("{0}: {1}")]
    Malformed(String, Refusal),
    /// A file that cannot be written.
    #[error("{0} cannot be written: {1}; nothing of it was changed. Try: ls -ld {0}")]
    Unwritable(PathBuf, std::io::Error),
    /// A file that somebody else changed meanwhile.
    #[error(
        "{0} was changed by somebody else meanwhile; nothing more was written. Run vigie doctor again"
    )]
    Changed(PathBuf),
}
