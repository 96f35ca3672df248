//! Does: ends a work at its first final fault: every later call fails at once. Without it, a dead site
//! is asked pack by pack, which takes minutes to an hour. Never retries anything.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, Trouble};

/// A store for one work.
#[derive(Debug, Clone)]
pub(crate) struct Breaker<S> {
    store: S,
    first: Arc<Mutex<Option<Fault>>>,
}

impl<S: Store> Breaker<S> {
    /// Closed: calls go through.
    pub(crate) fn new(store: S) -> Self {
        Self { store, first: Arc::default() }
    }

    /// Ends the work for a reason of its own.
    pub(crate) fn trip(&self, fault: Fault) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(fault);
    }

    /// The fault that ended the work, if one did.
    pub(crate) fn first(&self) -> Option<Fault> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn through<T>(&self, call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        if let Some(first) = self.first() {
            let why = format!("not asked, since an earlier call failed: {}", first.why);
            return Err(Fault::new(Trouble::Stopped, why));
        }
        call().inspect_err(|fault| {
            // Whoever looks for a file learns that it is not there or not whole, and goes on.
            if !fault.is_of_the_file() {
                self.trip(fault.clone());
            }
        })
    }
}

impl<S: Store> Store for Breaker<S> {
    fn place(&self) -> String {
        self.store.place()
    }

    fn make(&self) -> Result<(), Fault> {
        self.through(|| self.store.make())
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.through(|| self.store.list(area))
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.through(|| self.store.size(object))
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.through(|| self.store.read(object, part))
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.through(|| self.store.write(object, content))
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.through(|| self.store.remove(object))
    }
}
