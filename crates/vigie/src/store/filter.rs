//! Does: finds incidents in the register by service, severity, state and time, in SQL.

use rusqlite::params;
use vigie_core::incident::{Lifecycle, Severity};

use super::journal::JournalError;
use super::register::{IncidentRow, Register};
use super::to_sqlite;

/// Which incidents are wanted. What is empty filters nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of these services.
    pub services: Vec<String>,
    /// Of these severities.
    pub severities: Vec<Severity>,
    /// In these states.
    pub states: Vec<Lifecycle>,
    /// Detected since, in milliseconds since 1970.
    pub since: Option<i64>,
}

/// The ids come from the index that covers all filters; bodies are read of what is shown only.
const FIND: &str = "
    SELECT id, body FROM incident WHERE id IN (
        SELECT id FROM incident INDEXED BY incident_facts
        WHERE detected >= ?1
          AND (?2 = '[]' OR severity IN (SELECT value FROM json_each(?2)))
          AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3)))
          AND (?4 = '[]' OR service IN (SELECT value FROM json_each(?4)))
        ORDER BY id DESC LIMIT ?5
    ) ORDER BY id DESC";

/// Without a filter they stand in order already.
const LAST: &str = "SELECT id, body FROM incident ORDER BY id DESC LIMIT ?1";

impl Register {
    /// The last `limit` incidents that `filter` lets through, newest first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn find(&self, filter: &Filter, limit: usize) -> Result<Vec<IncidentRow>, JournalError> {
        let Some(connection) = self.connection() else { return Ok(Vec::new()) };
        let severities: Vec<_> = filter.severities.iter().map(|one| one.word()).collect();
        let states: Vec<_> = filter.states.iter().map(|one| one.word()).collect();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<(i64, String)>> {
            if *filter == Filter::default() {
                let mut select = connection.prepare_cached(LAST)?;
                let rows =
                    select.query_map(params![limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
                return rows.collect();
            }
            let json = |words: &[&str]| serde_json::to_string(words).map_err(to_sqlite);
            let services: Vec<_> = filter.services.iter().map(String::as_str).collect();
            let wanted = params![
                filter.since.unwrap_or(i64::MIN),
                json(&severities)?,
                json(&states)?,
                json(&services)?,
                limit
            ];
            let mut select = connection.prepare_cached(FIND)?;
            select.query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let rows = read().map_err(|error| self.sqlite(error))?;
        rows.into_iter().map(|(seq, body)| self.parse(seq, &body)).collect()
    }
}
