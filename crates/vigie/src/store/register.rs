//! Does: the register of incidents: read by commands without the daemon, and without replaying
//! anything. Never written but by the journal's own append.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use vigie_core::incident::{Incident, IncidentId, Lifecycle};
use vigie_core::respond::Run;
use vigie_core::{Record, State};

use super::journal::{JournalError, TimelineRow};
use super::open::{moment, read_only};

/// An incident with its runs, as the register keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentRow {
    /// The incident.
    pub incident: Incident,
    /// Its runs, oldest first.
    pub runs: Vec<Run>,
}

/// Brings one incident's row up to date.
pub(super) fn project(
    transaction: &Transaction<'_>,
    state: &State,
    id: IncidentId,
) -> rusqlite::Result<()> {
    let Some(incident) = state.incidents.get(&id) else { return Ok(()) };
    let runs = incident.runs.iter().filter_map(|run| state.runs.get(run)).cloned().collect();
    let row = IncidentRow { incident: incident.clone(), runs };
    let body = serde_json::to_string(&row)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction.execute(
        "INSERT INTO incident (id, severity, state, service, detected, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET severity = ?2, state = ?3, service = ?4, body = ?6",
        params![
            id.0.cast_signed(),
            incident.severity.word(),
            incident.state.word(),
            incident.service,
            incident.detected.wall,
            body
        ],
    )?;
    Ok(())
}

/// Files an incident that is so old that only the register still has it.
pub(super) fn close(transaction: &Transaction<'_>, id: IncidentId) -> rusqlite::Result<()> {
    let select = "SELECT body FROM incident WHERE id = ?1";
    let body: Option<String> =
        transaction.query_row(select, params![id.0.cast_signed()], |row| row.get(0)).optional()?;
    let Some(mut row) = body.and_then(|body| serde_json::from_str::<IncidentRow>(&body).ok())
    else {
        return Ok(());
    };
    row.incident.state = Lifecycle::Closed;
    let body = serde_json::to_string(&row)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction.execute(
        "UPDATE incident SET state = ?2, body = ?3 WHERE id = ?1",
        params![id.0.cast_signed(), row.incident.state.word(), body],
    )?;
    Ok(())
}

/// The register, open for reading.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Register {
    /// Opens the register of the journal at `path`; one that does not exist yet is empty.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // A file that may not be looked at is not a file that is not there.
        let exists = path.try_exists().map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => JournalError::Private(path.to_owned()),
            _ => JournalError::Directory(path.to_owned(), error),
        })?;
        let connection = if exists { Some(read_only(path)?) } else { None };
        Ok(Self { path: path.to_owned(), connection })
    }

    /// The last `limit` incidents, newest first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn list(&self, limit: usize) -> Result<Vec<IncidentRow>, JournalError> {
        let Some(connection) = &self.connection else { return Ok(Vec::new()) };
        let read = || -> rusqlite::Result<Vec<(i64, String)>> {
            let mut select =
                connection.prepare("SELECT id, body FROM incident ORDER BY id DESC LIMIT ?1")?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            select.query_map(params![limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let rows = read().map_err(|error| JournalError::Sqlite(self.path.clone(), error))?;
        rows.into_iter().map(|(seq, body)| self.parse(seq, &body)).collect()
    }

    /// One incident.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn get(&self, id: IncidentId) -> Result<Option<IncidentRow>, JournalError> {
        let Some(connection) = &self.connection else { return Ok(None) };
        let body: Option<String> = connection
            .query_row(
                "SELECT body FROM incident WHERE id = ?1",
                params![id.0.cast_signed()],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| JournalError::Sqlite(self.path.clone(), error))?;
        body.map(|body| self.parse(id.0.cast_signed(), &body)).transpose()
    }

    /// What happened in an incident, oldest first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn timeline(&self, id: IncidentId) -> Result<Vec<TimelineRow>, JournalError> {
        let Some(connection) = &self.connection else { return Ok(Vec::new()) };
        let read = || -> rusqlite::Result<Vec<(i64, vigie_core::Moment, String)>> {
            let mut select = connection.prepare(
                "SELECT seq, steady, wall, body FROM record WHERE incident = ?1 ORDER BY seq",
            )?;
            select
                .query_map(params![id.0.cast_signed()], |row| {
                    Ok((row.get(0)?, moment(row, 1)?, row.get(3)?))
                })?
                .collect()
        };
        let rows = read().map_err(|error| JournalError::Sqlite(self.path.clone(), error))?;
        let parse = |(seq, at, body): (i64, vigie_core::Moment, String)| {
            let record: Record = self.parse(seq, &body)?;
            Ok(TimelineRow { at, record })
        };
        rows.into_iter().map(parse).collect()
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self, seq: i64, body: &str) -> Result<T, JournalError> {
        serde_json::from_str(body).map_err(|error| JournalError::Record {
            path: self.path.clone(),
            seq,
            why: error.to_string(),
        })
    }
}
