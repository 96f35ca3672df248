//! Does: writes the contents of files that are there already, by few threads with one small piece of a
//! pack each. Where a content is nothing but zeros, a hole stays.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustic_core::Id;

use super::behind::Behind;
use super::{Source, below};
use crate::Error;
use crate::pack::{Damage, Kind, Place, opened};

/// Threads; more than processors, since most of the time they wait for the site.
const THREADS: usize = 6;
/// Bytes of a pack that one thread reads at once.
const RUN: u64 = 4 << 20;
/// Bytes between two blobs that are read rather than asked for separately.
const GAP: u64 = 128 << 10;

/// A blob that belongs into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) id: Id,
    /// In the list of files.
    pub(super) file: u32,
    /// Its first byte in the file.
    pub(super) position: u64,
}

/// Writes them.
pub(super) fn write(
    source: &Source<'_>,
    to: &Path,
    files: &[PathBuf],
    mut wanted: Vec<Wanted>,
) -> Result<(), Error> {
    wanted.sort_unstable_by_key(|one| (one.place, one.file, one.position));
    let runs = runs(&wanted);
    let (next, stop, behind) = (AtomicUsize::new(0), AtomicBool::new(false), Behind::default());
    let work = || -> Result<(), Error> {
        while !stop.load(Ordering::Relaxed) {
            let Some((from, until)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let done = run(source, to, files, &wanted[*from..*until], &behind);
            done.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    let threads = THREADS.min(runs.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let panicked = || Err(Error::Repository(source.place.clone(), "a reader failed".into()));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| panicked()))
    })
}

/// Where a run of blobs begins and ends that lie next to each other in one pack.
pub(super) fn runs(wanted: &[Wanted]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let end = |one: &Wanted| u64::from(one.place.offset) + u64::from(one.place.length);
    for (index, one) in wanted.iter().enumerate() {
        if let Some(last) = runs.last_mut() {
            let (first, before) = (&wanted[last.0], &wanted[last.1 - 1]);
            let near = u64::from(one.place.offset) <= end(before) + GAP;
            let small = end(one) <= u64::from(first.place.offset) + RUN;
            if one.place.pack == first.place.pack && near && small {
                last.1 = index + 1;
                continue;
            }
        }
        runs.push((index, index + 1));
    }
    runs
}

fn run(
    source: &Source<'_>,
    to: &Path,
    files: &[PathBuf],
    wanted: &[Wanted],
    behind: &Behind,
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(()) };
    let path = |one: &Wanted| files.get(one.file as usize).map(PathBuf::as_path);
    let damaged = |one: &Wanted, why| source.damaged(path(one).unwrap_or(Path::new("")), why);
    let start = u64::from(first.place.offset);
    let length = u64::from(last.place.offset) + u64::from(last.place.length) - start;
    let sealed = source.sealed(&first.place, length, path(first).unwrap_or(Path::new("")))?;
    let mut open: Option<(u32, File)> = None;
    for same in wanted.chunk_by(|one, other| one.place == other.place) {
        let one = &same[0];
        let from = (u64::from(one.place.offset) - start) as usize;
        let blob = sealed.get(from..from + one.place.length as usize);
        let plain =
            blob.and_then(|blob| opened(&source.seal, blob, Kind::Data, &one.place, &one.id));
        let plain = plain.ok_or_else(|| damaged(one, Damage::Flipped))?;
        let empty = plain.iter().all(|byte| *byte == 0);
        for one in same {
            if !empty {
                let at = below(to, path(one).unwrap_or(Path::new("")));
                let failed = |error| Error::File(at.clone(), error);
                if open.as_ref().is_none_or(|(file, _)| *file != one.file) {
                    let file = OpenOptions::new().write(true).open(&at).map_err(failed)?;
                    open = Some((one.file, file));
                }
                if let Some((_, file)) = &open {
                    file.write_all_at(&plain, one.position).map_err(failed)?;
                    behind.written(file, one.position, plain.len() as u64);
                }
            }
            source.more(plain.len() as u64);
        }
    }
    Ok(())
}
