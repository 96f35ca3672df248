//! Does: says to whoever waits for it outside that the watch is alive. Alive means that the engine's task
//! answers, not that a timer runs. Never keeps anything waiting.

mod heartbeat;
mod manager;
#[cfg(test)]
mod tests;
mod unit;

use std::time::Duration;

pub use heartbeat::{Heart, beat};
pub(crate) use manager::VARIABLES;
pub use manager::{Manager, tell};
pub use unit::{Unit, UnitError};

use crate::engine::Handle;
use crate::report::Status;

/// How things are, if the engine says so within `limit`.
async fn ask(handle: &Handle, limit: Duration) -> Option<Box<Status>> {
    tokio::time::timeout(limit, handle.status()).await.ok()?.ok()
}
