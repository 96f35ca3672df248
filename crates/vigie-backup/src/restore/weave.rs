//! Does: writes a stream that is put together of bytes and of files of a snapshot. It reads ahead by
//! some megabytes, so that thousands of small files cost few reads; it never holds a whole file.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::Id;
use rustic_core::repofile::{Node, NodeType};

use super::Source;
use super::contents::{Wanted, runs};
use crate::Error;
use crate::pack::{Damage, Kind, opened};

/// Bytes that are read ahead at once. Three times as many are in memory: those that are read, those
/// that wait, and those that are written.
const BATCH: u64 = 16 << 20;
/// Parts of a stream that are read ahead at once, however small they are.
const SLOTS: usize = 50_000;
/// Threads that read.
const THREADS: usize = 4;
/// Entries of directories that are remembered.
const REMEMBERED: usize = 50_000;
/// Directories that are remembered.
const DIRECTORIES: usize = 256;

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The content of this file, below the directory that was kept.
    File(PathBuf),
}

/// Writes `pieces` to `to`.
pub(crate) fn weave(
    source: &Source<'_>,
    root: Option<Id>,
    pieces: impl Iterator<Item = std::io::Result<Piece>> + Send,
    to: &mut impl Write,
) -> Result<(), Error> {
    let (give, take) = sync_channel::<Vec<Vec<u8>>>(1);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || read(source, root, pieces, &give));
        let mut written = Ok(());
        for batch in &take {
            for bytes in &batch {
                let name = Path::new("the stream");
                written = to.write_all(bytes).map_err(|error| Error::File(name.into(), error));
                if written.is_err() {
                    break;
                }
            }
            if written.is_err() {
                break;
            }
            source.more(batch.iter().map(|bytes| bytes.len() as u64).sum());
        }
        drop(take);
        let panicked = || Err(Error::Repository(source.place.clone(), "a reader failed".into()));
        let read = reading.join().unwrap_or_else(|_| panicked());
        written.and(read)
    })
}

/// Reads everything in order, some megabytes at a time, until nobody takes it.
fn read(
    source: &Source<'_>,
    root: Option<Id>,
    pieces: impl Iterator<Item = std::io::Result<Piece>>,
    give: &SyncSender<Vec<Vec<u8>>>,
) -> Result<(), Error> {
    let mut directories = Directories { source, root, known: Vec::new() };
    let mut batch = Batch::default();
    for piece in pieces {
        let unread = |error: std::io::Error| Error::Unreadable {
            what: String::from("the plan of a stream"),
            why: error.to_string(),
        };
        match piece.map_err(unread)? {
            Piece::Bytes(bytes) => {
                batch.bytes += bytes.len() as u64;
                batch.slots.push(bytes);
            }
            Piece::File(path) => {
                let node = directories.file(&path)?;
                for id in node.content.iter().flatten() {
                    let place = source.index.place(Kind::Data, id);
                    let place = place.ok_or_else(|| source.damaged(&path, Damage::Missing))?;
                    let is_full = !batch.slots.is_empty() && batch.bytes + place.content() > BATCH;
                    if is_full && give.send(std::mem::take(&mut batch).fetch(source)?).is_err() {
                        return Ok(());
                    }
                    batch.bytes += place.content();
                    let file = u32::try_from(batch.slots.len()).unwrap_or(u32::MAX);
                    batch.wanted.push(Wanted { place, id: **id, file, position: 0 });
                    batch.slots.push(Vec::new());
                }
            }
        }
        if batch.bytes >= BATCH || batch.slots.len() >= SLOTS {
            // Whoever writes may have failed, and says so.
            if give.send(std::mem::take(&mut batch).fetch(source)?).is_err() {
                return Ok(());
            }
        }
    }
    let _ = give.send(batch.fetch(source)?);
    Ok(())
}

/// Parts that are read together.
#[derive(Default)]
struct Batch {
    /// In the order of the stream; those that are wanted are still empty.
    slots: Vec<Vec<u8>>,
    wanted: Vec<Wanted>,
    bytes: u64,
}

