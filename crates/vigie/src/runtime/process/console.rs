//! Does: reads a service's console file: its tail, and what is added to it; and keeps the file within
//! bounds while the service writes to it. All of it beside the tasks that must go on.

mod bound;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

pub(super) use bound::Bound;

use crate::runtime::aside::aside;
use crate::runtime::{Feed, LogLine, LogPosition, RuntimeError};

/// Time between two looks at a quiet file.
const QUIET: Duration = Duration::from_millis(100);
const BLOCK: usize = 256 * 1024;
/// A longer line is given in pieces.
const LINE: usize = 64 * 1024;
const TAIL: u64 = 512 * 1024;
/// How long the file's disk may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// Does `look` at a console's file.
async fn look<T: Send + 'static>(
    service: &str,
    path: PathBuf,
    look: impl FnOnce(&Path) -> T + Send + 'static,
) -> Result<T, RuntimeError> {
    let name = format!("the console's file {}", path.display());
    aside(&name, LIMIT, move || look(&path)).await.ok_or_else(|| RuntimeError::Timeout {
        what: "reading the console of",
        service: service.to_owned(),
        limit: LIMIT,
    })
}

/// The last `lines` lines.
pub(super) async fn tail(
    service: &str,
    path: PathBuf,
    lines: usize,
) -> Result<Vec<Bytes>, RuntimeError> {
    look(service, path, move |path| last_lines(path, lines)).await
}

fn last_lines(path: &Path, lines: usize) -> Vec<Bytes> {
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
    // Whether `offset` may be in the middle of a line whose beginning is gone.
    torn: bool,
    ready: std::vec::IntoIter<LogLine>,
}

/// Every line behind `from`, for as long as it is read.
pub(super) async fn follow(
    service: &str,
    path: PathBuf,
    from: Option<LogPosition>,
) -> Result<Feed<LogLine>, RuntimeError> {
    let offset = match from {
        Some(from) => u64::try_from(from.at).unwrap_or(0),
        None => look(service, path.clone(), length).await?,
    };
    let follow = futures_util::stream::unfold(Follower::at(path, offset), |mut follower| async {
        loop {
            if let Some(line) = follower.ready.next() {
                return Some((Ok(line), follower));
            }
            // A disk that does not answer keeps this reader waiting and nobody else.
            let read = move || {
                let something = follower.read();
                (follower, something)
            };
            let something;
            (follower, something) = tokio::task::spawn_blocking(read).await.ok()?;
            if !something {
                tokio::time::sleep(QUIET).await;
            }
        }
    });
    Ok(follow.boxed())
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

impl Follower {
    fn at(path: PathBuf, offset: u64) -> Self {
        let ready = Vec::new().into_iter();
        Self { path, file: None, offset, buffer: Vec::new(), torn: false, ready }
    }

    /// Reads one block; false when there was nothing new.
    fn read(&mut self) -> bool {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return false };
        let read_to = self.offset + self.buffer.len() as u64;
        let length = file.metadata().map_or(u64::MAX, |metadata| metadata.len());
        if length == read_to {
            return false;
        }
        // A file that became shorter was truncated: it is read from its beginning.
        if length < read_to {
            self.offset = 0;
            self.buffer.clear();
        } else if let Some(data) = bound::behind_the_hole(file, read_to, length) {
            tracing::debug!(lost = data - read_to, "a console was written faster than it is read");
            self.offset = data;
            self.buffer.clear();
            self.torn = true;
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
            if self.torn {
                self.torn = rest.get(end.0) != Some(&b'\n');
                start += end.1;
                continue;
            }
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
