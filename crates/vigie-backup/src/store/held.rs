//! Does: keeps new snapshots back until somebody says that they count. Whoever is killed in between has
//! written no snapshot; nothing ever has to be deleted again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store};

/// Snapshots with their contents.
type Waiting = Arc<Mutex<Vec<(Object, Vec<Bytes>)>>>;

/// A store whose new snapshots wait.
#[derive(Debug, Clone)]
pub(crate) struct Held<S> {
    store: S,
    waiting: Waiting,
}

impl<S: Store> Held<S> {
    /// Nothing waits yet.
    pub(crate) fn new(store: S) -> Self {
        Self { store, waiting: Waiting::default() }
    }

    /// Writes what waits.
    pub(crate) fn release(&self) -> Result<(), Fault> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (object, content) in waiting.drain(..) {
            self.store.write(&object, &content)?;
        }
        Ok(())
    }
}

impl<S: Store> Store for Held<S> {
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
        if object.area != Area::Snapshots {
            return self.store.write(object, content);
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((*object, content.to_vec()));
        Ok(())
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.store.remove(object)
    }
}
