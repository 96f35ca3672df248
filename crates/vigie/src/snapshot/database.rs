//! Does: keeps a database's dump in a restore point and plays it back. How a dump is made and played is
//! in `crate::backup::database`.

use std::io::Read;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use vigie_backup::Stored;
use vigie_core::snapshot::{DatabasePart, PointName, database_label};

use super::SnapshotError;
use super::engine::Place;
use crate::backup::database::{Client, DatabaseError, Tools, Wish, dump as print, play as take};
use crate::config::DatabaseConfig;

/// The dump's name in its snapshot.
pub(crate) const FILE: &str = "dump.sql";
/// Pieces that wait for whoever is slower.
const WAITING: usize = 64;

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
    let client = client(place, probe)?;
    let tools = Tools::Container { docker: place.docker, service };
    let wish = Wish { schemas: vec![schema.to_owned()], place: false };
    let (sender, receiver) = mpsc::channel(WAITING);
    let (tell, told) = std::sync::mpsc::channel::<Result<(), String>>();
    let repository = place.shelf.repository()?;
    let label = database_label(service, schema);
    let tag = name.to_string();
    let keep = tokio::task::spawn_blocking(move || {
        let reader = Pieces { receiver, piece: Bytes::new() };
        repository.put_stream(&label, &tag, FILE, reader, || {
            told.recv().unwrap_or_else(|_| Err(String::from("it was given up")))
        })
    });
    let done = print(&tools, &client, &wish, sender).await;
    let _ = tell.send(done.as_ref().map(drop).map_err(ToString::to_string));
    let kept = keep.await;
    done?;
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
    let client = client(place, probe)?;
    let tools = Tools::Container { docker: place.docker, service };
    let repository = place.shelf.repository()?;
    let (read, write) = tokio::io::duplex(1 << 20);
    let snapshot = part.snapshot.clone();
    let give = tokio::task::spawn_blocking(move || {
        let mut write = tokio_util::io::SyncIoBridge::new(write);
        repository.get_file(&snapshot, FILE, &mut write)
    });
    let taken = take(&tools, &client, Box::new(read)).await;
    let given = give.await;
    // The program's own word says more than that it took no more.
    taken?;
    joined(given)
}

fn client(place: &Place<'_>, probe: &DatabaseConfig) -> Result<Client, SnapshotError> {
    let revealed = place.config.vault.reveal(&probe.password);
    let password = revealed
        .map_err(|error| SnapshotError::Nothing(format!("the database's password: {error}")))?;
    Ok(Client { user: probe.user.clone(), password, address: None })
}

impl From<DatabaseError> for SnapshotError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Engine(error) => Self::Engine(error),
            DatabaseError::Program { program, place, code, why } => {
                Self::Database { program, service: place, code, why }
            }
            other => Self::Nothing(other.to_string()),
        }
    }
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
