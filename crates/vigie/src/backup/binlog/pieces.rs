//! Does: reads pieces that are kept, event by event, and finds where a replay has to end. Everything is
//! compared with its checksums first, so that nothing is played that is not what the server wrote.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vigie_core::binlog::{
    Event, Group, Groups, HEADER, Kind, MAGIC, Piece, Place, Plan, Position, Segment, Stop,
    foreign, is_checksummed,
};

use super::{Archive, BinlogError};

/// A piece that was compared with its checksums, and how much of it is to be played.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    path: PathBuf,
    segment: Segment,
    from: u64,
    to: u64,
}

/// What a replay will play: all of it was read and is sound.
#[derive(Debug, Clone)]
pub struct Cut {
    pub(super) slices: Vec<Slice>,
    /// Where it ends in the server's log; nothing when there is nothing to play.
    pub ends: Option<Position>,
    /// Transactions that it plays.
    pub groups: u64,
    /// The last of them.
    pub last: Option<Group>,
    /// The first that it does not play, where the log goes on.
    pub next: Option<Group>,
}

impl Cut {
    /// Whether there is nothing to play.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }
}

/// Reads every piece of `plan` and finds where to end. Blocks.
///
/// # Errors
/// A piece that is not as it was sealed; a transaction that is not there; a statement that a replay of
/// `only` one database would wrongly leave out.
pub fn cut(archive: &Archive, plan: &Plan, only: Option<&str>) -> Result<Cut, BinlogError> {
    let mut cut = Cut { slices: Vec::new(), ends: None, groups: 0, last: None, next: None };
    let only: Vec<String> = only.map(str::to_owned).into_iter().collect();
    for piece in &plan.pieces {
        let path = archive.path(&piece.segment);
        let seen = read(&path, piece, &plan.stop, &only, &mut cut)?;
        let (from, segment) = (piece.from, piece.segment.clone());
        if seen.to > from {
            cut.ends = Some(Position::new(segment.file.clone(), seen.to));
            cut.slices.push(Slice { path, segment, from, to: seen.to });
        }
        if seen.stopped {
            return Ok(cut);
        }
    }
    match &plan.stop {
        Stop::After(gtid) => Err(BinlogError::NoSuch(gtid.to_string())),
        Stop::Before(_) | Stop::End => Ok(cut),
    }
}

/// How a piece was read.
pub(super) struct Seen {
    /// The offset in the server's file at which to end.
    to: u64,
    /// Whether this is the end of all.
    stopped: bool,
}

/// Reads a piece from its beginning to its end, and adds what is played of it to `cut`.
pub(super) fn read(
    path: &Path,
    piece: &Piece,
    stop: &Stop,
    only: &[String],
    cut: &mut Cut,
) -> Result<Seen, BinlogError> {
    let segment = &piece.segment;
    let mut log = Log::open(path, segment)?;
    let mut groups = Groups::default();
    let mut seen: Option<Seen> = None;
    let mut between = piece.from;
    let mut checksummed = segment.checksummed;
    // It is only lost when its transaction is one of those that are played.
    let mut lost = None;
    while log.advance()? {
        let wrong = |why: String| BinlogError::Piece(path.to_owned(), why);
        let event = Event::read(&log.bytes).map_err(|error| wrong(error.to_string()))?;
        if event.kind == Kind::Description {
            checksummed = is_checksummed(&event);
        }
        if checksummed {
            event.verify().map_err(|error| wrong(error.to_string()))?;
        }
        let place = groups.take(&event, checksummed);
        if seen.is_some() || log.end <= piece.from {
            continue;
        }
        if !only.is_empty()
            && let Some(found) = foreign(&event, checksummed, only)
        {
            lost.get_or_insert((log.begin, found));
        }
        match place {
            Place::Inside => {}
            Place::Between => between = log.end,
            Place::Ended(group) if stop.is_before(&group) => {
                cut.next = Some(group);
                seen = Some(Seen { to: between, stopped: true });
            }
            Place::Ended(group) => {
                if let Some((begin, found)) = lost.take() {
                    let at = Position::new(segment.file.clone(), begin).to_string();
                    let (said_in, names) = (found.said_in, found.names);
                    return Err(BinlogError::Foreign { at, said_in, names });
                }
                between = log.end;
                cut.groups += 1;
                if stop.is_after(&group) {
                    seen = Some(Seen { to: log.end, stopped: true });
                }
                cut.last = Some(group);
            }
        }
    }
    log.finish(segment)?;
    // Bytes behind the last whole transaction are not played: it never ended.
    Ok(seen.unwrap_or(Seen { to: between, stopped: false }))
}

