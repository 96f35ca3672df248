//! Does: the directory in which the pieces of a log are kept. A piece is there when its description
//! is; the description is written last. Never changes a piece that is there.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vigie_core::binlog::{Covered, Gap, Position, Segment};

use super::BinlogError;
use super::open::Open;

const DATA: &str = "binlog";
pub(in crate::backup) const DESCRIPTION: &str = "json";
pub(super) const PART: &str = "part";
pub(in crate::backup) const COVERED: &str = "covered.state";
pub(super) const BREAKS: &str = "breaks.state";
const LOCK: &str = "lock";

/// A gap that was found; what is kept after it is in a chain of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The chain that ends.
    pub chain: u32,
    /// Where it ends; nothing when nothing of it is kept.
    pub ends: Option<Position>,
    /// Why it cannot go on.
    pub why: String,
    /// Milliseconds since 1970 at which it was found, by the clock of this host.
    pub found: i64,
}

/// The directory. One vigie at a time has it.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
    _lock: File,
}

impl Archive {
    /// Opens it, and makes it where there is none. What a vigie that was killed left half done is
    /// removed: the server still has it, or the gap will be seen.
    ///
    /// # Errors
    /// Another vigie has it, or the directory cannot be used.
    pub fn open(dir: &Path) -> Result<Self, BinlogError> {
        fs::create_dir_all(dir).map_err(BinlogError::file(dir))?;
        let path = dir.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(BinlogError::file(&path))?;
        let taken = rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        if taken.is_err() {
            return Err(BinlogError::Busy(dir.to_owned()));
        }
        let archive = Self { dir: dir.to_owned(), _lock: lock };
        archive.clean()?;
        Ok(archive)
    }

    fn clean(&self) -> Result<(), BinlogError> {
        for path in self.files()? {
            let ends = |word: &str| path.extension().is_some_and(|end| end == word);
            let alone = ends(DATA) && !path.with_extension(DESCRIPTION).exists();
            if ends(PART) || alone {
                match fs::remove_file(&path) {
                    // Whoever takes pieces over may be at work.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    other => other.map_err(BinlogError::file(&path))?,
                }
            }
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<PathBuf>, BinlogError> {
        let entries = fs::read_dir(&self.dir).map_err(BinlogError::file(&self.dir))?;
        let mut files = Vec::new();
        for entry in entries {
            files.push(entry.map_err(BinlogError::file(&self.dir))?.path());
        }
        Ok(files)
    }

    /// All pieces, in their order.
    ///
    /// # Errors
    /// A description that does not read, a piece without its file.
    pub fn segments(&self) -> Result<Vec<Segment>, BinlogError> {
        read(&self.dir)
    }

    /// How far the log is known to be whole beyond its last transaction.
    ///
    /// # Errors
    /// It does not read.
    pub fn covered(&self) -> Result<Option<Covered>, BinlogError> {
        load(&self.dir.join(COVERED))
    }

    /// The gaps that were found.
    ///
    /// # Errors
    /// They do not read.
    pub fn breaks(&self) -> Result<Vec<Break>, BinlogError> {
        breaks(&self.dir)
    }

    /// Where a piece's file is.
    #[must_use]
    pub fn path(&self, segment: &Segment) -> PathBuf {
        place(&self.dir, segment)
    }

    /// Ends the chain because of `gap`; the next stream begins a new one, which needs a new dump.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn break_chain(&self, gap: &Gap, now: i64) -> Result<(), BinlogError> {
        self.begin_anew(&gap.to_string(), now)
    }

    /// Ends the chain because of `why`, as [`Archive::break_chain`] does for a gap.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin_anew(&self, why: &str, now: i64) -> Result<(), BinlogError> {
        let last = self.segments()?.pop();
        let mut breaks = self.breaks()?;
        let chain = last.as_ref().map_or(0, |last| last.chain);
        let chain = breaks.last().map_or(chain, |found| chain.max(found.chain + 1));
        let ends = last.filter(|last| last.chain == chain).map(|last| last.end());
        breaks.push(Break { chain, ends, why: why.to_owned(), found: now });
        store(&self.dir.join(BREAKS), &breaks)
    }

    /// The chain to write, and the piece after which it goes on.
    pub(super) fn resume(&self) -> Result<(u32, Option<Segment>), BinlogError> {
        let last = self.segments()?.pop();
        let ended = self.breaks()?.last().map(|found| found.chain);
        let chain = last.as_ref().map_or(0, |last| last.chain);
        match ended {
            Some(ended) if ended >= chain => Ok((ended + 1, None)),
            _ => Ok((chain, last)),
        }
    }

