//! Does: asks a store again when the fault may go away by itself, a bounded number of times. Never
//! retries what a person has to change.

use std::time::Duration;

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Fault, Object, Part, Store, Trouble};

/// Nobody waits longer than this between two tries.
const LONGEST: Duration = Duration::from_secs(10);

/// A store that is asked again.
#[derive(Debug)]
pub(crate) struct Retry<S> {
    store: S,
    /// Tries in all, at least one.
    tries: u32,
    /// The wait before the second try; it doubles each time.
    first: Duration,
}

impl<S: Store> Retry<S> {
    /// Asks `store` at most `tries` times.
    pub(crate) fn new(store: S, tries: u32, first: Duration) -> Self {
        Self { store, tries: tries.max(1), first }
    }

    /// `call` is told which try it is, from 0.
    fn again<T>(&self, call: impl Fn(u32) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut wait = self.first;
        for again in 0.. {
            match call(again) {
                Err(fault) if fault.trouble == Trouble::Passing => {
                    if again + 1 >= self.tries {
                        let why = format!("{} (tried {} times)", fault.why, self.tries);
                        return Err(Fault::new(Trouble::Passing, why));
                    }
                    std::thread::sleep(wait);
                    wait = (wait * 2).min(LONGEST);
                }
                done => return done,
            }
        }
        Err(Fault::new(Trouble::Passing, "it was never tried"))
    }
}

impl<S: Store> Store for Retry<S> {
    fn place(&self) -> String {
        self.store.place()
    }

    fn make(&self) -> Result<(), Fault> {
        self.again(|_| self.store.make())
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.again(|_| self.store.list(area))
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.again(|_| self.store.size(object))
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.again(|_| self.store.read(object, part))
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.again(|_| self.store.write(object, content))
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.again(|again| match self.store.remove(object) {
            // The first try removed it and only its answer was lost.
            Err(fault) if fault.is_missing() && again > 0 => Ok(()),
            done => done,
        })
    }
}
