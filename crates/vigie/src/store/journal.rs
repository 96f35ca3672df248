//! Does: the append-only record of everything, and the rebuild of the state from it. One writer, the
//! task that owns the state; readers see the last complete append.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use vigie_core::incident::IncidentId;
use vigie_core::{Moment, Record, State};

use super::schema::migrations;
use super::{columns, to_sqlite};

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
    /// SQLite says no.
    #[error("the journal {0}: {1}")]
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
}

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRow {
    /// When.
    pub at: Moment,
    /// What.
    pub record: Record,
}

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    // Held for as long as the journal is open: one vigie a state directory.
    _lock: std::fs::File,
    backlog: VecDeque<(Moment, Record)>,
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
        let directory = path.parent().unwrap_or(Path::new("."));
        let lock = prepare(directory)?;
        let sqlite = |error| JournalError::Sqlite(path.to_owned(), error);
        let mut connection = Connection::open(path).map_err(sqlite)?;
        connection.busy_timeout(Duration::from_secs(5)).map_err(sqlite)?;
        // FULL: an intent must be on the disk before its step begins, also across a power cut.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -2000;",
            )
            .map_err(sqlite)?;
        migrations()
            .to_latest(&mut connection)
            .map_err(|error| JournalError::Migration(path.to_owned(), error))?;
        let rebuilt = rebuild(path, &connection)?;
        let journal = Self {
            path: path.to_owned(),
            connection,
            _lock: lock,
            backlog: VecDeque::new(),
            lost: 0,
            since_snapshot: rebuilt.replayed,
        };
        Ok((journal, rebuilt))
    }

    /// Appends `records`, made at `at`, and brings the register up to date with `state`. When it
    /// cannot be written the records are kept in memory and written as soon as it can be again.
    ///
    /// # Errors
    /// Why it cannot be written now. Vigie goes on all the same.
    pub fn append(
        &mut self,
        at: Moment,
        records: &[Record],
        state: &State,
    ) -> Result<(), JournalError> {
        self.backlog.extend(records.iter().map(|record| (at, record.clone())));
        while self.backlog.len() > BACKLOG {
            self.backlog.pop_front();
            self.lost += 1;
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
        let snapshot = self.since_snapshot + self.backlog.len() as u64 >= SNAPSHOT_EVERY;
        let write = || -> rusqlite::Result<()> {
            let transaction = self.connection.unchecked_transaction()?;
            let mut touched = BTreeSet::new();
            let mut seq = 0;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO record (steady, wall, incident, body) VALUES (?1, ?2, ?3, ?4)",
                )?;
                for (at, record) in &self.backlog {
                    let incident = incident_of(record, state);
                    touched.extend(incident);
                    let body = serde_json::to_string(record).map_err(to_sqlite)?;
                    let incident = incident.map(|id| id.0.cast_signed());
                    insert.execute(params![at.steady, at.wall, incident, body])?;
                    seq = transaction.last_insert_rowid();
                }
            }
            for id in touched {
                columns::project(&transaction, state, id)?;
            }
            for (_, record) in &self.backlog {
                columns::heed(&transaction, record)?;
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
        self.since_snapshot =
            if snapshot { 0 } else { self.since_snapshot + self.backlog.len() as u64 };
        self.backlog.clear();
        Ok(())
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
        self.connection
            .execute(delete, params![before.wall])
            .map_err(|error| JournalError::Sqlite(self.path.clone(), error))
    }
}

/// The incident that a record belongs to, also through its run.
fn incident_of(record: &Record, state: &State) -> Option<IncidentId> {
    record.incident().or_else(|| Some(state.runs.get(&record.run()?)?.incident))
}

fn prepare(directory: &Path) -> Result<std::fs::File, JournalError> {
    use std::os::unix::fs::DirBuilderExt;
    let unusable = |error| JournalError::Directory(directory.to_owned(), error);
    if !directory.is_dir() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    }
    let lock = std::fs::File::create(directory.join("lock")).map_err(unusable)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(_) => Err(JournalError::Locked(directory.to_owned())),
    }
}

fn rebuild(path: &Path, connection: &Connection) -> Result<Rebuilt, JournalError> {
    let sqlite = |error| JournalError::Sqlite(path.to_owned(), error);
    let unreadable = |seq: i64, error: serde_json::Error| JournalError::Record {
        path: path.to_owned(),
        seq,
        why: error.to_string(),
    };
    let snapshot: Option<(i64, String)> = connection
        .query_row("SELECT seq, body FROM snapshot ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(sqlite)?;
    let (from, mut state) = match snapshot {
        Some((seq, body)) => {
            (seq, serde_json::from_str(&body).map_err(|error| unreadable(seq, error))?)
        }
        None => (0, State::default()),
    };
    let mut select = connection
        .prepare("SELECT seq, steady, wall, body FROM record WHERE seq > ?1 ORDER BY seq")
        .map_err(sqlite)?;
    let mut rows = select.query(params![from]).map_err(sqlite)?;
    let mut replayed = 0;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let seq: i64 = row.get(0).map_err(sqlite)?;
        let at = moment(row, 1).map_err(sqlite)?;
        let body: String = row.get(3).map_err(sqlite)?;
        let record: Record = serde_json::from_str(&body).map_err(|error| unreadable(seq, error))?;
        state.apply(at, &record);
        replayed += 1;
    }
    Ok(Rebuilt { state, replayed })
}

pub(super) fn moment(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Moment> {
    Ok(Moment { steady: row.get(at)?, wall: row.get(at + 1)? })
}

pub(super) fn read_only(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| JournalError::Sqlite(path.to_owned(), error))?;
    connection
        .busy_timeout(Duration::from_secs(2))
        .map_err(|error| JournalError::Sqlite(path.to_owned(), error))?;
    Ok(connection)
}
