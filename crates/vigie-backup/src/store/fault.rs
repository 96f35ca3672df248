//! Decides what kind of fault a site had, and whether asking again may help. Never holds a secret.

/// What kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The site says that the file is not there.
    Missing,
    /// The file ends before what was asked for: it is not what it was.
    Short,
    /// The site does not let us: the login, the key, the rights.
    Refused,
    /// No space is left.
    Full,
    /// It may go away by itself: asking again is right.
    Passing,
    /// The time for the work is over.
    Late,
    /// An earlier fault ended the work.
    Stopped,
    /// The site may only grow.
    Guarded,
    /// An answer that makes no sense, or a setting that cannot be.
    Wrong,
}

/// A call that a site did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its kind.
    pub(crate) trouble: Trouble,
    /// What was asked and what came, in one line.
    pub(crate) why: String,
}

impl Fault {
    /// A fault of this kind.
    pub(crate) fn new(trouble: Trouble, why: impl Into<String>) -> Self {
        Self { trouble, why: why.into() }
    }

    /// What an operating system's error means for a store.
    pub(crate) fn from_io(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let trouble = match error.kind() {
            Kind::NotFound => Trouble::Missing,
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Trouble::Refused,
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Trouble::Full,
            Kind::UnexpectedEof => Trouble::Short,
            Kind::NotADirectory | Kind::IsADirectory => Trouble::Wrong,
            _ => Trouble::Passing,
        };
        Self::new(trouble, format!("{what}: {error}"))
    }

    /// What an HTTP status means for a store.
    pub(crate) fn from_status(what: &str, status: u16) -> Self {
        let trouble = match status {
            404 | 410 => Trouble::Missing,
            416 => Trouble::Short,
            401 | 403 | 405 => Trouble::Refused,
            507 | 413 => Trouble::Full,
            408 | 423 | 425 | 429 | 500.. => Trouble::Passing,
            _ => Trouble::Wrong,
        };
        Self::new(trouble, format!("{what}: the site answered {status}"))
    }

    /// Whether the site said that the file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        self.trouble == Trouble::Missing
    }

    /// Whether the site did what it should, and only the file is not there or not whole.
    pub(crate) fn is_of_the_file(&self) -> bool {
        matches!(self.trouble, Trouble::Missing | Trouble::Short)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Fault {}
