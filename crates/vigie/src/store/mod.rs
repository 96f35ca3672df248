//! Does: keeps the journal in SQLite: append first, then act. Never decides what a record means.

mod columns;
mod entries;
mod filter;
mod journal;
mod lessons;
mod open;
mod outbox;
mod register;
mod schema;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
mod tests;

pub use entries::EntryRow;
pub use filter::Filter;
pub use journal::{Journal, JournalError, Rebuilt, TimelineRow};
pub use lessons::PastRow;
pub use open::copy;
pub use register::{IncidentRow, Register};

fn to_sqlite(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
