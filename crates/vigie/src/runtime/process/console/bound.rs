//! Does: keeps a console's file within bounds on its disk while its service writes to it. What lies long
//! ago is given back as a hole at the file's beginning: the service's descriptor and all positions
//! stay as they are, so that no line is lost between a reader and a truncation.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use tokio::task::JoinHandle;

/// What a console may take on its disk, and what stays of it when it takes more.
const MOST: u64 = 16 * 1024 * 1024;
const KEPT: u64 = 8 * 1024 * 1024;
/// File systems give whole pages back.
const PAGE: u64 = 4096;

/// Looks after one console.
pub(in crate::runtime::process) struct Bound {
    path: PathBuf,
    every: u32,
    looks: u32,
    under_way: Option<JoinHandle<io::Result<()>>>,
}

impl Bound {
    /// Looks at `path` every so many times that it is asked to.
    pub(in crate::runtime::process) fn new(path: &Path, every: u32) -> Self {
        Self { path: path.to_owned(), every, looks: 0, under_way: None }
    }

    /// One of many looks; never waits for the disk.
    pub(in crate::runtime::process) fn look(&mut self) {
        use futures_util::FutureExt;
        self.looks = self.looks.wrapping_add(1);
        if !self.looks.is_multiple_of(self.every) {
            return;
        }
        match self.under_way.take() {
            Some(task) if !task.is_finished() => self.under_way = Some(task),
            Some(task) => {
                if let Some(Ok(Err(error))) = task.now_or_never() {
                    let path = self.path.display();
                    tracing::warn!(
                        %path, %error,
                        "the console's file cannot be kept within bounds while its service runs: its \
                         file system may not give back parts of a file; watch its size"
                    );
                    // Said once for each process; a start begins a file anew that has grown.
                    self.every = u32::MAX;
                }
            }
            None => {}
        }
        if self.under_way.is_none() && self.every != u32::MAX {
            let path = self.path.clone();
            self.under_way =
                Some(tokio::task::spawn_blocking(move || keep_within(&path, MOST, KEPT)));
        }
    }
}

/// Gives back all but the last `kept` bytes of a file that takes more than `most`.
fn keep_within(path: &Path, most: u64, kept: u64) -> io::Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let metadata = file.metadata()?;
    // Blocks are counted in units of 512 bytes, whatever the file system's own are.
    let end = metadata.len().saturating_sub(kept) / PAGE * PAGE;
    if metadata.blocks() * 512 > most && end > 0 {
        fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, end)?;
    }
    Ok(())
}

/// Where the file goes on behind the hole in which `at` lies; nothing when it lies in none.
pub(super) fn behind_the_hole(file: &File, at: u64, length: u64) -> Option<u64> {
    // Who reads along is never that far behind; asking costs a call.
    if length.saturating_sub(at) < KEPT / 2 {
        return None;
    }
    seek(file, SeekFrom::Data(at)).ok().filter(|data| *data > at)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::{Follower, last_lines};
    use super::*;

    fn read_all(follower: &mut Follower) -> Vec<String> {
        let mut lines = Vec::new();
        while follower.read() {
            lines.extend(follower.ready.by_ref().map(|line| {
                assert!(follower.offset > 0);
                String::from_utf8_lossy(&line.text).into_owned()
            }));
        }
        lines
    }

    #[test]
    fn a_console_that_grows_is_bounded_and_no_line_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gmod.log");
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let mut follower = Follower::at(path.clone(), 0);
        let mut seen = 0;
        // 40 MiB in steps, as a service prints and vigie looks in between.
        for step in 0..10_u32 {
            let line = |number: u32| format!("{:0>1023}\n", step * 4096 + number);
            let text: String = (0..4096).map(line).collect();
            file.write_all(text.as_bytes()).unwrap();
            keep_within(&path, MOST, KEPT).unwrap();
            for line in read_all(&mut follower) {
                assert_eq!(line, format!("{seen:0>1023}"));
                seen += 1;
            }
            let used = file.metadata().unwrap().blocks() * 512;
            assert!(used <= MOST + PAGE, "{used} bytes after step {step}");
        }
        assert_eq!(seen, 40_960);
        let last = last_lines(&path, 1);
        assert_eq!(last[0], format!("{:0>1023}", 40_959));
        // Who begins far behind goes on with the first whole line that is left.
        let late = read_all(&mut Follower::at(path, 100));
        assert!(late.len() > 8_000 && late.iter().all(|line| line.len() == 1023), "{}", late.len());
        assert_eq!(late.last(), Some(&format!("{:0>1023}", 40_959)));
    }
}
