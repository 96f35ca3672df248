//! Does: what is kept of a log for long: takes over the pieces that were sealed, joins small ones, and
//! removes what no dump needs any more. A piece is compared with its checksum before it is joined. Never
//! touches a piece that is still written.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vigie_core::binlog::Segment;

use super::BinlogError;
use super::archive::{Archive, BREAKS, COVERED, DESCRIPTION, PART, place, read, store};

/// Pieces are joined up to this many bytes.
const LARGEST: u64 = 16 << 20;
/// Read at once.
const BUFFER: usize = 256 * 1024;

/// A piece, and the directory that it is in.
struct Part {
    segment: Segment,
    path: PathBuf,
    /// Whether it is there already.
    kept: bool,
}

/// Brings what was sealed in the directory `from` to the directory `to`, small pieces as one; how many
/// were new. Only one process at a time may do this with `to`. Blocks.
///
/// # Errors
/// A piece that is not as it was sealed, a file.
pub fn gather(from: &Path, to: &Path) -> Result<usize, BinlogError> {
    // What a process that was killed left half done is removed.
    drop(Archive::open(to)?);
    let kept = read(to)?;
    let mut new = read(from)?;
    new.retain(|segment| !kept.iter().any(|one| one.has(segment)));
    let count = new.len();
    let mut batch: Vec<Part> = Vec::new();
    if let Some(last) = kept.last() {
        batch.push(Part { segment: last.clone(), path: place(to, last), kept: true });
    }
    let mut joined = kept.last().cloned();
    for segment in new {
        let fits = joined.as_ref().and_then(|so_far| so_far.with(&segment));
        let fits = fits.filter(|both| both.size <= LARGEST);
        if fits.is_none() {
            join(&batch, to)?;
            batch.clear();
        }
        joined = Some(fits.unwrap_or_else(|| segment.clone()));
        let path = place(from, &segment);
        batch.push(Part { segment, path, kept: false });
    }
    join(&batch, to)?;
    for name in [COVERED, BREAKS] {
        if let Some(value) = super::archive::load::<serde_json::Value>(&from.join(name))? {
            store(&to.join(name), &value)?;
        }
    }
    Ok(count)
}

/// Writes the pieces of `batch`, which follow each other in one file, as one.
fn join(batch: &[Part], to: &Path) -> Result<(), BinlogError> {
    let Some((first, rest)) = batch.split_first() else { return Ok(()) };
    if first.kept && rest.is_empty() {
        return Ok(());
    }
    let mut whole = first.segment.clone();
    for part in rest {
        let both = whole.with(&part.segment);
        let wrong = || BinlogError::Piece(part.path.clone(), String::from("does not join"));
        whole = both.ok_or_else(wrong)?;
    }
    let path = place(to, &whole);
    let fresh = path.with_extension(PART);
    let file = File::create(&fresh).map_err(BinlogError::file(&fresh))?;
    let mut out = (BufWriter::with_capacity(BUFFER, file), Sha256::new());
    append(first, 0, &mut out, &fresh)?;
    for part in rest {
        append(part, part.segment.head, &mut out, &fresh)?;
    }
    let (mut file, hash) = out;
    let synced = file.flush().and_then(|()| file.get_ref().sync_all());
    synced.map_err(BinlogError::file(&fresh))?;
    whole.sha256 = hex(hash);
    fs::rename(&fresh, &path).map_err(BinlogError::file(&path))?;
    store(&path.with_extension(DESCRIPTION), &whole)?;
    if first.kept { remove(&first.path) } else { Ok(()) }
}

/// Adds a piece without its first `skip` bytes.
fn append(
    part: &Part,
    skip: u64,
    out: &mut (BufWriter<File>, Sha256),
    fresh: &Path,
) -> Result<(), BinlogError> {
    let path = &part.path;
    let mut file = File::open(path).map_err(BinlogError::file(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let at = file.stream_position().map_err(BinlogError::file(path))?;
        let read = file.read(&mut buffer).map_err(BinlogError::file(path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        let left = usize::try_from(skip.saturating_sub(at)).unwrap_or(read).min(read);
        out.1.update(&buffer[left..read]);
        out.0.write_all(&buffer[left..read]).map_err(BinlogError::file(fresh))?;
    }
    if hex(hash) == part.segment.sha256 {
        return Ok(());
    }
    let why = String::from("is not what was sealed; take it from another site");
    Err(BinlogError::Piece(path.clone(), why))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Its description goes first: a piece without one is none.
fn remove(path: &Path) -> Result<(), BinlogError> {
    for path in [path.with_extension(DESCRIPTION), path.to_owned()] {
        fs::remove_file(&path).map_err(BinlogError::file(&path))?;
    }
    Ok(())
}

/// Removes from `from` what is in `to` by now, but the last piece, after which the stream goes on. Blocks.
///
/// # Errors
/// A file.
pub fn release(from: &Path, to: &Path) -> Result<(), BinlogError> {
    let kept = read(to)?;
    let mut all = read(from)?;
    all.pop();
    let taken = all.iter().filter(|segment| kept.iter().any(|one| one.has(segment)));
    for segment in taken {
        remove(&place(from, segment))?;
    }
    Ok(())
}

/// Removes the pieces of `dir` that were sealed before this moment, in milliseconds since 1970, but the
/// last one: whoever writes on needs it. How many. Blocks.
///
/// # Errors
/// A file.
pub fn trim(dir: &Path, before: i64) -> Result<usize, BinlogError> {
    let mut all = read(dir)?;
    all.pop();
    let old = all.iter().filter(|segment| segment.sealed < before);
    let mut count = 0;
    for segment in old {
        remove(&place(dir, segment))?;
        count += 1;
    }
    Ok(count)
}

/// Puts the last piece of `from` into the empty archive `to`, so that its stream goes on from there.
/// Blocks.
///
/// # Errors
/// A file.
pub fn seed(from: &Path, to: &Path) -> Result<(), BinlogError> {
    let Some(last) = read(from)?.pop() else { return Ok(()) };
    fs::create_dir_all(to).map_err(BinlogError::file(to))?;
    let (here, there) = (place(from, &last), place(to, &last));
    fs::copy(&here, &there).map_err(BinlogError::file(&here))?;
    store(&there.with_extension(DESCRIPTION), &last)?;
    if let Some(value) = super::archive::load::<serde_json::Value>(&from.join(BREAKS))? {
        store(&to.join(BREAKS), &value)?;
    }
    Ok(())
}
