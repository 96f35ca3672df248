//! Takes a lock whatever happened to its last holder.
//!
//! Every state here is valid after each statement, so a panicked holder leaves
//! nothing half-done, and a practice server that dies of a poisoned lock would
//! die for a reason no experiment asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The guard of `mutex`, poisoned or not.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
