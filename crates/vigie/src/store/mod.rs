//! Does: keeps the journal in SQLite: append first, then act. Never decides what a record means.

mod journal;
mod open;
mod outbox;
mod register;
mod schema;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
mod tests;

pub use journal::{Journal, JournalError, Rebuilt, TimelineRow};
pub use register::{IncidentRow, Register};
