//! Does: restic's locks, so that no two of whoever works on a repository, restic included, prune and
//! write at once. A lock is renewed while its work goes on, and the work ends when that is not possible;
//! one whose holder is gone is removed by the next who comes. It waits for another holder no longer than it
//! is told.

mod holder;
mod keeper;
mod live;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustic_core::Id;
use rustic_core::jiff::Timestamp;

use self::holder::Holder;
use self::keeper::Keeper;
use crate::crypt::{Seal, hash};
use crate::random;
use crate::store::{Area, Breaker, Fault, Object, Store, Trouble};

/// Restic's own figures: whoever has not renewed for so long is gone.
const STALE: Duration = Duration::from_secs(30 * 60);
/// A lock file is much smaller.
const SIZE: u64 = 16 << 10;
/// What a slow site needs to show a new lock to everybody.
const SETTLE: Duration = Duration::from_millis(200);
/// Until somebody else's lock is looked at again, the first time; it doubles each time.
const PAUSE: Duration = Duration::from_millis(250);
/// Nobody waits longer than this between two looks.
const LONGEST: Duration = Duration::from_secs(2);

/// What a lock is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Others may read and write. Sites that let us write no lock are read without one.
    Read,
    /// Others may read and write, and nobody removes anything.
    Write,
    /// Nobody else.
    Alone,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Somebody else works there.
    By(String),
    /// The site failed.
    Site(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Site(fault)
    }
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Whether somebody was killed here: what they wrote last may be in no index.
    pub(crate) interrupted: bool,
    _keeper: Option<Keeper>,
}

/// Takes a lock, and waits for whoever is in the way for `patience`; `fence` is tripped when it is lost.
pub(crate) fn take<S: Store>(
    store: &Arc<dyn Store>,
    seal: &Seal,
    hold: Hold,
    fence: &Breaker<S>,
    patience: Duration,
) -> Result<Lock, Refused>
where
    Breaker<S>: Clone,
{
    let (began, mut pause) = (Instant::now(), PAUSE);
    // Whoever is gone is seen only once, be it by a try that was refused.
    let mut interrupted = false;
    loop {
        match tried(store, seal, hold, fence, &mut interrupted) {
            Ok(keeper) => return Ok(Lock { interrupted, _keeper: keeper }),
            Err(Refused::By(holder)) => {
                let left = patience.saturating_sub(began.elapsed());
                if left.is_zero() {
                    return Err(Refused::By(holder));
                }
                std::thread::sleep(uneven(pause).min(left));
                pause = (pause * 2).min(LONGEST);
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Between half of `pause` and all of it: two that refuse each other must not come again together.
fn uneven(pause: Duration) -> Duration {
    let byte = u8::from_str_radix(&random::hex(1), 16).unwrap_or_default();
    pause / 2 + pause * u32::from(byte) / 512
}

/// Takes a lock if nobody is in the way; nothing is left of one that is refused. Without a keeper it is a
/// site that lets us write none. `gone` is set where somebody was killed.
fn tried<S: Store>(
    store: &Arc<dyn Store>,
    seal: &Seal,
    hold: Hold,
    fence: &Breaker<S>,
    gone: &mut bool,
) -> Result<Option<Keeper>, Refused>
where
    Breaker<S>: Clone,
{
    others(store, seal, hold, None, gone)?;
    let mine = Holder::me(hold == Hold::Alone);
    let written = match write(store, seal, &mine) {
        Err(fault) if hold == Hold::Read && fault.trouble == Trouble::Refused => {
            return Ok(None);
        }
        written => written?,
    };
    let keeper = Keeper::start(Arc::clone(store), seal.clone(), mine, written, fence.clone());
    if hold == Hold::Alone {
        std::thread::sleep(SETTLE);
    }
    // Whoever came at the same time wrote theirs before they looked, too: at least one sees the other.
    others(store, seal, hold, Some(&keeper), gone)?;
    Ok(Some(keeper))
}

/// Looks at everybody else's locks, and removes those whose holders are gone; `gone` is set where there
/// were such.
fn others(
    store: &Arc<dyn Store>,
    seal: &Seal,
    hold: Hold,
    mine: Option<&Keeper>,
    gone: &mut bool,
) -> Result<(), Refused> {
    for (id, size) in store.list(Area::Locks)? {
        let object = Object::new(Area::Locks, id);
        if mine.is_some_and(|mine| mine.holds(id)) || size > SIZE {
            continue;
        }
        let content = match store.read(&object, None) {
            // It ended meanwhile.
            Err(fault) if fault.is_missing() => continue,
            content => content?,
        };
        let holder = (hash(&content) == id).then(|| seal.open_file(&content)).flatten();
        let holder = holder.and_then(|plain| serde_json::from_slice::<Holder>(&plain).ok());
        match holder {
            // One of ours that nobody holds any more could not be removed when its work ended.
            Some(holder)
                if !holder.is_gone(Timestamp::now(), STALE) && !live::is_over(&holder, id) =>
            {
                if holder.exclusive || hold == Hold::Alone {
                    return Err(Refused::By(holder.to_string()));
                }
            }
            // Without a holder it is what a cut write left.
            _ => {
                *gone = true;
                // A site may not let us; it stays stale then, and is in nobody's way.
                let _ = store.remove(&object);
            }
        }
    }
    Ok(())
}

fn write(store: &Arc<dyn Store>, seal: &Seal, holder: &Holder) -> Result<Id, Fault> {
    let wrong = || Fault::new(Trouble::Wrong, "a lock could not be written down");
    let plain = serde_json::to_vec(holder).map_err(|_| wrong())?;
    let sealed = Bytes::from(seal.close(&plain).ok_or_else(wrong)?);
    let id = hash(&sealed);
    live::begins(id);
    let written = store.write(&Object::new(Area::Locks, id), &[sealed]);
    written.map(|()| id).inspect_err(|_| live::ends(id))
}
