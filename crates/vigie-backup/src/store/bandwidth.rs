//! Does: moves no more bytes a second than allowed, both ways together. Never refuses a call.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, length};

/// A store behind a line of a known width.
#[derive(Debug)]
pub(crate) struct Bandwidth<S> {
    store: S,
    /// Bytes a second; none is no limit.
    rate: Option<u64>,
    /// When the line is free again.
    free: Mutex<Instant>,
}

impl<S: Store> Bandwidth<S> {
    /// At most `rate` bytes a second.
    pub(crate) fn new(store: S, rate: Option<u64>) -> Self {
        Self { store, rate: rate.map(|rate| rate.max(1)), free: Mutex::new(Instant::now()) }
    }

    /// Takes the line for so many bytes, and waits until they may have gone.
    fn pass(&self, bytes: u64) {
        let Some(rate) = self.rate else { return };
        let takes = Duration::try_from_secs_f64(bytes as f64 / rate as f64).unwrap_or_default();
        let now = Instant::now();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let until = (*free).max(now) + takes;
        *free = until;
        drop(free);
        std::thread::sleep(until.saturating_duration_since(now));
    }
}

impl<S: Store> Store for Bandwidth<S> {
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
        let content = self.store.read(object, part)?;
        self.pass(content.len() as u64);
        Ok(content)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.pass(length(content));
        self.store.write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.store.remove(object)
    }
}
