//! Does: remembers which lock files this process holds. One that says it is ours and is not among them is
//! what a site did not let us remove.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rustic_core::Id;

use super::holder::Holder;

static LIVE: Mutex<BTreeSet<Id>> = Mutex::new(BTreeSet::new());

/// It is held from now on; before it is written, so that no other thread takes it for one that is over.
pub(super) fn begins(id: Id) {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
}

/// It is not held any more, whether its file could be removed or not.
pub(super) fn ends(id: Id) {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
}

/// Whether it is a lock of this process that nobody holds.
pub(super) fn is_over(holder: &Holder, id: Id) -> bool {
    holder.is_me() && !LIVE.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
}
