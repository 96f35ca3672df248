//! Does: bounds the bytes that were read and are still in use, so that a restore by many threads does
//! not hold a pack for each. Never holds back a caller while nothing is in use.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store};

/// Whoever waited so long goes on: too much memory is better than none of the data.
const LONGEST: Duration = Duration::from_secs(60);

/// What is in use, and who waits for less of it.
#[derive(Debug, Default)]
struct Use {
    bytes: Mutex<u64>,
    less: Condvar,
}

/// A store whose answers count until they are dropped.
#[derive(Debug)]
pub(crate) struct Window<S> {
    store: S,
    /// Bytes.
    most: u64,
    used: Arc<Use>,
}

impl<S: Store> Window<S> {
    /// At most `most` bytes in use.
    pub(crate) fn new(store: S, most: u64) -> Self {
        Self { store, most, used: Arc::default() }
    }

    fn take(&self, bytes: u64) -> Held {
        let mut used = self.used.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |used: &mut u64| *used > 0 && used.saturating_add(bytes) > self.most;
        if full(&mut used) {
            let waited = self.used.less.wait_timeout_while(used, LONGEST, full);
            used = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *used = used.saturating_add(bytes);
        Held { used: Arc::clone(&self.used), bytes }
    }
}

/// A share of the window.
struct Held {
    used: Arc<Use>,
    bytes: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut used = self.used.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(self.bytes);
        drop(used);
        self.used.less.notify_all();
    }
}

/// What was read, with its share.
struct Owned {
    content: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

impl<S: Store> Store for Window<S> {
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
        let Some(part) = part else { return self.store.read(object, None) };
        let held = self.take(part.length);
        let content = self.store.read(object, Some(part))?;
        Ok(Bytes::from_owner(Owned { content, _held: held }))
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.store.write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.store.remove(object)
    }
}
