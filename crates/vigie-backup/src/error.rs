//! Does: what can go wrong with a repository, and what to try next. A place is told without the login to
//! its site.

use std::path::PathBuf;

use crate::store::{Fault, Trouble};

/// Why something was not kept or did not come back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is a repository already.
    #[error("{0} is a repository already; use it, or name another place")]
    Exists(String),
    /// There is none.
    #[error("{0} is no repository; was it moved, or its disk not mounted?")]
    Missing(String),
    /// The password does not open it.
    #[error("the password does not open the repository {0}; it needs the one it was made with")]
    Password(String),
    /// Parts of a source could not be read; nothing was kept.
    #[error("{what} could not be read whole, so nothing of it was kept: {why}")]
    Unreadable {
        /// The source.
        what: String,
        /// The first reasons.
        why: String,
    },
    /// The repository itself failed.
    #[error("the repository {0}: {1}")]
    Repository(String, String),
    /// It does not have what was asked for.
    #[error("the repository {0} does not have {1}")]
    NotThere(String, String),
    /// The site did not do what it was asked.
    #[error("the site {place}: {why}; {}", advice(*.trouble))]
    Site {
        /// The site, without its login.
        place: String,
        /// What kind of fault.
        trouble: SiteTrouble,
        /// What was asked, and what came.
        why: String,
    },
    /// Somebody else works there.
    #[error("the repository {place} is in use by {holder}; wait until that is done and try again")]
    Locked {
        /// The repository.
        place: String,
        /// Who holds it, since when.
        holder: String,
    },
    /// It may only grow.
    #[error(
        "{0} is append-only, so nothing is removed there; forget and prune with a key that can delete, \
         from a host that is trusted more than this one"
    )]
    AppendOnly(String),
    /// Repositories that were not made for each other.
    #[error("{0}")]
    Strangers(String),
    /// A file on this machine.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
}

impl Error {
    /// The repository that it is about, as [`crate::Repository::place`] says it.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Exists(place)
            | Self::Missing(place)
            | Self::Password(place)
            | Self::Repository(place, _)
            | Self::NotThere(place, _)
            | Self::Site { place, .. }
            | Self::Locked { place, .. }
            | Self::AppendOnly(place) => Some(place),
            Self::Unreadable { .. } | Self::Strangers(_) | Self::File(..) => None,
        }
    }
}

/// What kind of fault a site had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteTrouble {
    /// It does not let us: the login, the key, the rights.
    Refused,
    /// No space is left there.
    Full,
    /// It could not be reached, or failed in a way that may pass.
    Unreachable,
    /// The time for the work was over.
    Late,
    /// It answered what makes no sense, or cannot be used as it is set up.
    Wrong,
}

fn advice(trouble: SiteTrouble) -> &'static str {
    match trouble {
        SiteTrouble::Refused => "look at its login and rights",
        SiteTrouble::Full => "make room there, or prune",
        SiteTrouble::Unreachable => "try again when it can be reached",
        SiteTrouble::Late => "give it more time, or a faster line",
        SiteTrouble::Wrong => "look at how it is set up",
    }
}

impl Error {
    /// A fault of the site at `place`.
    pub(crate) fn site(place: &str, fault: Fault) -> Self {
        let trouble = match fault.trouble {
            Trouble::Guarded => return Self::AppendOnly(place.to_owned()),
            Trouble::Refused => SiteTrouble::Refused,
            Trouble::Full => SiteTrouble::Full,
            Trouble::Passing => SiteTrouble::Unreachable,
            Trouble::Late => SiteTrouble::Late,
            Trouble::Missing | Trouble::Short | Trouble::Stopped | Trouble::Wrong => {
                SiteTrouble::Wrong
            }
        };
        Self::Site { place: place.to_owned(), trouble, why: fault.why }
    }
}
