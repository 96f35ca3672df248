//! Does: never removes and never overwrites, as a site must not when whoever holds its key could be
//! somebody else. Locks are let through: they are no data, and the site has the last word on them.

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, Trouble, length};

/// A store that only grows, if `on`.
#[derive(Debug)]
pub(crate) struct AppendOnly<S> {
    store: S,
    on: bool,
}

impl<S: Store> AppendOnly<S> {
    /// Guards `store` if `on`.
    pub(crate) fn new(store: S, on: bool) -> Self {
        Self { store, on }
    }

    fn guards(&self, object: &Object) -> bool {
        self.on && object.area != Area::Locks
    }
}

impl<S: Store> Store for AppendOnly<S> {
    fn place(&self) -> String {
        self.store.place()
    }

    fn make(&self) -> Result<(), Fault> {
        self.store.make()
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.store.list(area)
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.store.size(object)
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.store.read(object, part)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        if self.guards(object)
            && let Some(there) = self.store.size(object)?
        {
            // The same name and size is the same content, written by a try whose answer was lost.
            if object.area != Area::Config && there == length(content) {
                return Ok(());
            }
            let why = format!("{object} is there already and this site is append-only");
            return Err(Fault::new(Trouble::Guarded, why));
        }
        self.store.write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        if self.guards(object) {
            let why = format!("{object} is not removed: this site is append-only");
            return Err(Fault::new(Trouble::Guarded, why));
        }
        self.store.remove(object)
    }
}
