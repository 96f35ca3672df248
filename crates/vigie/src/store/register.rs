//! Does: the register of incidents: read by commands without the daemon, and without replaying
//! anything. Never written but by the journal's own append.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use vigie_core::Record;
use vigie_core::incident::{Incident, IncidentId};
use vigie_core::respond::Run;

use super::journal::{Journal, JournalError, TimelineRow};
use super::open::{moment, read_only};
use super::schema::VERSION;

/// An incident with its runs, as the register keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentRow {
    /// The incident.
    pub incident: Incident,
    /// Its runs, oldest first.
    pub runs: Vec<Run>,
}

/// The register, open for reading.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Register {
    /// Opens the register of the journal at `path`; one that does not exist yet is empty, one that
    /// an older vigie left is brought up to date first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let mut register = Self { path: path.to_owned(), connection: None };
        // A file that may not be looked at is not a file that is not there.
        let exists = path.try_exists().map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => JournalError::Private(path.to_owned()),
            _ => JournalError::Directory(path.to_owned(), error),
        })?;
        if !exists {
            return Ok(register);
        }
        let connection = read_only(path)?;
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|error| register.sqlite(error))?;
        if version < VERSION {
            drop(connection);
            let brought = Journal::open(path).map(drop);
            brought.map_err(|error| match error {
                JournalError::Locked(_) => JournalError::Older(path.to_owned()),
                error => error,
            })?;
            register.connection = Some(read_only(path)?);
        } else {
            register.connection = Some(connection);
        }
        Ok(register)
    }

    pub(super) const fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    pub(super) fn sqlite(&self, error: rusqlite::Error) -> JournalError {
        JournalError::Sqlite(self.path.clone(), error)
    }

    /// The last `limit` incidents, newest first.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn list(&self, limit: usize) -> Result<Vec<IncidentRow>, JournalError> {
        self.find(&super::Filter::default(), limit)
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
            .map_err(|error| self.sqlite(error))?;
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
        let rows = read().map_err(|error| self.sqlite(error))?;
        let parse = |(seq, at, body): (i64, vigie_core::Moment, String)| {
            let record: Record = self.parse(seq, &body)?;
            Ok(TimelineRow { at, record })
        };
        rows.into_iter().map(parse).collect()
    }

    pub(super) fn parse<T: for<'de> Deserialize<'de>>(
        &self,
        seq: i64,
        body: &str,
    ) -> Result<T, JournalError> {
        serde_json::from_str(body).map_err(|error| JournalError::Record {
            path: self.path.clone(),
            seq,
            why: error.to_string(),
        })
    }
}
