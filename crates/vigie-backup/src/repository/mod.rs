//! Does: one repository at a site. How it is put into, got from, copied and cleaned is in the modules
//! below; what to keep, and for how long, is decided elsewhere.

mod carry;
mod copy;
mod create;
mod entry;
mod get;
mod give;
mod put;
mod repair;
mod retain;
mod verify;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustic_core::Credentials;
use rustic_core::repofile::MasterKey;

pub use copy::Copied;
pub use entry::{Entry, Kind};
pub use give::{Gift, Given};
pub use put::Stored;
pub use repair::Repaired;
pub use retain::{Freed, Writers};
pub use verify::{Concerned, Damaged, Part, Verified};

use crate::progress::Meter;
use crate::site::{Access, Site, dressed};
use crate::store::{Object, Store};
use crate::{Error, key};

/// Where everything is inside a snapshot.
const ROOT: &str = "/data";
/// How long a work waits for whoever is in its way. Most are done in seconds; for more, it is told who it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A snapshot's name in its repository: 64 hexadecimal digits.
pub type SnapshotId = String;

/// A repository. Its clones share the connection to the site.
///
/// Its calls wait for the site on the calling thread: never make them on a thread of an async runtime.
#[derive(Clone)]
pub struct Repository {
    store: Arc<dyn Store>,
    access: Access,
    /// What the password opens; with it, nothing is slow any more.
    key: MasterKey,
    meter: Option<Arc<dyn Meter>>,
    patience: Duration,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.store.place();
        f.debug_struct("Repository").field("place", &place).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository in a directory of this machine.
    ///
    /// # Errors
    /// When there is none, or the password is wrong.
    pub fn open(directory: &Path, password: &str) -> Result<Self, Error> {
        Self::open_at(&Site::Local(directory.into()), &Access::default(), password)
    }

    /// Opens the repository at a site.
    ///
    /// # Errors
    /// When the site cannot be used, there is no repository, or the password is wrong.
    pub fn open_at(site: &Site, access: &Access, password: &str) -> Result<Self, Error> {
        let failed = |fault| Error::site(&site.to_string(), fault);
        Self::open_in(site.open().map_err(failed)?, access, password)
    }

    pub(crate) fn open_in(
        store: Arc<dyn Store>,
        access: &Access,
        password: &str,
    ) -> Result<Self, Error> {
        let place = store.place();
        let failed = |fault| Error::site(&place, fault);
        let asked = dressed(Arc::clone(&store), access);
        let key = match key::find(&asked, password).map_err(failed)? {
            key::Found::Key(key) => key,
            key::Found::Wrong => return Err(Error::Password(place)),
            key::Found::Damaged => {
                let there = asked.size(&Object::config()).map_err(failed)?;
                let why = "no key file can be read; repair it from another site";
                return Err(match there {
                    None => Error::Missing(place),
                    Some(_) => Error::Repository(place, why.to_owned()),
                });
            }
        };
        let (access, patience) = (access.clone(), PATIENCE);
        let opened = Self { store, access, key, meter: None, patience };
        match asked.size(&Object::config()).map_err(failed)? {
            None => Err(Error::Missing(place)),
            Some(_) => Ok(opened),
        }
    }

    /// The same repository, telling `meter` how far each work is.
    #[must_use]
    pub fn with_meter(&self, meter: Arc<dyn Meter>) -> Self {
        Self { meter: Some(meter), ..self.clone() }
    }

    /// The same repository, whose works wait this long for whoever is in their way, in place of a minute;
    /// after that they fail as [`Error::Locked`].
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// Where it is, without a login.
    #[must_use]
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Writes down what the password opens, or opens with it: a password is slow on purpose.
    #[cfg(test)]
    pub(crate) fn keep_key(&self, at: &Path) {
        std::fs::write(at, serde_json::to_vec(&self.key).unwrap()).unwrap();
    }

    #[cfg(test)]
    pub(crate) fn open_with_key(site: &Site, at: &Path) -> Self {
        let key = serde_json::from_slice(&std::fs::read(at).unwrap()).unwrap();
        let (store, access) = (site.open().unwrap(), Access::default());
        Self { store, access, key, meter: None, patience: PATIENCE }
    }

    fn credentials(&self) -> Credentials {
        Credentials::Masterkey(self.key.clone())
    }
}
