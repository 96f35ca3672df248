//! Does: the append-only record of everything, and the rebuild of the state from it. One writer, the
//! task that owns the state; readers see the last complete append.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use vigie_core::incident::IncidentId;
use vigie_core::notify::{Change, Kept};
use vigie_core::{Moment, Record, State};

use super::{columns, entries, open, outbox, to_sqlite};

/// Records between two snapshots of the state.
const SNAPSHOT_EVERY: u64 = 2_000;
/// Records kept in memory while the journal cannot be written.
const BACKLOG: usize = 50_000;

/// What went wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory cannot be made or entered.
    #[error(
        "the state directory {0} cannot be used: {1}; make it writable, or set `state` in vigie.toml"
    )]
    Directory(PathBuf, std::io::Error),
    /// It belongs to somebody else.
    #[error(
        "the journal {0} may not be read by this account; run this as the account that runs `vigie watch`"
    )]
    Private(PathBuf),
    /// SQLite says no.
    #[error("the journal {0}: {1}; is the disk full, or the file another account's?")]
    Sqlite(PathBuf, rusqlite::Error),
    /// The tables are from a newer vigie.
    #[error("the journal {0} cannot be brought up to date: {1}; was it written by a newer vigie?")]
    Migration(PathBuf, rusqlite_migration::Error),
    /// The tables are from an older vigie, which still has the journal.
    #[error(
        "the journal {0} is an older vigie's, which still runs; stop that and start `vigie watch` anew"
    )]
    Older(PathBuf),
    /// A record that this vigie cannot read.
    #[error("the journal {path}, record {seq}: {why}; was it written by a newer vigie?")]
    Record {
        /// The file.
        path: PathBuf,
        /// Which record.
        seq: i64,
        /// Why.
        why: String,
    },
    /// Another vigie writes it.
    #[error(
        "another vigie already watches with {0}; stop it first, or give this one its own `state`"
    )]
    Locked(PathBuf),
}

/// The state as the journal has it, and what was found on the way.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// The state.
    pub state: State,
    /// Records that were replayed behind the last snapshot.
    pub replayed: u64,
    /// What waited to be told.
    pub outbox: Kept,
}

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRow {
    /// When.
    pub at: Moment,
    /// What.
    pub record: Record,
}

/// What waits to be written.
#[derive(Debug)]
enum Entry {
    Record(Moment, Record),
    Change(Change),
}

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    // The lock is held for as long as the journal is open: one vigie a state directory. There is none
    // while the disk takes nothing.
    file: Option<(std::fs::File, Connection)>,
    backlog: VecDeque<Entry>,
    lost: u64,
    since_snapshot: u64,
}

