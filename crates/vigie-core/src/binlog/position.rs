//! Decides how a place in a server's binary log is written and which log file follows which.

use serde::{Deserialize, Serialize};

/// A place between two events of a server's binary log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The log file's name at the server, without a directory.
    pub file: String,
    /// Bytes from the beginning of that file; the first event is at 4.
    pub offset: u64,
}

impl Position {
    /// Where the first event of `file` is.
    pub const START: u64 = 4;

    /// The place `offset` bytes into `file`.
    #[must_use]
    pub fn new(file: impl Into<String>, offset: u64) -> Self {
        Self { file: file.into(), offset }
    }

    /// The number at the end of the file's name; nothing where it has none.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        number(&self.file)
    }

    /// Whether `next` is the name of the file after this one.
    #[must_use]
    pub fn is_followed_by(&self, next: &str) -> bool {
        let name = |file: &str| file.rsplit_once('.').map(|(name, _)| name.to_owned());
        let by_one = match (self.number(), number(next)) {
            (Some(here), Some(there)) => here.checked_add(1) == Some(there),
            _ => false,
        };
        by_one && name(&self.file) == name(next)
    }

    /// Whether the file's name can be one: it becomes a part of a path.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !self.file.is_empty()
            && self.file.len() <= 128
            && !self.file.starts_with('.')
            && self.file.chars().all(plain)
            && self.offset >= Self::START
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

fn number(file: &str) -> Option<u64> {
    file.rsplit_once('.')?.1.parse().ok()
}