    pub(super) fn cover(&self, covered: &Covered) -> Result<(), BinlogError> {
        store(&self.dir.join(COVERED), covered)
    }

    /// Begins a piece.
    pub(super) fn begin(&self, draft: Segment, head: &[u8]) -> Result<Open, BinlogError> {
        let part = self.dir.join(format!("{}.{PART}", name(&draft)));
        Open::new(part, draft, head)
    }

    /// Puts a piece that is whole into its place; it is on the disk then.
    pub(super) fn seal(&self, open: Open, now: i64) -> Result<Segment, BinlogError> {
        let (part, mut segment) = open.finish()?;
        segment.sealed = now;
        let path = self.path(&segment);
        fs::rename(&part, &path).map_err(BinlogError::file(&part))?;
        store(&path.with_extension(DESCRIPTION), &segment)?;
        Ok(segment)
    }
}

/// All pieces in `dir`, in their order. Whoever joins pieces may leave one that is inside another; it is
/// left out.
pub(super) fn read(dir: &Path) -> Result<Vec<Segment>, BinlogError> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(BinlogError::file(dir))? {
        let path = entry.map_err(BinlogError::file(dir))?.path();
        if path.extension().is_none_or(|end| end != DESCRIPTION) {
            continue;
        }
        let Some(segment) = load::<Segment>(&path)? else { continue };
        let file = dir.join(format!("{}.{DATA}", name(&segment)));
        let length = match fs::metadata(&file) {
            Ok(seen) => seen.len(),
            // It was taken over meanwhile.
            Err(_) if !path.exists() => continue,
            Err(error) => return Err(BinlogError::File(file, error)),
        };
        if length != segment.size || file.with_extension(DESCRIPTION) != path {
            let why = format!("has {length} bytes, and {} were sealed", segment.size);
            return Err(BinlogError::Piece(file, why));
        }
        segments.push(segment);
    }
    Ok(whole(segments))
}

/// The pieces in their order, without those that are inside another.
pub(in crate::backup) fn whole(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.sort_by_key(|segment| {
        (segment.chain, segment.end().number(), segment.file.clone(), segment.first)
    });
    let mut whole: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments {
        match whole.last_mut() {
            Some(last) if last.has(&segment) => {}
            Some(last) if segment.has(last) => *last = segment,
            _ => whole.push(segment),
        }
    }
    whole
}

fn name(segment: &Segment) -> String {
    let Segment { chain, file, first, last, .. } = segment;
    format!("{chain:04}.{file}.{first:012}-{last:012}")
}

/// The name of a piece's file, and the one of its description.
pub(in crate::backup) fn names(segment: &Segment) -> [String; 2] {
    [DATA, DESCRIPTION].map(|end| format!("{}.{end}", name(segment)))
}

/// Writes down what the piece is whose file is in `dir` by its name; it is there from now on.
pub(in crate::backup) fn describe(dir: &Path, segment: &Segment) -> Result<(), BinlogError> {
    let [_, description] = names(segment);
    store(&dir.join(description), segment)
}

/// Where a piece's file is in `dir`.
pub(super) fn place(dir: &Path, segment: &Segment) -> PathBuf {
    dir.join(format!("{}.{DATA}", name(segment)))
}

/// The gaps that were found while the archive in `dir` was written.
///
/// # Errors
/// They do not read.
pub fn breaks(dir: &Path) -> Result<Vec<Break>, BinlogError> {
    Ok(load(&dir.join(BREAKS))?.unwrap_or_default())
}

/// The pieces and how far they are known to be whole, without taking the archive in `dir`.
///
/// # Errors
/// They do not read.
pub fn contents(dir: &Path) -> Result<(Vec<Segment>, Option<Covered>), BinlogError> {
    Ok((read(dir)?, load(&dir.join(COVERED))?))
}

pub(super) fn load<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, BinlogError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BinlogError::File(path.to_owned(), error)),
    };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| BinlogError::Piece(path.to_owned(), error.to_string()))
}

/// Writes it whole or not at all, and on the disk.
pub(super) fn store(path: &Path, value: &impl Serialize) -> Result<(), BinlogError> {
    let part = path.with_extension(format!("new.{PART}"));
    let text = serde_json::to_vec_pretty(value);
    let text = text.map_err(|error| BinlogError::Piece(path.to_owned(), error.to_string()))?;
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(BinlogError::file(&part))?;
    fs::rename(&part, path).map_err(BinlogError::file(path))?;
    let dir = path.parent().unwrap_or(path);
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(BinlogError::file(dir))
}
