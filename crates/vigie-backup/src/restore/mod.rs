//! Does: brings the content of snapshots back, in little memory and never outside of where it was told to
//! go, whatever the snapshot says. `rustic_core` holds a pack for each of twenty threads, panics at
//! damage and at a full disk, and only logs what it could not set.

mod batch;
mod behind;
mod contents;
mod metadata;
mod stream;
mod walk;
mod weave;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustic_core::Id;
use rustic_core::repofile::Tree;

pub use behind::WriteBehind;
pub(crate) use stream::file;
pub(crate) use walk::{Step, Walk};
pub use weave::Piece;
pub(crate) use weave::weave;

use crate::Error;
use crate::crypt::Seal;
use crate::pack::{self, Damage, Index, Place};
use crate::progress::Meter;
use crate::store::{Area, Object, Part, Store};

/// Where content comes from.
pub(crate) struct Source<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) seal: Seal,
    pub(crate) index: Index,
    pub(crate) place: String,
    pub(crate) meter: Option<Arc<dyn Meter>>,
}

impl Source<'_> {
    /// A directory of a snapshot; `path` is only for people.
    pub(crate) fn tree(&self, id: &Id, path: &Path) -> Result<Tree, Error> {
        pack::tree(self.store, &self.seal, &self.index, id).map_err(|why| self.damaged(path, why))
    }

    /// Reads `length` bytes of a pack, from `first` on, for the file `path`.
    fn sealed(&self, first: &Place, length: u64, path: &Path) -> Result<Bytes, Error> {
        let damaged = |why| self.damaged(path, why);
        let pack = self.index.pack(first).ok_or_else(|| damaged(Damage::Missing))?;
        let part = Part { offset: first.offset.into(), length: length.max(1) };
        let read = self.store.read(&Object::new(Area::Data, pack), Some(part));
        read.map_err(|fault| match fault.is_of_the_file() {
            true => damaged(Damage::Missing),
            false => damaged(Damage::Site(fault)),
        })
    }

    /// What it means that something of `path` cannot be had.
    fn damaged(&self, path: &Path, why: Damage) -> Error {
        match why {
            Damage::Site(fault) => Error::site(&self.place, fault),
            Damage::Missing | Damage::Flipped => {
                let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
                let why =
                    format!("{} in it is damaged; repair it from another site", path.display());
                Error::Repository(self.place.clone(), why)
            }
        }
    }

    fn more(&self, bytes: u64) {
        if let Some(meter) = &self.meter {
            meter.more(bytes);
        }
    }
}

/// Brings a directory back into `to`, which is empty.
pub(crate) fn tree(source: &Source<'_>, root: Id, to: &Path) -> Result<(), Error> {
    let mut walk = Walk::new(source, root)?;
    let mut batch = batch::Batch::new(source, to);
    while let Some(step) = walk.next()? {
        match step {
            Step::Enter(path, node) => batch.enter(path, node)?,
            Step::Leave(path, node) => batch.leave(path, node)?,
        }
    }
    batch.flush()
}

/// A path of a snapshot in a directory of this machine. The parts of it were looked at by the walk.
fn below(to: &Path, path: &Path) -> PathBuf {
    to.join(path)
}
