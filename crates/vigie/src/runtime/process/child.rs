//! Does: one service: starts it in a process group of its own, watches it, ends it, and with it all
//! that it started. A process that an earlier vigie started is watched through `/proc`; its exit code
//! is not known then.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::process::Child;
use tokio::sync::Notify;
use vigie_core::observe::{Inspection, RuntimeEvent, RuntimeState};

use super::history::History;
use super::keep::Identity;
use super::{ProcessService, console, news};
use crate::runner::{self, group};
use crate::runtime::{RuntimeError, Usage};

/// Time between two looks at a living process.
const LOOK: Duration = Duration::from_millis(100);
/// A console that has grown to this is begun anew at the next start.
const CONSOLE: u64 = 64 * 1024 * 1024;
/// Clock ticks a second, which Linux has fixed for programs.
const TICKS: f64 = 100.0;
const OOM_CODE: i32 = 137;
/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(5);
/// Time between two looks at a group that is ending.
const SOON: Duration = Duration::from_millis(20);
/// Looks between two at the console's size.
const CONSOLE_LOOKS: u32 = 10;

#[derive(Debug, Default)]
struct Now {
    living: Option<(Identity, Instant)>,
    exit_code: Option<i32>,
    oom: bool,
    created: bool,
    restarts: u32,
    cpu: Option<(Instant, u64)>,
    // It was asked to end, and has its time for it.
    stopping: bool,
}

/// Says that a service is being stopped, also when whoever stops it gives up half-way.
struct Stopping<'a>(&'a Service);

impl<'a> Stopping<'a> {
    fn of(service: &'a Service) -> Self {
        service.now().stopping = true;
        Self(service)
    }
}

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.now().stopping = false;
    }
}

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    definition: ProcessService,
    pid_file: PathBuf,
    console: PathBuf,
    now: Mutex<Now>,
    ended: Notify,
    // Starting and stopping one after the other.
    turn: tokio::sync::Mutex<()>,
    history: History,
}

impl Service {
    pub(super) fn new(definition: ProcessService, directory: &Path, history: History) -> Self {
        let file = |suffix: &str| directory.join(format!("{}.{suffix}", definition.name));
        let now = Now { created: true, ..Now::default() };
        Self {
            pid_file: file("pid"),
            console: file("log"),
            now: Mutex::new(now),
            ended: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
            definition,
            history,
        }
    }

    pub(super) fn console(&self) -> &Path {
        &self.console
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: RuntimeEvent) {
        self.history.tell(news(&self.definition.name, event));
    }

    fn refused(&self, what: &'static str, why: &impl ToString) -> RuntimeError {
        let service = self.definition.name.clone();
        RuntimeError::Refused { what, service, why: why.to_string() }
    }

    /// Takes over a process that an earlier vigie started.
    pub(super) fn take_over(self: &Arc<Self>) {
        let mut now = self.now();
        if now.living.is_some() {
            return;
        }
        if let Some(known) = Identity::read(&self.pid_file).filter(|known| known.lives()) {
            now.living = Some((known, Instant::now()));
            now.created = false;
            drop(now);
            tokio::spawn(Arc::clone(self).watch(known, None));
        }
    }

