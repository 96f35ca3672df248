//! Finds and signals the server process inside a container, from the host: what a crash or a freeze
//! looks like when nobody went through Docker.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

use super::Docker;

/// Programs that only start and reap the real server; `init: true` adds one.
const INITS: [&str; 3] = ["docker-init", "tini", "dumb-init"];

/// How long a process may take to stand after it was told to.
const STOPPED: Duration = Duration::from_secs(10);

/// The host's pid of the server process of a running container, past the init in front of it.
///
/// # Errors
/// When the container does not run, or the init has not started the server yet.
pub fn server_of(docker: &Docker, container: &str) -> Result<i32> {
    let text = docker.text(["inspect", "--format", "{{.State.Pid}}", container])?;
    let first: i32 = text.trim().parse().with_context(|| format!("no pid in {text:?}"))?;
    if first == 0 {
        bail!("container {container} does not run, so it has no server process");
    }
    if !INITS.contains(&command_name(first)?.as_str()) {
        return Ok(first);
    }
    let path = format!("/proc/{first}/task/{first}/children");
    let children = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let child = children.split_whitespace().next();
    let child = child.with_context(|| format!("the init of {container} has no child yet"))?;
    child.parse().with_context(|| format!("no pid in {children:?}"))
}

/// Sends a signal to one process by its pid.
///
/// # Errors
/// When there is no such process or it is not ours to signal.
pub fn send_signal(pid: i32, signal: Signal) -> Result<()> {
    // 0 and below are groups or everything; 1 is the machine.
    let target = if pid > 1 { Pid::from_raw(pid) } else { None };
    let target = target.with_context(|| format!("{pid} is not a pid to signal"))?;
    kill_process(target, signal).with_context(|| format!("cannot send {signal:?} to pid {pid}"))
}

/// Stops one process, and waits until none of its threads runs: a signal is on its way for a while on a
/// busy machine, and a thread may answer meanwhile.
///
/// # Errors
/// As [`send_signal`], and when it still runs after some seconds.
pub fn freeze(pid: i32) -> Result<()> {
    send_signal(pid, Signal::STOP)?;
    let began = Instant::now();
    while !is_stopped(pid) {
        if began.elapsed() > STOPPED {
            bail!("process {pid} was told to stop and still runs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Whether every thread of the process stands, or it is gone.
fn is_stopped(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states = threads.filter_map(|thread| state(&thread.path().join("stat")));
    states.all(|state| !matches!(state, 'R' | 'S' | 'D'))
}

/// Whether the process exists and is more than a zombie.
#[must_use]
pub fn is_alive(pid: i32) -> bool {
    let state = state(&Path::new("/proc").join(pid.to_string()).join("stat"));
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The state letter in a `stat` file; nothing of who is gone.
fn state(stat: &Path) -> Option<char> {
    let stat = fs::read_to_string(stat).ok()?;
    // It follows the name, which is in brackets and may hold anything.
    stat.rsplit_once(") ")?.1.chars().next()
}

fn command_name(pid: i32) -> Result<String> {
    let path = Path::new("/proc").join(pid.to_string()).join("comm");
    let name = fs::read_to_string(&path);
    Ok(name.with_context(|| format!("process {pid} is gone"))?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_stopped_process_is_alive_and_a_killed_one_is_not() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        freeze(pid).unwrap();
        assert!(is_alive(pid) && is_stopped(pid));
        send_signal(pid, Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(!is_alive(pid));
    }

    #[test]
    fn pid_one_and_groups_are_refused() {
        for pid in [1, 0, -1] {
            assert!(send_signal(pid, Signal::STOP).is_err());
        }
    }
}
