//! Does: remembers across a restart of vigie which process is the service's: its pid and the time
//! it was started, so that another process with the same number is not taken for it.

use std::path::Path;

/// A process, as `/proc` tells it apart from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Clock ticks after the host's start.
    pub(super) started: u64,
}

impl Identity {
    /// The living process with number `pid`.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let fields = stat(pid)?;
        // A zombie is dead; only its parent has not looked yet.
        (fields.first()? != "Z").then_some(())?;
        Some(Self { pid, started: fields.get(19)?.parse().ok()? })
    }

    /// Whether it still lives.
    pub(super) fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Reads a pid file.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, started: started.parse().ok()? })
    }

    /// Writes a pid file. Failing only means that the next vigie will not know the process.
    pub(super) fn write(self, path: &Path) {
        if let Err(error) = std::fs::write(path, format!("{} {}\n", self.pid, self.started)) {
            tracing::warn!(path = %path.display(), %error, "the pid file cannot be written");
        }
    }

    /// Removes the pid file, unless it is another process's by now.
    pub(super) fn forget(self, path: &Path) {
        if Self::read(path) == Some(self) {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Bytes of memory and clock ticks of CPU that it has used.
    pub(super) fn usage(self) -> Option<(u64, u64)> {
        let fields = stat(self.pid)?;
        let field = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let pages = field(21)?;
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
        Some((pages * page, field(11)? + field(12)?))
    }
}

/// The fields of `/proc/PID/stat` behind the name, which can hold anything.
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
