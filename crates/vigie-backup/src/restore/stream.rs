//! Does: writes one file of a snapshot from its beginning to its end, and reads ahead while it writes.
//! What is damaged is never written.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use rustic_core::Id;
use rustic_core::repofile::Node;

use super::Source;
use crate::Error;
use crate::pack::{Damage, Kind, Place, opened};

/// Bytes of a pack that are read at once.
const RUN: u64 = 4 << 20;
/// Blobs that are read ahead.
const AHEAD: usize = 4;

/// Writes the file `node`, which people know as `name`.
pub(crate) fn file(
    source: &Source<'_>,
    name: &Path,
    node: &Node,
    to: &mut impl Write,
) -> Result<(), Error> {
    let mut blobs = Vec::new();
    for id in node.content.iter().flatten() {
        let place = source.index.place(Kind::Data, id);
        blobs.push((**id, place.ok_or_else(|| source.damaged(name, Damage::Missing))?));
    }
    if let Some(meter) = &source.meter {
        meter.total(blobs.iter().map(|(_, place)| place.content()).sum());
    }
    let (give, take) = sync_channel::<Vec<u8>>(AHEAD);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            for run in blobs.chunk_by(|one, other| follows(&one.1, &other.1)) {
                for piece in pieces(run) {
                    // Whoever writes may have failed, and says so.
                    if !read(source, name, piece, &give)? {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        let mut written = Ok(());
        for plain in &take {
            written = to.write_all(&plain).map_err(|error| Error::File(name.into(), error));
            if written.is_err() {
                break;
            }
            source.more(plain.len() as u64);
        }
        drop(take);
        let panicked = || Err(Error::Repository(source.place.clone(), "a reader failed".into()));
        let read = reading.join().unwrap_or_else(|_| panicked());
        written.and(read)
    })
}

/// Whether one blob lies right behind another.
fn follows(one: &Place, other: &Place) -> bool {
    one.pack == other.pack
        && u64::from(one.offset) + u64::from(one.length) == u64::from(other.offset)
}

/// A run in pieces that are small enough.
fn pieces(run: &[(Id, Place)]) -> Vec<&[(Id, Place)]> {
    let (mut pieces, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (index, (_, place)) in run.iter().enumerate() {
        if bytes > 0 && bytes + u64::from(place.length) > RUN {
            pieces.push(&run[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += u64::from(place.length);
    }
    pieces.push(&run[from..]);
    pieces
}

/// Reads a piece, and gives its blobs one by one until nobody takes them.
fn read(
    source: &Source<'_>,
    name: &Path,
    piece: &[(Id, Place)],
    give: &SyncSender<Vec<u8>>,
) -> Result<bool, Error> {
    let damaged = |why| source.damaged(name, why);
    let Some((_, first)) = piece.first() else { return Ok(true) };
    let length: u64 = piece.iter().map(|(_, place)| u64::from(place.length)).sum();
    let mut sealed = source.sealed(first, length, name)?;
    for (id, place) in piece {
        let blob = sealed.split_to((place.length as usize).min(sealed.len()));
        let plain = opened(&source.seal, &blob, Kind::Data, place, id);
        let plain = plain.ok_or_else(|| damaged(Damage::Flipped))?;
        if give.send(plain).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}
