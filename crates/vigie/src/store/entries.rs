//! Does: keeps the development journal: what people wrote down of their changes, by number, by time
//! and by incident. It outlives the records: retention does not touch it.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use vigie_core::incident::{Actor, IncidentId};
use vigie_core::learn::Entry;
use vigie_core::{Moment, Record};

use super::journal::JournalError;
use super::register::Register;
use super::to_sqlite;

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// When, in milliseconds since 1970.
    pub wall: i64,
    /// By whom.
    pub by: Actor,
    /// The entry.
    pub entry: Entry,
}

/// What of it is one text in the table.
#[derive(Serialize, Deserialize)]
struct Body {
    by: Actor,
    entry: Entry,
}

/// Writes down the entry that a record holds, if it holds one.
pub(super) fn heed(connection: &Connection, at: Moment, record: &Record) -> rusqlite::Result<()> {
    let Record::Journaled { entry, by } = record else { return Ok(()) };
    let body = Body { by: by.clone(), entry: (**entry).clone() };
    let body = serde_json::to_string(&body).map_err(to_sqlite)?;
    let number = entry.number.cast_signed();
    connection
        .prepare_cached(
            "INSERT INTO entry (id, wall, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET wall = ?2, body = ?3",
        )?
        .execute(params![number, at.wall, body])?;
    let mut about = connection
        .prepare_cached("INSERT OR IGNORE INTO entry_about (incident, entry) VALUES (?1, ?2)")?;
    for incident in &entry.incidents {
        about.execute(params![incident.0.cast_signed(), number])?;
    }
    Ok(())
}

const SELECT: &str = "
    SELECT id, wall, body FROM entry
    WHERE wall >= ?1
      AND (?2 IS NULL OR id IN (SELECT entry FROM entry_about WHERE incident = ?2))
    ORDER BY id DESC";

impl Register {
    /// The entries written since `since` (milliseconds since 1970), about one incident or any, newest
    /// first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn entries(
        &self,
        since: Option<i64>,
        about: Option<IncidentId>,
    ) -> Result<Vec<EntryRow>, JournalError> {
        let Some(connection) = self.connection() else { return Ok(Vec::new()) };
        let about = about.map(|id| id.0.cast_signed());
        let read = || -> rusqlite::Result<Vec<(i64, i64, String)>> {
            let mut select = connection.prepare_cached(SELECT)?;
            let wanted = params![since.unwrap_or(i64::MIN), about];
            select.query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        };
        let rows = read().map_err(|error| self.sqlite(error))?;
        let parse = |(number, wall, body): (i64, i64, String)| {
            let Body { by, entry } = self.parse(number, &body)?;
            Ok(EntryRow { wall, by, entry })
        };
        rows.into_iter().map(parse).collect()
    }
}