    pub(super) fn inspect(self: &Arc<Self>) -> Inspection {
        self.take_over();
        let now = self.now();
        let state = match (now.living, now.created) {
            (Some(_), _) => RuntimeState::Running,
            (None, true) => RuntimeState::Created,
            (None, false) => RuntimeState::Exited,
        };
        Inspection {
            state,
            exit_code: now.exit_code.filter(|_| now.living.is_none()),
            oom_killed: now.oom && now.living.is_none(),
            up_for: now.living.map(|(_, since)| since.elapsed()),
            restarts: now.restarts,
            ..Inspection::default()
        }
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let mut now = self.now();
        let (living, _) = now.living?;
        let (mem_bytes, ticks) = living.usage()?;
        let at = Instant::now();
        let before = now.cpu.replace((at, ticks));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a percentage"
        )]
        let cpu_pct = before.map(|(then, used)| {
            let seconds = at.duration_since(then).as_secs_f64().max(0.001);
            (ticks.saturating_sub(used) as f64 / TICKS / seconds * 100.0) as f32
        });
        Some(Usage { cpu_pct, mem_bytes, mem_limit: self.definition.memory })
    }

    /// Starts the process, unless it lives.
    pub(super) fn start(self: &Arc<Self>) -> Result<(), RuntimeError> {
        self.take_over();
        let mut now = self.now();
        if now.living.is_some() {
            return Ok(());
        }
        let child = self.spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let known = pid.and_then(Identity::of);
        // One that is dead already is told as started and died, by its exit alone.
        let known = known.unwrap_or(Identity { pid: pid.unwrap_or(0), started: 0 });
        known.write(&self.pid_file);
        if !now.created {
            now.restarts += 1;
        }
        now.living = Some((known, Instant::now()));
        now.created = false;
        now.oom = false;
        now.cpu = None;
        // Before anybody can end it, which would be told first.
        self.tell(RuntimeEvent::Started);
        drop(now);
        tokio::spawn(Arc::clone(self).watch(known, Some(child)));
        Ok(())
    }

    fn spawn(&self) -> Result<Child, RuntimeError> {
        let grown = std::fs::metadata(&self.console).is_ok_and(|file| file.len() > CONSOLE);
        let console = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.console)
            .map_err(|error| self.refused("starting", &error))?;
        if grown {
            console.set_len(0).map_err(|error| self.refused("starting", &error))?;
        }
        let errors = console.try_clone().map_err(|error| self.refused("starting", &error))?;
        let definition = &self.definition;
        let mut command = runner::program(&definition.program);
        command
            .args(&definition.args)
            .envs(definition.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(console)
            .stderr(errors)
            .process_group(0);
        if let Some(directory) = &definition.directory {
            command.current_dir(directory);
        }
        command.spawn().map_err(|error| {
            let program = definition.program.display();
            self.refused("starting", &format!("{program}: {error}"))
        })
    }

    /// Watches one process to its end.
    async fn watch(self: Arc<Self>, known: Identity, mut child: Option<Child>) {
        let mut bound = console::Bound::new(&self.console, CONSOLE_LOOKS);
        let code = loop {
            let ended = async {
                match &mut child {
                    Some(child) => child.wait().await.ok(),
                    None => std::future::pending().await,
                }
            };
            match tokio::time::timeout(LOOK, ended).await {
                Ok(status) => break status.and_then(code_of),
                Err(_) if child.is_none() && !known.lives() => break None,
                Err(_) => {
                    self.check_memory(known);
                    bound.look();
                }
            }
        };
        self.end_the_others(known).await;
        // All of it before anybody can see that the process is gone: whoever waits for that tells
        // its own part, or starts the next process and writes the next pid file.
        let mut now = self.now();
        let code = if now.oom { Some(OOM_CODE) } else { code };
        known.forget(&self.pid_file);
        self.tell(RuntimeEvent::Died { exit_code: code });
        now.living = None;
        now.exit_code = code;
        drop(now);
        self.ended.notify_waiters();
    }

    /// Ends what the process has started and left behind: it would hold the port, or write the files,
    /// of the next one.
    async fn end_the_others(&self, known: Identity) {
        let Some(group) = Pid::from_raw(known.pid) else { return };
        let mut killed: Option<Instant> = None;
        // A number that was given to another process since is not this group's any more.
        while Identity::of(known.pid).is_none_or(|now| now == known) && group::lives(group) {
            match killed {
                Some(at) if at.elapsed() > GONE => {
                    let service = &self.definition.name;
                    tracing::warn!(service, group = known.pid, "its processes cannot be killed");
                    return;
                }
                Some(_) => {}
                // In a stop they have the same time as the process itself; `stop` kills them then.
                None if self.now().stopping => {}
                None => {
                    group::signal(group, Signal::KILL);
                    killed = Some(Instant::now());
                }
            }
            tokio::time::sleep(SOON).await;
        }
    }

    /// Does what a kernel would: above the limit the process is killed, and that is told.
    fn check_memory(&self, known: Identity) {
        let Some(limit) = self.definition.memory else { return };
        let over = known.usage().is_some_and(|(used, _)| used > limit);
        if over && !std::mem::replace(&mut self.now().oom, true) {
            self.tell(RuntimeEvent::Oom);
            signal(known, Signal::KILL);
        }
    }

    /// Ends the process and what it started, waiting `grace` until all of it is killed.
    pub(super) async fn stop(self: &Arc<Self>, grace: Duration) {
        let _turn = self.turn.lock().await;
        self.take_over();
        let Some((known, _)) = self.now().living else { return };
        let _stopping = Stopping::of(self);
        let first = if grace.is_zero() { Signal::KILL } else { Signal::TERM };
        self.tell(RuntimeEvent::Killed { signal: first.as_raw() });
        signal(known, first);
        if !self.gone_within(grace.max(Duration::from_secs(1))).await {
            self.tell(RuntimeEvent::Killed { signal: Signal::KILL.as_raw() });
            signal(known, Signal::KILL);
            self.gone_within(GONE).await;
        }
        self.tell(RuntimeEvent::Stopped);
    }

    async fn gone_within(&self, limit: Duration) -> bool {
        let gone = async {
            loop {
                let ended = self.ended.notified();
                if self.now().living.is_none() {
                    return;
                }
                // Looked at again in case the word came between the two lines above.
                let _ = tokio::time::timeout(LOOK, ended).await;
            }
        };
        tokio::time::timeout(limit, gone).await.is_ok()
    }
}

fn code_of(status: std::process::ExitStatus) -> Option<i32> {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal))
}

/// Signals the process's group.
fn signal(known: Identity, signal: Signal) {
    if let Some(group) = Pid::from_raw(known.pid) {
        group::signal(group, signal);
    }
}
