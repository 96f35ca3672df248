//! Does: reads from the register what past incidents teach: rows for figures, likely likenesses,
//! what is known, how often a risk came true. Columns and indexes only; decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, Row as SqlRow, params};
use vigie_core::incident::{Group, IncidentId, Severity};
use vigie_core::learn::similar::Past;
use vigie_core::learn::stats::{Row, Times};
use vigie_core::learn::{Fingerprint, Known, Recall, Subject, recall};

use super::columns::{self, told_fix};
use super::journal::JournalError;
use super::register::{IncidentRow, Register};
use super::to_sqlite;
use crate::knowledge;

/// Likenesses that are looked at of each kind: the newest.
const LIKELY: usize = 50;

/// A past incident with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRow {
    /// As the core ranks it.
    pub past: Past,
    /// One line for people.
    pub title: String,
    /// When it was detected, in milliseconds since 1970.
    pub detected: i64,
}

impl Register {
    /// Every incident detected since `since`, or all, as figures need them; beside them every P1 of
    /// availability, however old: an outage may last.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn rows(&self, since: Option<i64>) -> Result<Vec<Row>, JournalError> {
        let Some(connection) = self.connection() else { return Ok(Vec::new()) };
        rows(connection, since).map_err(|error| self.sqlite(error))
    }

    /// Since when the journal knows of anything, in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn watched_since(&self) -> Result<Option<i64>, JournalError> {
        let Some(connection) = self.connection() else { return Ok(None) };
        let select = "SELECT MIN(wall) FROM (
                SELECT wall FROM (SELECT wall FROM record ORDER BY seq LIMIT 1)
                UNION ALL SELECT MIN(detected) FROM incident)";
        connection.query_row(select, [], |row| row.get(0)).map_err(|error| self.sqlite(error))
    }

    /// The incidents that may resemble `subject`: the newest with its Lua error, with its symptoms,
    /// and of its service.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn likely(&self, subject: &Subject) -> Result<Vec<PastRow>, JournalError> {
        let Some(connection) = self.connection() else { return Ok(Vec::new()) };
        likely(connection, subject).map_err(|error| self.sqlite(error))
    }

    /// All that is known: the shipped incidents, then what was imported.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn known(&self) -> Result<Vec<Known>, JournalError> {
        let mut all = knowledge::shipped();
        if let Some(connection) = self.connection() {
            let own = columns::known(connection).map_err(|error| self.sqlite(error))?;
            all.extend(own);
        }
        Ok(all)
    }

    /// What an incident recalls. A register that cannot be read recalls nothing.
    #[must_use]
    pub fn seen_before(&self, row: &IncidentRow) -> Option<Recall> {
        let subject = Subject::of(&row.incident, &row.runs);
        let past: Vec<Past> =
            self.likely(&subject).unwrap_or_default().into_iter().map(|one| one.past).collect();
        recall(&subject, &past, &self.known().unwrap_or_else(|_| knowledge::shipped()))
    }

    /// How often incidents of `services` showed one of the symptoms in `bits`, and when last.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn came_true(
        &self,
        bits: u32,
        services: &[&str],
    ) -> Result<(u64, Option<i64>), JournalError> {
        let Some(connection) = self.connection() else { return Ok((0, None)) };
        let read = || {
            let services = serde_json::to_string(services).map_err(to_sqlite)?;
            connection.query_row(
                "SELECT COUNT(*), MAX(detected) FROM incident INDEXED BY incident_facts
                 WHERE symptoms & ?1 <> 0 AND service IN (SELECT value FROM json_each(?2))",
                params![bits, services],
                |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)),
            )
        };
        read().map_err(|error| self.sqlite(error))
    }
}

/// The first part alone is all there is when everything is asked for.
const ROWS: &str = "
    SELECT severity, grp, service, symptoms, started_earliest, started_latest, detected,
        acknowledged, restored, resolved
    FROM incident INDEXED BY incident_facts WHERE detected >= ?1
    UNION ALL
    SELECT severity, grp, service, symptoms, started_earliest, started_latest, detected,
        acknowledged, restored, resolved
    FROM incident INDEXED BY incident_outages
    WHERE detected < ?1 AND severity = 'P1' AND grp = 'availability'";

