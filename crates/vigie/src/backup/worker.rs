//! Does: lets another process of the same binary do a work: it can be given less of the machine, timed
//! out and ended, and what panics in it hurts nobody else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use vigie_backup::Meter;

use super::work::{Done, Job, Tell, perform};
use super::{BackupError, Class};
use crate::config::{Config, RuntimeKind};
use crate::runner;

/// Between two words of a worker about its bytes.
const EVERY: Duration = Duration::from_millis(200);

/// How much of the machine a worker has.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// It is ended after this time.
    pub time: Duration,
    /// Whether everything else goes first, on the processor and on the disk.
    pub idle: bool,
}

/// A line that a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// Something new begins.
    Step(String),
    /// Bytes that there are in all.
    Total(u64),
    /// Bytes that are done since the last word.
    More(u64),
    /// It is done.
    Done(Done),
    /// It could not be done.
    Failed(Class, String),
}

/// Has a worker do `job`; `tell` and `meter` hear how it goes. When nobody waits any more, it is ended.
///
/// # Errors
/// What the worker says, or how it ended.
pub async fn run(
    config: &Path,
    job: &Job,
    limits: Limits,
    tell: &dyn Tell,
    meter: &dyn Meter,
) -> Result<Done, BackupError> {
    let own = std::env::current_exe().map_err(|error| BackupError::Worker(error.to_string()))?;
    let mut command = runner::program(&own);
    command.arg("--config").arg(config).arg("backup").arg("work");
    if limits.idle {
        command.arg("--idle");
    }
    let text = serde_json::to_vec(job).map_err(|error| BackupError::Worker(error.to_string()))?;
    let mut result = None;
    let hear = |line: &str| match serde_json::from_str(line) {
        Ok(Word::Step(text)) => tell.step(&text),
        Ok(Word::Total(bytes)) => meter.total(bytes),
        Ok(Word::More(bytes)) => meter.more(bytes),
        Ok(Word::Done(done)) => result = Some(Ok(done)),
        Ok(Word::Failed(class, why)) => result = Some(Err(BackupError::Said(class, why))),
        Err(_) => {}
    };
    let ended = runner::talk(&mut command, &text, limits.time, hear).await;
    let ended = ended.map_err(|error| BackupError::Worker(error.to_string()))?;
    match (result, ended) {
        (Some(result), _) => result,
        (None, None) => {
            let time = vigie_core::span::format(limits.time);
            Err(BackupError::Worker(format!("it was not done within {time}")))
        }
        (None, Some((status, said))) => Err(BackupError::Worker(how(status, &said))),
    }
}

fn how(status: ExitStatus, said: &str) -> String {
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last = crate::text::cut(&crate::text::printable(last), 300);
    if last.is_empty() { format!("{status}") } else { format!("{status}: {last}") }
}

/// The worker's own side: reads a job from standard input, does it, says how on standard output.
///
/// # Errors
/// What it could not do, which it has said already.
pub async fn serve(config: &Config, idle: bool) -> Result<(), BackupError> {
    if idle {
        let _ = rustix::process::nice(10);
    }
    let mut text = String::new();
    let read = BufReader::new(std::io::stdin()).read_line(&mut text);
    read.map_err(|error| BackupError::Worker(error.to_string()))?;
    let job: Job = serde_json::from_str(&text)
        .map_err(|error| BackupError::Worker(format!("that is no job: {error}")))?;
    let mouth = Arc::new(Mouth::default());
    let docker = match config.file.stack.runtime {
        RuntimeKind::Docker => Some(crate::app::docker_runtime(config)?),
        RuntimeKind::Process => None,
    };
    if !job.exchanges() {
        std::thread::spawn(end_unheard);
    }
    let done = perform(config, docker.as_ref(), &job, &*mouth, mouth.clone()).await;
    mouth.flush();
    match done {
        Ok(done) => {
            mouth.say(&Word::Done(done));
            Ok(())
        }
        Err(error) => {
            mouth.say(&Word::Failed(error.class(), error.to_string()));
            Err(error)
        }
    }
}

/// Waits until nobody listens any more, and ends this process: whoever gave the work was killed, and it
/// must be in nobody's way. What is half done then is as after any other kill. A work that exchanges
/// something is brought to its end instead, which is better for what it exchanges.
fn end_unheard() {
    loop {
        let out = std::io::stdout();
        // Nothing is waited for but that the other end goes.
        let mut fds = [PollFd::new(&out, PollFlags::empty())];
        let ended = match poll(&mut fds, None) {
            Ok(_) => fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
            Err(Errno::INTR) => false,
            // It cannot be known: the work goes on.
            Err(_) => return,
        };
        if ended {
            std::process::exit(1);
        }
        // Somebody who reads slowly is no reason to look all the time.
        std::thread::sleep(EVERY);
    }
}

/// Says words on standard output, and bytes not too often.
#[derive(Debug)]
struct Mouth {
    waiting: AtomicU64,
    said: Mutex<Instant>,
}

impl Default for Mouth {
    fn default() -> Self {
        Self { waiting: AtomicU64::new(0), said: Mutex::new(Instant::now()) }
    }
}

impl Mouth {
    fn say(&self, word: &Word) {
        let line = serde_json::to_string(word).unwrap_or_default();
        let mut out = std::io::stdout().lock();
        // Whoever does not listen any more ends this process soon.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn flush(&self) {
        let bytes = self.waiting.swap(0, Ordering::Relaxed);
        if bytes > 0 {
            self.say(&Word::More(bytes));
        }
    }
}

impl Tell for Mouth {
    fn step(&self, text: &str) {
        self.flush();
        self.say(&Word::Step(text.to_owned()));
    }
}

impl Meter for Mouth {
    fn total(&self, bytes: u64) {
        self.say(&Word::Total(bytes));
    }

    fn more(&self, bytes: u64) {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= EVERY {
            *said = Instant::now();
            drop(said);
            self.flush();
        }
    }
}
