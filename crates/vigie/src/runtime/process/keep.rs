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

    /// Bytes of memory and clock ticks of CPU that it and its descendants use: a game server is
    /// often the child of a start script.
    pub(super) fn usage(self) -> Option<(u64, u64)> {
        let mut all = usage_of(self.pid)?;
        let mut family = children(self.pid);
        // Bounded: a family grows while it is counted.
        for _ in 0..FAMILY {
            let Some(pid) = family.pop() else { break };
            if let Some((memory, ticks)) = usage_of(pid) {
                all = (all.0 + memory, all.1 + ticks);
            }
            family.extend(children(pid));
        }
        Some(all)
    }
}

/// Descendants that are counted.
const FAMILY: usize = 256;

/// Memory in bytes and CPU in ticks, that of children which have ended included.
fn usage_of(pid: i32) -> Option<(u64, u64)> {
    let fields = stat(pid)?;
    let field = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let pages = field(21)?;
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let ticks = (11..15).filter_map(field).sum();
    Some((pages * page, ticks))
}

/// What its first thread has started and not waited for; start scripts have no other thread.
fn children(pid: i32) -> Vec<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The fields of `/proc/PID/stat` behind the name, which can hold anything.
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_start_scripts_child_is_counted() {
        let script = "sleep 30 & echo ready; wait";
        let mut shell =
            Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 5];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let pid = i32::try_from(shell.id()).unwrap();
        let child = children(pid);
        let identity = Identity::of(pid).unwrap();
        assert_eq!(child.len(), 1);
        // A child that was just forked has no pages yet.
        let counted = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            identity.usage().unwrap().0 > usage_of(pid).unwrap().0
        });
        assert!(counted, "the child's memory is never counted");
        // Both hold the pipe; neither outlives the test.
        Command::new("kill").arg(child[0].to_string()).status().unwrap();
        shell.wait().unwrap();
    }
}