fn rows(connection: &Connection, since: Option<i64>) -> rusqlite::Result<Vec<Row>> {
    let mut select = connection.prepare_cached(ROWS)?;
    let mut found = select.query(params![since.unwrap_or(i64::MIN)])?;
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let service = row.get_ref(2)?.as_str()?;
        let service = if let Some(known) = names.iter().find(|known| &***known == service) {
            Arc::clone(known)
        } else {
            names.push(service.into());
            service.into()
        };
        all.push(Row {
            severity: severity(row.get_ref(0)?.as_str()?),
            group: group(row.get_ref(1)?.as_str()?),
            service,
            sensed: row.get::<_, i64>(3)? != 0,
            times: Times {
                started_earliest: row.get(4)?,
                started_latest: row.get(5)?,
                detected: row.get(6)?,
                acknowledged: row.get(7)?,
                restored: row.get(8)?,
                resolved: row.get(9)?,
            },
        });
    }
    Ok(all)
}

/// The severity of a word; one that is not known yet is the mildest.
fn severity(word: &str) -> Severity {
    Severity::ALL.into_iter().find(|level| level.word() == word).unwrap_or(Severity::P4)
}

/// The group of a word; one that is not known yet is none that figures are about.
fn group(word: &str) -> Group {
    let known =
        [Group::Availability, Group::Performance, Group::Errors, Group::Abuse, Group::Drift];
    known.into_iter().find(|group| group.word() == word).unwrap_or(Group::Disk)
}

fn likely(connection: &Connection, subject: &Subject) -> rusqlite::Result<Vec<PastRow>> {
    const COLUMNS: &str = "SELECT id, service, fingerprint, symptoms, fixed_en, fixed_fr, note,
        noted_by, started_earliest, started_latest, restored, resolved, title, detected
        FROM incident";
    let print = subject.fingerprint;
    let id = subject.id.0.cast_signed();
    let mut found = BTreeMap::new();
    let mut take = |by: &str,
                    index: &str,
                    key: &dyn rusqlite::ToSql,
                    also: &dyn rusqlite::ToSql| {
        let sql = format!(
            "{COLUMNS} INDEXED BY {index} WHERE {by} AND id <> ?3 ORDER BY id DESC LIMIT {LIKELY}"
        );
        let mut select = connection.prepare_cached(&sql)?;
        for row in select.query_map(params![key, also, id], past)? {
            let row = row?;
            found.insert(row.past.id, row);
        }
        Ok::<_, rusqlite::Error>(())
    };
    let service = &subject.service;
    if let Some(signature) = print.signature {
        let by = "fingerprint = ?1 AND ?2 = ?2";
        take(by, "incident_by_fingerprint", &signature.cast_signed(), service)?;
    }
    if print.symptoms != 0 {
        let set = &print.symptoms;
        take("symptoms = ?1 AND service = ?2", "incident_by_symptoms_of", set, service)?;
        take("symptoms = ?1 AND ?2 = ?2", "incident_by_symptoms", set, service)?;
    }
    take("service = ?1 AND ?2 = ?2", "incident_by_service", service, service)?;
    Ok(found.into_values().collect())
}

fn past(row: &SqlRow<'_>) -> rusqlite::Result<PastRow> {
    let times = Times {
        started_earliest: row.get(8)?,
        started_latest: row.get(9)?,
        restored: row.get(10)?,
        resolved: row.get(11)?,
        ..Times::default()
    };
    let length = |ms: i64| std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let took = times.end().map(|end| times.until(end));
    Ok(PastRow {
        past: Past {
            id: IncidentId(row.get::<_, i64>(0)?.cast_unsigned()),
            service: row.get(1)?,
            fingerprint: Fingerprint {
                signature: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                symptoms: row.get(3)?,
            },
            // Whatever was done, what is not over was not fixed by it.
            fixed_by: match took {
                Some(_) => told_fix((row.get(4)?, row.get(5)?), (row.get(6)?, row.get(7)?)),
                None => None,
            },
            took: took.map(|(least, most)| (length(least), length(most))),
        },
        title: row.get(12)?,
        detected: row.get(13)?,
    })
}
