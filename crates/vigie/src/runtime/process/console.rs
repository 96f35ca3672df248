//! Does: reads a service's console file: its tail, and what is added to it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

use crate::runtime::{Feed, LogLine, LogPosition};

/// Time between two looks at a quiet file.
const QUIET: Duration = Duration::from_millis(100);
const BLOCK: usize = 256 * 1024;
/// A longer line is given in pieces.
const LINE: usize = 64 * 1024;
const TAIL: u64 = 512 * 1024;

/// The last `lines` lines.
pub(super) fn tail(path: &Path, lines: usize) -> Vec<Bytes> {
    let Ok(mut file) = File::open(path) else { return Vec::new() };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let from = length.saturating_sub(TAIL);
    let mut bytes = Vec::new();
    let read =
        file.seek(SeekFrom::Start(from)).and_then(|_| file.take(TAIL).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let all: Vec<_> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let shown = all.len().saturating_sub(lines);
    all[shown..].iter().map(|line| Bytes::copy_from_slice(line)).collect()
}

struct Follower {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    buffer: Vec<u8>,
    ready: std::vec::IntoIter<LogLine>,
}

/// Every line behind `from`, for as long as it is read.
pub(super) fn follow(path: PathBuf, from: Option<LogPosition>) -> Feed<LogLine> {
    let end = || std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let offset = from.map_or_else(end, |from| u64::try_from(from.at).unwrap_or(0));
    let follower =
        Follower { path, file: None, offset, buffer: Vec::new(), ready: Vec::new().into_iter() };
    futures_util::stream::unfold(follower, |mut follower| async move {
        loop {
            if let Some(line) = follower.ready.next() {
                return Some((Ok(line), follower));
            }
            if !follower.read() {
                tokio::time::sleep(QUIET).await;
            }
        }
    })
    .boxed()
}

impl Follower {
    /// Reads one block; false when there was nothing new.
    fn read(&mut self) -> bool {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return false };
        let read_to = self.offset + self.buffer.len() as u64;
        // A file that became shorter was truncated: it is read from its beginning.
        if file.metadata().is_ok_and(|metadata| metadata.len() < read_to) {
            self.offset = 0;
            self.buffer.clear();
        }
        let at = SeekFrom::Start(self.offset + self.buffer.len() as u64);
        let mut block = vec![0_u8; BLOCK];
        let Ok(length) = file.seek(at).and_then(|_| file.read(&mut block)) else {
            self.file = None;
            return false;
        };
        self.buffer.extend_from_slice(&block[..length]);
        self.cut_lines();
        length > 0
    }

    fn cut_lines(&mut self) {
        let mut lines = Vec::new();
        let mut start = 0;
        loop {
            let rest = &self.buffer[start..];
            let end = match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end, end + 1),
                None if rest.len() >= LINE => (LINE, LINE),
                None => break,
            };
            let text = rest[..end.0].strip_suffix(b"\r").unwrap_or(&rest[..end.0]);
            let next = self.offset + (start + end.1) as u64;
            let next = LogPosition { at: i64::try_from(next).unwrap_or(i64::MAX), seen: 0 };
            lines.push(LogLine { text: Bytes::copy_from_slice(text), next });
            start += end.1;
        }
        self.buffer.drain(..start);
        self.offset += start as u64;
        self.ready = lines.into_iter();
    }
}
