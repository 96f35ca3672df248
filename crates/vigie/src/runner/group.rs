//! Does: process groups: signals one, and tells whether anybody in it still lives. A program's group
//! outlives the program: what it started may go on.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// Signals a whole group; one that is gone is what was wanted.
pub(crate) fn signal(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

/// Whether anybody in it lives. The dead whom nobody has waited for do not count: where no init
/// reaps them they stay for ever.
pub(crate) fn lives(group: Pid) -> bool {
    if test_kill_process_group(group) == Err(Errno::SRCH) {
        return false;
    }
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    processes.flatten().any(|process| {
        let name = process.file_name();
        let is_process = name.to_str().is_some_and(|name| name.parse::<i32>().is_ok());
        is_process && is_member(&process.path().join("stat"), group)
    })
}

fn is_member(stat: &std::path::Path, group: Pid) -> bool {
    let text = std::fs::read_to_string(stat).unwrap_or_default();
    // The fields follow the name, which is in brackets and may hold anything.
    let Some((_, fields)) = text.rsplit_once(") ") else { return false };
    let mut fields = fields.split_whitespace();
    let dead = matches!(fields.next(), Some("Z" | "X"));
    let of = fields.nth(1).and_then(|group| group.parse().ok());
    !dead && of == Some(group.as_raw_nonzero().get())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_group_lives_as_long_as_one_of_it() {
        let script = "sleep 30 & exit 0";
        let mut shell = Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap();
        let group = Pid::from_raw(i32::try_from(shell.id()).unwrap()).unwrap();
        shell.wait().unwrap();
        assert!(lives(group), "the shell's child is in its group");
        signal(group, Signal::KILL);
        let gone = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            !lives(group)
        });
        assert!(gone, "it was killed");
    }
}