impl Batch {
    /// Reads what is wanted, in the order in which it lies at the site.
    fn fetch(mut self, source: &Source<'_>) -> Result<Vec<Vec<u8>>, Error> {
        self.wanted.sort_unstable_by_key(|one| (one.place, one.file));
        let runs = runs(&self.wanted);
        let (wanted, next, slots) = (&self.wanted, AtomicUsize::new(0), Mutex::new(self.slots));
        let work = || -> Result<(), Error> {
            while let Some((from, until)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let plain = run(source, &wanted[*from..*until])
                    .inspect_err(|_| next.store(runs.len(), Ordering::Relaxed))?;
                let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
                for (slot, bytes) in plain {
                    if let Some(slot) = slots.get_mut(slot as usize) {
                        *slot = bytes;
                    }
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS.min(runs.len())).map(|_| scope.spawn(work)).collect();
            let panicked =
                || Err(Error::Repository(source.place.clone(), "a reader failed".into()));
            threads.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| panicked()))
        })?;
        Ok(slots.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads blobs that lie next to each other, and opens them.
fn run(source: &Source<'_>, wanted: &[Wanted]) -> Result<Vec<(u32, Vec<u8>)>, Error> {
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(Vec::new()) };
    let damaged = |why| source.damaged(Path::new("a file"), why);
    let start = u64::from(first.place.offset);
    let length = u64::from(last.place.offset) + u64::from(last.place.length) - start;
    let sealed = source.sealed(&first.place, length, Path::new("a file"))?;
    let mut all = Vec::with_capacity(wanted.len());
    for same in wanted.chunk_by(|one, other| one.place == other.place) {
        let one = &same[0];
        let from = (u64::from(one.place.offset) - start) as usize;
        let blob = sealed.get(from..from + one.place.length as usize);
        let plain =
            blob.and_then(|blob| opened(&source.seal, blob, Kind::Data, &one.place, &one.id));
        let plain = plain.ok_or_else(|| damaged(Damage::Flipped))?;
        all.extend(same[1..].iter().map(|other| (other.file, plain.clone())));
        all.push((one.file, plain));
    }
    Ok(all)
}

type Entries = Arc<HashMap<OsString, Node>>;

/// Finds files by their paths; directories that were used a moment ago are remembered.
struct Directories<'a> {
    source: &'a Source<'a>,
    root: Option<Id>,
    known: Vec<(PathBuf, Entries)>,
}

impl Directories<'_> {
    fn file(&mut self, path: &Path) -> Result<Node, Error> {
        let missing =
            || Error::NotThere(self.source.place.clone(), format!("the file {}", path.display()));
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let (Some(name), Some(parent), true) = (path.file_name(), path.parent(), plain) else {
            return Err(missing());
        };
        let missing = missing();
        let node = self.entries(parent)?.and_then(|entries| entries.get(name).cloned());
        match node {
            Some(node) if matches!(node.node_type, NodeType::File) => Ok(node),
            _ => Err(missing),
        }
    }

    fn entries(&mut self, path: &Path) -> Result<Option<Entries>, Error> {
        if let Some((_, entries)) = self.known.iter().find(|(known, _)| known == path) {
            return Ok(Some(Arc::clone(entries)));
        }
        let id = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => {
                let above = self.entries(parent)?;
                above.and_then(|above| above.get(name)?.subtree.map(|tree| *tree))
            }
            _ => self.root,
        };
        let Some(id) = id else { return Ok(None) };
        let nodes = self.source.tree(&id, path)?.nodes.into_iter();
        let entries: Entries =
            Arc::new(nodes.map(|node| (node.name().into_owned(), node)).collect());
        self.known.push((path.to_owned(), Arc::clone(&entries)));
        let mut all: usize = self.known.iter().map(|(_, entries)| entries.len()).sum();
        while self.known.len() > 1 && (all > REMEMBERED || self.known.len() > DIRECTORIES) {
            all -= self.known.remove(0).1.len();
        }
        Ok(Some(entries))
    }
}
