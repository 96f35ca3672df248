//! Does: the command runner, the one place where programs begin (Compose, git). Each runs to its end
//! within a limit, in a process group of its own; what it started ends with it (the Docker client runs
//! Compose as a child), also when nobody waits any more. Never through a shell.

pub(crate) mod group;
mod stream;

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

pub(crate) use stream::stream;

/// How long a program that was asked to end may take until it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long a killed one may take to be gone.
const GONE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// A program to run, with its arguments still to come. What the service manager gave to the watch alone
/// is not handed on: a game server that spoke in its name would be believed.
#[expect(clippy::disallowed_methods, reason = "this is the runner")]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    for variable in crate::pulse::VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Runs `command`; nothing when it was not done within `limit`, and then it has been ended.
pub(crate) async fn run(command: &mut Command, limit: Duration) -> io::Result<Option<Output>> {
    run_with(command, &[], limit).await
}

/// The same with `input` to read.
pub(crate) async fn run_with(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> io::Result<Option<Output>> {
    let fed = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let mut child = command
        .stdin(fed)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut running = Running::new(child);
    let done = async {
        let (stdout, stderr, status, ()) =
            tokio::try_join!(read(stdout), read(stderr), running.child.wait(), feed(stdin, input))?;
        Ok(Output { status, stdout, stderr })
    };
    let done = tokio::time::timeout(limit, done).await;
    if let Ok(output) = done {
        running.over = true;
        return output.map(Some);
    }
    running.end().await;
    Ok(None)
}

/// Runs `command` with one line to read, handing every line that it says to `hear`; how it ended and what it
/// complained of, or nothing when it was not done within `limit`, and then it has been ended.
pub(crate) async fn talk(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
    mut hear: impl FnMut(&str),
) -> io::Result<Option<(std::process::ExitStatus, String)>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut running = Running::new(child);
    let listen = async {
        let Some(stdout) = stdout else { return Ok(()) };
        let mut lines = tokio::io::BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            hear(&line);
        }
        Ok(())
    };
    let done = async {
        let ((), stderr, status, ()) =
            tokio::try_join!(listen, read(stderr), running.child.wait(), feed(stdin, input))?;
        Ok((status, String::from_utf8_lossy(&stderr).into_owned()))
    };
    let done = tokio::time::timeout(limit, done).await;
    if let Ok(ended) = done {
        running.over = true;
        return ended.map(Some);
    }
    running.end().await;
    Ok(None)
}

/// Runs `command` on the person's own terminal, for as long as it takes: an editor.
pub(crate) async fn attended(command: &mut Command) -> io::Result<std::process::ExitStatus> {
    command.spawn()?.wait().await
}

/// A program that does not read to the end has had enough.
async fn feed(pipe: Option<ChildStdin>, input: &[u8]) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    match pipe.write_all(input).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// A program that runs, and everything that it started.
struct Running {
    child: Child,
    group: Option<Pid>,
    over: bool,
}

impl Running {
    fn new(child: Child) -> Self {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        Self { child, group: pid.and_then(Pid::from_raw), over: false }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            group::signal(group, signal);
        }
    }

    /// Asks all of it to end, kills what does not, and waits for it.
    async fn end(mut self) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(GRACE, self.gone()).await.is_err() {
            self.signal(Signal::KILL);
            let _ = tokio::time::timeout(GONE, self.gone()).await;
        }
        self.over = true;
    }

    async fn gone(&mut self) {
        let _ = self.child.wait().await;
        while self.group.is_some_and(group::lives) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Running {
    /// Nobody waits any more: a step was given up, or vigie ends.
    fn drop(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        // At once, because a vigie that ends has no time for more.
        self.signal(Signal::TERM);
        let Some(group) = self.group.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // The child itself is reaped by tokio, which kills it when it is dropped.
            runtime.spawn(async move {
                let gone = async {
                    while group::lives(group) {
                        tokio::time::sleep(LOOK).await;
                    }
                };
                if tokio::time::timeout(GRACE, gone).await.is_err() {
                    group::signal(group, Signal::KILL);
                }
            });
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
mod tests {
    use std::path::Path;

    use super::*;

    /// A program as the Docker client is: the work is done by a child.
    fn client(directory: &Path, child: &str) -> Command {
        let script = format!("sh -c '{child}' & echo $! > child; wait");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(directory);
        command
    }

    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    async fn child_of(directory: &Path) -> String {
        for _ in 0..500 {
            let pid = std::fs::read_to_string(directory.join("child")).unwrap_or_default();
            if pid.ends_with('\n') {
                return pid.trim().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the program has no child");
    }

    #[tokio::test]
    async fn what_it_prints_and_how_it_ends_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let output = run(&mut command, GRACE).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    }

    #[tokio::test]
    async fn out_of_time_its_children_end_too() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = client(directory.path(), "sleep 300");
        assert!(run(&mut command, Duration::from_millis(300)).await.unwrap().is_none());
        let child = child_of(directory.path()).await;
        assert!(!is_alive(&child), "{child} goes on without its program");
    }

    #[tokio::test]
    async fn given_up_even_a_deaf_child_ends() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = client(directory.path(), "trap \"\" TERM; while :; do sleep 1; done");
        let task = tokio::spawn(async move { run(&mut command, Duration::from_secs(60)).await });
        let child = child_of(directory.path()).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let begun = std::time::Instant::now();
        while is_alive(&child) {
            assert!(begun.elapsed() < GRACE * 2, "{child} goes on without its program");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
