//! Does: keeps what waits to be told on the disk, in the same write as the records that brought it about.

use rusqlite::{Connection, Transaction, params};
use vigie_core::incident::IncidentId;
use vigie_core::notify::{Card, Change, Kept, Notice};

/// Takes away the cards of incidents so old that [`kept`] does not read them.
pub(super) const FORGET: &str =
    "DELETE FROM card WHERE incident <= (SELECT MAX(incident) FROM card) - 4096";

/// Carries one change out.
pub(super) fn apply(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Added(notice) => {
            let body = serde_json::to_string(notice)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let mut insert = transaction
                .prepare_cached("INSERT OR REPLACE INTO notice (id, body) VALUES (?1, ?2)")?;
            insert.execute(params![notice.id.0.cast_signed(), body])?;
        }
        Change::Removed(id) => {
            let mut delete = transaction.prepare_cached("DELETE FROM notice WHERE id = ?1")?;
            delete.execute(params![id.0.cast_signed()])?;
        }
        Change::Carded(card) => {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO card (channel, incident, message) VALUES (?1, ?2, ?3)",
            )?;
            insert.execute(params![card.channel, card.incident.0.cast_signed(), card.message])?;
        }
    }
    Ok(())
}

/// What was kept; notices that this vigie cannot read were a newer one's and stay where they are.
pub(super) fn kept(connection: &Connection) -> rusqlite::Result<Kept> {
    let mut select = connection.prepare("SELECT body FROM notice ORDER BY id")?;
    let bodies = select.query_map([], |row| row.get::<_, String>(0))?;
    let bodies: Vec<String> = bodies.collect::<rusqlite::Result<_>>()?;
    let waiting: Vec<Notice> =
        bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect();
    // Cards of incidents that are over for long are of no use: nothing of them changes any more.
    let mut select = connection.prepare(
        "SELECT channel, incident, message FROM card
         ORDER BY incident DESC LIMIT 4096",
    )?;
    let cards = select.query_map([], |row| {
        Ok(Card {
            channel: row.get(0)?,
            incident: IncidentId(row.get::<_, i64>(1)?.cast_unsigned()),
            message: row.get(2)?,
        })
    })?;
    let cards = cards.collect::<rusqlite::Result<_>>()?;
    let last: i64 = connection.query_row(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'notice'), 0)",
        [],
        |row| row.get(0),
    )?;
    Ok(Kept { waiting, cards, last: last.cast_unsigned() })
}
