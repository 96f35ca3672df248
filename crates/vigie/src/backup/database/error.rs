//! Does: what can keep a database's client programs from doing their work.

use crate::runtime::RuntimeError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] RuntimeError),
    /// A program of this machine cannot be run.
    #[error("{program} cannot be run: {why}; is the database's client package installed?")]
    Run {
        /// Which.
        program: String,
        /// Why not.
        why: std::io::Error,
    },
    /// It did not end.
    #[error("{program} in {place} did not end within {hours} hours, and was ended")]
    Endless {
        /// Which.
        program: String,
        /// Where.
        place: String,
        /// How long it had.
        hours: u64,
    },
    /// It failed.
    #[error("{program} in {place} ended with exit code {code}: {why}")]
    Program {
        /// Which.
        program: String,
        /// Where.
        place: String,
        /// Its exit code.
        code: i64,
        /// What it complained about.
        why: String,
    },
    /// It said that all is well, and its output says something else.
    #[error("{program} in {place}: {why}")]
    Output {
        /// Which.
        program: String,
        /// Where.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}
