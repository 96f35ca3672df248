//! Does: a piece of the log while it is written. It has another name than a piece that is whole, so
//! that nobody takes it for one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use vigie_core::binlog::{Keep, Place, Segment, Tail};

use super::BinlogError;

/// How far it is whole: up to the end of the last transaction.
struct Whole {
    size: u64,
    last: u64,
    tail: Tail,
    hash: Sha256,
}

/// A piece that is written.
pub(super) struct Open {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    segment: Segment,
    whole: Option<Whole>,
    /// When its first event came.
    since: Option<Instant>,
}

impl Open {
    /// Begins with `head`, which is in front of the server's own bytes.
    pub(super) fn new(path: PathBuf, segment: Segment, head: &[u8]) -> Result<Self, BinlogError> {
        let file = File::create(&path).map_err(BinlogError::file(&path))?;
        let file = BufWriter::with_capacity(256 * 1024, file);
        let mut open = Self { path, file, hash: Sha256::new(), segment, whole: None, since: None };
        open.segment.head = head.len() as u64;
        open.write(head)?;
        Ok(open)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BinlogError> {
        self.file.write_all(bytes).map_err(BinlogError::file(&self.path))?;
        self.hash.update(bytes);
        self.segment.size += bytes.len() as u64;
        Ok(())
    }

    /// Adds an event.
    pub(super) fn add(&mut self, keep: &Keep, bytes: &[u8]) -> Result<(), BinlogError> {
        self.write(bytes)?;
        self.segment.last = keep.end;
        self.segment.tail = Tail::of(keep.offset, bytes);
        if let Some(group) = keep.group() {
            self.segment.note(group);
        }
        if keep.place != Place::Inside {
            let (size, last, tail) = (self.segment.size, self.segment.last, self.segment.tail);
            self.whole = Some(Whole { size, last, tail, hash: self.hash.clone() });
        }
        self.since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Bytes that are in it.
    pub(super) const fn size(&self) -> u64 {
        self.segment.size
    }

    /// Since when something waits to be sealed; nothing while it is empty.
    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Takes back the beginning of a transaction that will not end; nothing when then nothing is left.
    pub(super) fn cut_back(mut self) -> Option<Self> {
        let Some(Whole { size, last, tail, hash }) = self.whole.take() else {
            self.discard();
            return None;
        };
        (self.segment.size, self.segment.last, self.segment.tail) = (size, last, tail);
        self.hash = hash;
        Some(self)
    }

    /// Brings it to the disk.
    pub(super) fn finish(mut self) -> Result<(PathBuf, Segment), BinlogError> {
        let size = self.segment.size;
        let synced = self.file.flush().and_then(|()| {
            self.file.get_ref().set_len(size)?;
            self.file.get_ref().sync_all()
        });
        synced.map_err(BinlogError::file(&self.path))?;
        let digest = self.hash.finalize();
        self.segment.sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.path, self.segment))
    }

    /// Gives it up.
    pub(super) fn discard(self) {
        // What is left is removed when the archive is opened the next time.
        let _ = std::fs::remove_file(&self.path);
    }
}
