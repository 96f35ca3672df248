//! Does: lets the disk have what was brought back while more of it comes, and takes it out of memory: a
//! game server's files are of more use there, and memory that was used a moment ago is the fastest. It
//! only asks the kernel, which may do something else.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Result as IoResult, Write};
use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Advice, fadvise};

/// Fewer bytes at once are left to the kernel, which puts many such writes together.
const LEAST: u64 = 256 << 10;
/// Bytes that may be on their way to the disk before any are asked to leave.
const WAITING: u64 = 48 << 20;

/// Bytes of a stream that are told at once.
const TOLD: u64 = 4 << 20;

#[derive(Default)]
struct Queue {
    parts: VecDeque<(File, u64, NonZeroU64)>,
    bytes: u64,
}

/// What was written and is still in memory.
#[derive(Default)]
pub(super) struct Behind(Mutex<Queue>);

impl Behind {
    /// So many bytes of `file` were written from `position`.
    pub(super) fn written(&self, file: &File, position: u64, bytes: u64) {
        let Some(length) = NonZeroU64::new(bytes).filter(|_| bytes >= LEAST) else { return };
        let Ok(file) = file.try_clone() else { return };
        // What is dirty begins to be written; what is on the disk leaves.
        let _ = fadvise(&file, position, Some(length), Advice::DontNeed);
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.parts.push_back((file, position, length));
        queue.bytes += bytes;
        while queue.bytes > WAITING
            && let Some((file, position, length)) = queue.parts.pop_front()
        {
            queue.bytes -= length.get();
            let _ = fadvise(&file, position, Some(length), Advice::DontNeed);
        }
    }
}

/// Writes a file from its beginning, so that nearly all of it is on the disk when the last byte was written:
/// to wait for the disk then takes a moment.
pub struct WriteBehind<'a> {
    file: &'a File,
    behind: Behind,
    /// Where what was not told yet begins.
    position: u64,
    bytes: u64,
}

impl<'a> WriteBehind<'a> {
    /// The file is empty.
    #[must_use]
    pub fn new(file: &'a File) -> Self {
        Self { file, behind: Behind::default(), position: 0, bytes: 0 }
    }
}

impl std::fmt::Debug for WriteBehind<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteBehind").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Write for WriteBehind<'_> {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count as u64;
        if self.bytes >= TOLD {
            self.behind.written(self.file, self.position, self.bytes);
            self.position += std::mem::take(&mut self.bytes);
        }
        Ok(count)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.file.flush()
    }
}
