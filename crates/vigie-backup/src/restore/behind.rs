//! Does: lets the disk have what was brought back while more of it comes, and takes it out of memory: a
//! game server's files are of more use there, and memory that was used a moment ago is the fastest. It
//! only asks the kernel, which may do something else.

use std::collections::VecDeque;
use std::fs::File;
use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Advice, fadvise};

/// Fewer bytes at once are left to the kernel, which puts many such writes together.
const LEAST: u64 = 256 << 10;
/// Bytes that may be on their way to the disk before any are asked to leave.
const WAITING: u64 = 48 << 20;

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
