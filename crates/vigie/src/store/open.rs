//! Does: opens the journal, brings its tables up to date and rebuilds the state from it; and makes do
//! with a copy in memory when the disk takes nothing any more.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use vigie_core::{Moment, Record, State};

use super::journal::{JournalError, Rebuilt};
use super::schema::migrations;

/// A command that writes beside no daemon holds the lock for a moment, and so does a program that was
/// forked and has not begun yet: half a second tells them from a daemon.
const LOCK_TRIES: usize = 25;
const LOCK_AGAIN: Duration = Duration::from_millis(20);

/// Opens the journal at `path` for its only writer: the lock, and the connection.
pub(super) fn writer(path: &Path) -> Result<(std::fs::File, Connection), JournalError> {
    let lock = prepare(path.parent().unwrap_or(Path::new(".")))?;
    let sqlite = |error| JournalError::Sqlite(path.to_owned(), error);
    let mut connection = Connection::open(path).map_err(sqlite)?;
    // The directory may have been there before, open to others; its other files take this one's mode.
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    let _ = std::fs::set_permissions(path, private);
    connection.busy_timeout(Duration::from_secs(5)).map_err(sqlite)?;
    // FULL: an intent must be on the disk before its step begins, also across a power cut.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -2000;",
        )
        .map_err(sqlite)?;
    migrations().to_latest(&mut connection).map_err(|error| match error {
        // A full disk is no newer vigie.
        rusqlite_migration::Error::RusqliteError { err, .. } => sqlite(err),
        error => JournalError::Migration(path.to_owned(), error),
    })?;
    Ok((lock, connection))
}

/// Whether an error is the disk's and may pass: the watch does not have to wait for it.
pub(super) fn may_pass(error: &JournalError) -> bool {
    match error {
        JournalError::Directory(..) => true,
        JournalError::Sqlite(_, error) => matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::PermissionDenied
            )
        ),
        _ => false,
    }
}

/// The state of a journal that cannot be opened where it lies: from a copy in memory, since SQLite
/// needs to write beside a journal to read it. A journal that does not exist yet has the first state.
pub(super) fn salvage(path: &Path) -> Result<Rebuilt, JournalError> {
    let unusable = |error| JournalError::Directory(path.to_owned(), error);
    if !path.try_exists().map_err(unusable)? {
        return Ok(Rebuilt::default());
    }
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let place = tempfile::Builder::new().prefix("vigie-").tempdir_in(place).map_err(unusable)?;
    let copy = place.path().join("journal.db");
    std::fs::copy(path, &copy).map_err(unusable)?;
    let log = path.with_extension("db-wal");
    if log.try_exists().map_err(unusable)? {
        std::fs::copy(log, copy.with_extension("db-wal")).map_err(unusable)?;
    }
    let sqlite = |error| JournalError::Sqlite(path.to_owned(), error);
    let mut connection = Connection::open(&copy).map_err(sqlite)?;
    migrations()
        .to_latest(&mut connection)
        .map_err(|error| JournalError::Migration(path.to_owned(), error))?;
    rebuild(path, &connection)
}

fn prepare(directory: &Path) -> Result<std::fs::File, JournalError> {
    use std::os::unix::fs::DirBuilderExt;
    let unusable = |error| JournalError::Directory(directory.to_owned(), error);
    if !directory.is_dir() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    }
    let lock = std::fs::File::create(directory.join("lock")).map_err(unusable)?;
    let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    let mut tries = 0..LOCK_TRIES;
    while rustix::fs::flock(&lock, exclusive).is_err() {
        if tries.next().is_none() {
            return Err(JournalError::Locked(directory.to_owned()));
        }
        std::thread::sleep(LOCK_AGAIN);
    }
    Ok(lock)
}

pub(super) fn rebuild(path: &Path, connection: &Connection) -> Result<Rebuilt, JournalError> {
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
    let outbox = super::outbox::kept(connection).map_err(sqlite)?;
    Ok(Rebuilt { state, replayed, outbox })
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

/// Copies a journal as it is at one moment, also while a watch writes to it.
///
/// # Errors
/// When it cannot be read, or `to` is there already or cannot be written.
pub fn copy(from: &Path, to: &Path) -> Result<(), JournalError> {
    let connection = read_only(from)?;
    let sqlite = |error| JournalError::Sqlite(from.to_owned(), error);
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map(drop).map_err(sqlite)
}
