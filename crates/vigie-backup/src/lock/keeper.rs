//! Does: renews a lock while it is held and removes it at the end. It ends the work when the lock is
//! lost, and never takes one again.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustic_core::Id;
use rustic_core::jiff::Timestamp;

use super::holder::Holder;
use super::{live, write};
use crate::crypt::Seal;
use crate::store::{Area, Breaker, Fault, Object, Store, Trouble};

/// As restic does.
const RENEW: Duration = Duration::from_secs(5 * 60);
/// Others take a lock for stale soon after this.
const LOST: Duration = Duration::from_secs(25 * 60);
/// How soon a clock that went on while we did not is seen.
const TICK: Duration = Duration::from_secs(5);

/// Whoever keeps a lock.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Every lock file that is ours now.
    files: Arc<Mutex<Vec<Id>>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    store: Arc<dyn Store>,
}

impl Keeper {
    /// Begins to keep the lock file `written`.
    pub(super) fn start<S: Store>(
        store: Arc<dyn Store>,
        seal: Seal,
        holder: Holder,
        written: Id,
        fence: Breaker<S>,
    ) -> Self {
        let files = Arc::new(Mutex::new(vec![written]));
        let (stop, stopped) = mpsc::channel::<()>();
        let mut round =
            Round { store: Arc::clone(&store), seal, holder, files: Arc::clone(&files) };
        let thread = std::thread::Builder::new().name("lock".into()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                if let Err(fault) = round.tick(Timestamp::now()) {
                    fence.trip(fault);
                    return;
                }
            }
        });
        // Without a thread the lock is good for half an hour.
        Self { files, stop: Some(stop), thread: thread.ok(), store }
    }

    /// Whether this lock file is ours.
    pub(super) fn holds(&self, id: Id) -> bool {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for id in self.files.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // One that stays is in nobody's way: it is not live.
            let _ = self.store.remove(&Object::new(Area::Locks, id));
            live::ends(id);
        }
    }
}

/// What is done again and again.
pub(super) struct Round {
    pub(super) store: Arc<dyn Store>,
    pub(super) seal: Seal,
    pub(super) holder: Holder,
    pub(super) files: Arc<Mutex<Vec<Id>>>,
}

impl Round {
    /// Renews when it is time; a fault is the loss of the lock.
    pub(super) fn tick(&mut self, now: Timestamp) -> Result<(), Fault> {
        let age = now.duration_since(self.holder.time).unsigned_abs();
        if age > LOST {
            let why = "the lock could not be renewed in time, so others may prune now";
            return Err(Fault::new(Trouble::Late, why));
        }
        if age < RENEW {
            return Ok(());
        }
        let ours =
            |files: &Mutex<Vec<Id>>| files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let old = ours(&self.files);
        let there = old.iter().map(|id| self.store.size(&Object::new(Area::Locks, *id)));
        if let Ok(there) = there.collect::<Result<Vec<_>, _>>()
            && there.iter().all(Option::is_none)
        {
            let why = "somebody removed the lock, so others may prune now";
            return Err(Fault::new(Trouble::Late, why));
        }
        let renewed = self.holder.renewed();
        // A site that is away now is asked again at the next tick, until the lock is lost.
        let Ok(id) = write(&self.store, &self.seal, &renewed) else { return Ok(()) };
        self.holder = renewed;
        self.files.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        for id in old {
            live::ends(id);
            if self.store.remove(&Object::new(Area::Locks, id)).is_ok() {
                let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
                files.retain(|kept| *kept != id);
            }
        }
        Ok(())
    }
}
