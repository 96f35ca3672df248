//! Does: a piece of the log while it is written. It has another name than a piece that is whole, so
//! that nobody takes it for one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use vigie_core::binlog::{Keep, Segment, Tail};

use super::BinlogError;

/// A piece that is written.
pub(super) struct Open {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    segment: Segment,
    /// When its first transaction ended; what has none can wait.
    since: Option<Instant>,
}

impl Open {
    /// Begins with `head`, which is in front of the server's own bytes.
    pub(super) fn new(path: PathBuf, segment: Segment, head: &[u8]) -> Result<Self, BinlogError> {
        let file = File::create(&path).map_err(BinlogError::file(&path))?;
        let file = BufWriter::with_capacity(256 * 1024, file);
        let mut open = Self { path, file, hash: Sha256::new(), segment, since: None };
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

    /// Brings it to the disk.
    pub(super) fn finish(mut self) -> Result<(PathBuf, Segment), BinlogError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
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
