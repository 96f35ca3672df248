//! Does: writes an incident into the register, its columns beside its body: what is asked of many
//! incidents at once is read from columns and indexes, never from bodies.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use vigie_core::incident::{Actor, IncidentId, Lifecycle};
use vigie_core::learn::stats::Times;
use vigie_core::learn::{Fingerprint, Known, fixed_by};
use vigie_core::respond::Text;
use vigie_core::{Record, State};

use super::register::IncidentRow;
use super::to_sqlite;

/// Brings one incident's row up to date.
pub(super) fn project(
    transaction: &Transaction<'_>,
    state: &State,
    id: IncidentId,
) -> rusqlite::Result<()> {
    let Some(incident) = state.incidents.get(&id) else { return Ok(()) };
    let runs = incident.runs.iter().filter_map(|run| state.runs.get(run)).cloned().collect();
    let row = IncidentRow { incident: incident.clone(), runs };
    let body = serde_json::to_string(&row).map_err(to_sqlite)?;
    transaction
        .prepare_cached(
            "INSERT INTO incident (id, severity, state, service, detected, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET severity = ?2, state = ?3, service = ?4, body = ?6",
        )?
        .execute(params![
            id.0.cast_signed(),
            incident.severity.word(),
            incident.state.word(),
            incident.service,
            incident.detected.wall,
            body
        ])?;
    describe(transaction, &row)
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
    let body = serde_json::to_string(&row).map_err(to_sqlite)?;
    transaction.execute(
        "UPDATE incident SET state = ?2, body = ?3 WHERE id = ?1",
        params![id.0.cast_signed(), row.incident.state.word(), body],
    )?;
    Ok(())
}

/// Writes the columns that follow from a row's body.
pub(super) fn describe(connection: &Connection, row: &IncidentRow) -> rusqlite::Result<()> {
    let incident = &row.incident;
    let (print, times) = (Fingerprint::of(incident), Times::of(incident));
    let fixed = fixed_by(&row.runs);
    connection
        .prepare_cached(
            "UPDATE incident SET grp = ?2, symptoms = ?3, fingerprint = ?4, started_earliest = ?5,
                 started_latest = ?6, acknowledged = ?7, restored = ?8, resolved = ?9,
                 title = ?10, fixed_en = ?11, fixed_fr = ?12
             WHERE id = ?1",
        )?
        .execute(params![
            incident.id.0.cast_signed(),
            incident.group.word(),
            print.symptoms,
            print.signature.map(u64::cast_signed),
            times.started_earliest,
            times.started_latest,
            times.acknowledged,
            times.restored,
            times.resolved,
            incident.title,
            fixed.as_ref().map(|fixed| &fixed.en),
            fixed.as_ref().and_then(|fixed| fixed.fr.as_ref()),
        ])?;
    Ok(())
}

/// Writes down what a record says beside the state: a person's last word, a known incident.
pub(super) fn heed(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Noted { incident, by: Actor::Person(name), text } => {
            // A report notes its own title: that is the trouble, not its end.
            connection
                .prepare_cached(
                    "UPDATE incident SET note = ?2, noted_by = ?3 WHERE id = ?1 AND title <> ?2",
                )?
                .execute(params![incident.0.cast_signed(), text, name])?;
        }
        Record::KnownLearned { known, .. } => {
            let body = serde_json::to_string(known).map_err(to_sqlite)?;
            connection
                .prepare_cached(
                    "INSERT INTO known (id, body) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET body = ?2",
                )?
                .execute(params![known.id, body])?;
        }
        _ => {}
    }
    Ok(())
}

/// Fills the columns of rows that an older vigie wrote. A body that cannot be read keeps its row,
/// and is told when somebody asks for it.
pub(super) fn fill(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut select = transaction.prepare("SELECT body FROM incident")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        if let Ok(row) = serde_json::from_str::<IncidentRow>(&body) {
            describe(transaction, &row)?;
        }
    }
    let mut noted = transaction.prepare(
        "SELECT body FROM record WHERE incident IS NOT NULL AND body LIKE '{\"what\":\"noted\"%'
         ORDER BY seq",
    )?;
    let mut rows = noted.query([])?;
    let mut last = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        if let Ok(record) = serde_json::from_str::<Record>(&body) {
            last.insert(record.incident(), record);
        }
    }
    last.values().try_for_each(|record| heed(transaction, record))
}

/// What fixed an incident: a verified case, or the note of the person who had it in hand.
pub(super) fn told_fix(
    fixed: (Option<String>, Option<String>),
    note: (Option<String>, Option<String>),
) -> Option<Text> {
    if let Some(en) = fixed.0 {
        return Some(Text { en, fr: fixed.1 });
    }
    let (text, name) = (note.0?, note.1.unwrap_or_default());
    Some(Text { en: format!("{name}: {text}"), fr: Some(format!("{name} : {text}")) })
}

/// The known incidents that the register holds.
pub(super) fn known(connection: &Connection) -> rusqlite::Result<Vec<Known>> {
    let mut select = connection.prepare_cached("SELECT body FROM known ORDER BY rowid")?;
    let bodies = select.query_map([], |row| row.get::<_, String>(0))?;
    // One of a newer vigie's making helps nobody here.
    bodies
        .filter_map(|body| body.map(|body| serde_json::from_str(&body).ok()).transpose())
        .collect()
}
