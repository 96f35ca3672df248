//! Does: lets no call begin after a moment. A call that runs is ended by its site's own time limit;
//! this never interrupts one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, Trouble};

/// A store that is there until a moment.
#[derive(Debug)]
pub(crate) struct Deadline<S> {
    store: S,
    until: Option<(Instant, Duration)>,
}

impl<S: Store> Deadline<S> {
    /// `limit` from now; none is for ever.
    pub(crate) fn new(store: S, limit: Option<Duration>) -> Self {
        let now = Instant::now();
        let until = limit.and_then(|limit| Some((now.checked_add(limit)?, limit)));
        Self { store, until }
    }

    fn in_time(&self) -> Result<&S, Fault> {
        match self.until {
            Some((until, limit)) if Instant::now() >= until => {
                let why = format!("the {limit:?} for this work are over");
                Err(Fault::new(Trouble::Late, why))
            }
            _ => Ok(&self.store),
        }
    }
}

impl<S: Store> Store for Deadline<S> {
    fn place(&self) -> String {
        self.store.place()
    }

    fn make(&self) -> Result<(), Fault> {
        self.in_time()?.make()
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.in_time()?.list(area)
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.in_time()?.size(object)
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.in_time()?.read(object, part)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.in_time()?.write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.in_time()?.remove(object)
    }
}