/// The events of a piece, one after the other.
struct Log<'a> {
    file: BufReader<File>,
    path: &'a Path,
    hash: Sha256,
    left: u64,
    /// The event that was read.
    bytes: Vec<u8>,
    /// Its offset in the server's file, and the one after it. Both are the piece's first where it is the
    /// description in front of the server's own bytes.
    begin: u64,
    end: u64,
    /// Bytes of the head that are still to come.
    head: u64,
}

impl<'a> Log<'a> {
    fn open(path: &'a Path, segment: &Segment) -> Result<Self, BinlogError> {
        let file = File::open(path).map_err(BinlogError::file(path))?;
        let length = file.metadata().map_err(BinlogError::file(path))?.len();
        let mut log = Self {
            file: BufReader::with_capacity(256 * 1024, file),
            path,
            hash: Sha256::new(),
            left: length,
            bytes: Vec::new(),
            begin: segment.first,
            end: segment.first,
            head: segment.head.saturating_sub(MAGIC.len() as u64),
        };
        log.fill(MAGIC.len())?;
        if log.bytes != MAGIC {
            return Err(log.wrong("is no binary log"));
        }
        if segment.first == Position::START {
            log.head = 0;
        }
        Ok(log)
    }

    fn wrong(&self, why: &str) -> BinlogError {
        BinlogError::Piece(self.path.to_owned(), why.to_owned())
    }

    /// Appends `size` bytes of the file.
    fn fill(&mut self, size: usize) -> Result<(), BinlogError> {
        let begin = self.bytes.len();
        if size as u64 > self.left {
            return Err(self.wrong("ends inside an event"));
        }
        self.bytes.resize(begin + size, 0);
        let read = self.file.read_exact(&mut self.bytes[begin..]);
        read.map_err(BinlogError::file(self.path))?;
        self.hash.update(&self.bytes[begin..]);
        self.left -= size as u64;
        Ok(())
    }

    /// Reads the next event; `false` at the end.
    fn advance(&mut self) -> Result<bool, BinlogError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.bytes.clear();
        self.fill(HEADER)?;
        let size = [self.bytes[9], self.bytes[10], self.bytes[11], self.bytes[12]];
        let size = u64::from(u32::from_le_bytes(size));
        let rest = usize::try_from(size).unwrap_or(0).checked_sub(HEADER);
        let rest = rest.ok_or_else(|| self.wrong("has an event that is shorter than any"))?;
        self.fill(rest)?;
        self.begin = self.end;
        if self.head > 0 {
            self.head = self.head.saturating_sub(size);
        } else {
            self.end += size;
        }
        Ok(true)
    }

    /// Compares all of it with what was sealed.
    fn finish(mut self, segment: &Segment) -> Result<(), BinlogError> {
        let digest = std::mem::take(&mut self.hash).finalize();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if digest == segment.sha256 && self.end == segment.last {
            return Ok(());
        }
        Err(self.wrong("is not what was sealed; take it from another site"))
    }
}

/// Writes what is to be played as one log that the usual programs read, into the file `path`, which is not
/// there yet. Blocks.
///
/// # Errors
/// A piece or the file.
pub fn save(cut: &Cut, path: &Path) -> Result<(), BinlogError> {
    let file = File::create_new(path).map_err(BinlogError::file(path))?;
    let mut file = BufWriter::new(file);
    write(&cut.slices, &mut file)?;
    let synced = file.flush().and_then(|()| file.get_ref().sync_all());
    synced.map_err(BinlogError::file(path))
}

/// Writes what is to be played, as one log: the description of each file, then its events. Blocks.
pub(super) fn write(slices: &[Slice], to: &mut dyn Write) -> Result<(), BinlogError> {
    let mut file: Option<&str> = None;
    for slice in slices {
        let path = &slice.path;
        let mut log = Log::open(path, &slice.segment)?;
        let mut put = |bytes: &[u8]| to.write_all(bytes).map_err(BinlogError::file(path));
        if file.is_none() {
            put(&MAGIC)?;
        }
        // The first event of every piece is its file's description.
        if !log.advance()? {
            continue;
        }
        if file.replace(&slice.segment.file) != Some(&slice.segment.file) {
            put(&log.bytes)?;
        }
        while log.end < slice.to && log.advance()? {
            let between = Event::read(&log.bytes).is_ok_and(|event| event.kind == Kind::Between);
            // Lists of names at the beginning of a file: the program that reads them takes the log for
            // one with a gap where several files come as one.
            if log.begin >= slice.from && !between {
                put(&log.bytes)?;
            }
        }
    }
    Ok(())
}