impl Journal {
    /// Opens the journal at `path`, making it and its directory (mode 0700) where needed, and
    /// rebuilds the state from it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(path: &Path) -> Result<(Self, Rebuilt), JournalError> {
        let (lock, connection) = open::writer(path)?;
        let rebuilt = open::rebuild(path, &connection)?;
        Ok((Self::new(path, Some((lock, connection)), rebuilt.replayed), rebuilt))
    }

    /// As [`Journal::open`]; but when the disk is full, or cannot be written for another reason that
    /// may pass, records are kept in memory until it can be, and the state comes from a copy. What
    /// kept it from being opened is returned too.
    ///
    /// # Errors
    /// When another vigie has it, when a newer one wrote it, or when nobody can read it.
    pub fn open_somehow(
        path: &Path,
    ) -> Result<(Self, Rebuilt, Option<JournalError>), JournalError> {
        match Self::open(path) {
            Ok((journal, rebuilt)) => Ok((journal, rebuilt, None)),
            Err(error) if open::may_pass(&error) => {
                let rebuilt = open::salvage(path)?;
                Ok((Self::new(path, None, rebuilt.replayed), rebuilt, Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn new(path: &Path, file: Option<(std::fs::File, Connection)>, since_snapshot: u64) -> Self {
        Self { path: path.to_owned(), file, backlog: VecDeque::new(), lost: 0, since_snapshot }
    }

    /// Appends `records`, made at `at`, with the `changes` of the outbox that they brought about, and
    /// brings the register up to date with `state`. When it cannot be written all of it is kept in memory and written as soon as it can be again.
    ///
    /// # Errors
    /// Why it cannot be written now. Vigie goes on all the same.
    pub fn append(
        &mut self,
        at: Moment,
        records: &[Record],
        changes: &[Change],
        state: &State,
    ) -> Result<(), JournalError> {
        self.backlog.extend(records.iter().map(|record| Entry::Record(at, record.clone())));
        self.backlog.extend(changes.iter().cloned().map(Entry::Change));
        while self.backlog.len() > BACKLOG {
            let given_up = self.backlog.pop_front();
            self.lost += u64::from(matches!(given_up, Some(Entry::Record(..))));
        }
        self.flush(state)
    }

    /// Writes what could not be written before.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn flush(&mut self, state: &State) -> Result<(), JournalError> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let (_, connection) = match &mut self.file {
            Some(file) => file,
            none => none.insert(open::writer(&self.path)?),
        };
        // A write of changes alone has no record that a snapshot could stand for.
        let records = self.backlog.iter().any(|entry| matches!(entry, Entry::Record(..)));
        let snapshot = records && self.since_snapshot + self.backlog.len() as u64 >= SNAPSHOT_EVERY;
        let write = || -> rusqlite::Result<()> {
            let transaction = connection.unchecked_transaction()?;
            let mut touched = BTreeSet::new();
            let mut seq = 0;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO record (steady, wall, incident, body) VALUES (?1, ?2, ?3, ?4)",
                )?;
                for entry in &self.backlog {
                    let (at, record) = match entry {
                        Entry::Record(at, record) => (at, record),
                        Entry::Change(change) => {
                            outbox::apply(&transaction, change)?;
                            continue;
                        }
                    };
                    let incident = incident_of(record, state);
                    touched.extend(incident);
                    if let Record::Closed { incident, .. } = record
                        && !state.incidents.contains_key(incident)
                    {
                        columns::close(&transaction, *incident)?;
                    }
                    let body = serde_json::to_string(record).map_err(to_sqlite)?;
                    let incident = incident.map(|id| id.0.cast_signed());
                    insert.execute(params![at.steady, at.wall, incident, body])?;
                    seq = transaction.last_insert_rowid();
                }
            }
            for id in touched {
                columns::project(&transaction, state, id)?;
            }
            for entry in &self.backlog {
                if let Entry::Record(at, record) = entry {
                    columns::heed(&transaction, record)?;
                    entries::heed(&transaction, *at, record)?;
                }
            }
            if snapshot {
                let body = serde_json::to_string(state).map_err(to_sqlite)?;
                transaction.execute("DELETE FROM snapshot", [])?;
                transaction.execute(
                    "INSERT INTO snapshot (seq, body) VALUES (?1, ?2)",
                    params![seq, body],
                )?;
            }
            transaction.commit()
        };
        write().map_err(|error| JournalError::Sqlite(self.path.clone(), error))?;
        let written = self.backlog.iter().filter(|entry| matches!(entry, Entry::Record(..)));
        self.since_snapshot =
            if snapshot { 0 } else { self.since_snapshot + written.count() as u64 };
        self.backlog.clear();
        Ok(())
    }

    /// Whether it could be opened yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Records that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.backlog.len()
    }

    /// Records that were given up because too many waited; asking forgets them.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Forgets records older than `before` that the last snapshot covers. Incidents stay in the
    /// register; only their timelines go.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn retain(&mut self, before: Moment) -> Result<usize, JournalError> {
        // The timeline of what is still open stays whole, however old.
        let delete = "DELETE FROM record WHERE wall < ?1
                      AND seq <= (SELECT COALESCE(MAX(seq), 0) FROM snapshot)
                      AND NOT EXISTS (SELECT 1 FROM incident
                          WHERE incident.id = record.incident
                          AND incident.state NOT IN ('resolved', 'closed'))";
        let Some((_, connection)) = &self.file else { return Ok(0) };
        connection
            .execute(outbox::FORGET, [])
            .map_err(|error| JournalError::Sqlite(self.path.clone(), error))?;
        connection
            .execute(delete, params![before.wall])
            .map_err(|error| JournalError::Sqlite(self.path.clone(), error))
    }
}

/// The incident that a record belongs to, also through its run.
fn incident_of(record: &Record, state: &State) -> Option<IncidentId> {
    record.incident().or_else(|| Some(state.runs.get(&record.run()?)?.incident))
}
