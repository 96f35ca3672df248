//! Does: a database's dump and its way back, through the client programs of the service itself. The
//! password is in their environment, never on a command line.

use std::io::Read;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use vigie_backup::Stored;
use vigie_core::snapshot::{DatabasePart, PointName};

use super::SnapshotError;
use super::engine::Place;
use crate::config::DatabaseConfig;
use crate::runtime::docker::{Ended, Program};

/// The dump's name in its snapshot.
const FILE: &str = "dump.sql";
/// Pieces that wait for whoever is slower.
const WAITING: usize = 64;

/// Finds the program that is there: MariaDB's name, or MySQL's.
const EITHER: &str = "p=$1; q=$2; shift 2; if command -v \"$p\" >/dev/null 2>&1; then exec \"$p\" \"$@\"; \
    fi; exec \"$q\" \"$@\"";

fn program(names: [&str; 2], arguments: &[&str], password: String) -> Program {
    let words = ["sh", "-c", EITHER, "vigie", names[0], names[1]];
    Program {
        arguments: words.into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect(),
        env: vec![(String::from("MYSQL_PWD"), password)],
    }
}

/// The probe of `service` and the schema that is kept; nothing where no schema is configured.
pub(super) fn probe<'a>(place: &Place<'a>, service: &str) -> Option<(&'a DatabaseConfig, &'a str)> {
    let probe = place.config.file.service.get(service)?.database.as_ref()?;
    Some((probe, probe.schema.as_deref()?))
}

/// Keeps a consistent dump of `schema`, as the server has it at one moment.
pub(super) async fn dump(
    place: &Place<'_>,
    service: &str,
    probe: &DatabaseConfig,
    schema: &str,
    name: &PointName,
) -> Result<DatabasePart, SnapshotError> {
    let password = password(place, probe)?;
    let user = format!("--user={}", probe.user);
    let arguments = [
        user.as_str(),
        "--single-transaction",
        "--quick",
        "--routines",
        "--triggers",
        "--events",
        "--hex-blob",
        "--no-tablespaces",
        // The same data is the same dump, so that it costs nothing to keep it again.
        "--skip-dump-date",
        "--add-drop-database",
        "--databases",
        schema,
    ];
    let program = program(["mariadb-dump", "mysqldump"], &arguments, password);
    let (sender, receiver) = mpsc::channel(WAITING);
    let (tell, told) = std::sync::mpsc::channel::<Result<(), String>>();
    let repository = place.shelf.repository()?;
    let label = format!("database:{service}:{schema}");
    let tag = name.to_string();
    let keep = tokio::task::spawn_blocking(move || {
        let reader = Pieces { receiver, piece: Bytes::new() };
        repository.put_stream(&label, &tag, FILE, reader, || {
            told.recv().unwrap_or_else(|_| Err(String::from("it was given up")))
        })
    });
    let ended = place.docker.exec(service, &program, None, Some(sender)).await;
    let word = match &ended {
        Ok(ended) if ended.is_fine() => Ok(()),
        Ok(ended) => Err(ended.complaint.clone()),
        Err(error) => Err(error.to_string()),
    };
    let _ = tell.send(word);
    let kept = keep.await;
    fine("mariadb-dump", service, ended?)?;
    let Stored { id, bytes, added, .. } = joined(kept)?;
    Ok(DatabasePart {
        service: service.to_owned(),
        schema: schema.to_owned(),
        snapshot: id,
        size: bytes,
        added,
    })
}

/// Plays a dump back: the schema is then as it was, and nothing else is in it.
pub(super) async fn play(place: &Place<'_>, part: &DatabasePart) -> Result<(), SnapshotError> {
    let service = &part.service;
    let Some((probe, _)) = probe(place, service) else {
        let why = format!("{service} has no `database` with a `schema` in vigie.toml any more");
        return Err(SnapshotError::Nothing(why));
    };
    let user = format!("--user={}", probe.user);
    let arguments = [user.as_str(), "--binary-mode"];
    let program = program(["mariadb", "mysql"], &arguments, password(place, probe)?);
    let repository = place.shelf.repository()?;
    let (read, write) = tokio::io::duplex(1 << 20);
    let snapshot = part.snapshot.clone();
    let give = tokio::task::spawn_blocking(move || {
        let mut write = tokio_util::io::SyncIoBridge::new(write);
        repository.get_file(&snapshot, FILE, &mut write)
    });
    let ended = place.docker.exec(service, &program, Some(Box::new(read)), None).await?;
    let given = give.await;
    // The program's own word says more than that it took no more.
    fine("mariadb", service, ended)?;
    joined(given)
}

fn fine(program: &str, service: &str, ended: Ended) -> Result<(), SnapshotError> {
    if ended.is_fine() {
        return Ok(());
    }
    Err(SnapshotError::Database {
        program: program.to_owned(),
        service: service.to_owned(),
        code: ended.code,
        why: ended.complaint,
    })
}

fn password(place: &Place<'_>, probe: &DatabaseConfig) -> Result<String, SnapshotError> {
    let revealed = place.config.vault.reveal(&probe.password);
    revealed.map_err(|error| SnapshotError::Nothing(format!("the database's password: {error}")))
}

/// What a blocking work came to.
pub(super) fn joined<T>(
    done: Result<Result<T, vigie_backup::Error>, tokio::task::JoinError>,
) -> Result<T, SnapshotError> {
    match done {
        Ok(done) => Ok(done?),
        Err(error) => Err(SnapshotError::Nothing(format!("the work was given up: {error}"))),
    }
}

/// Pieces that come from a task, read by a thread.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
