//! Plain processes keep the contract, also when vigie itself is exchanged while they run.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use tempfile::TempDir;
use vigie::runtime::Runtime;
use vigie::runtime::process::{Process, ProcessConfig, ProcessService};
use vigie_core::observe::{RuntimeEvent as Event, RuntimeState};
use vigie_testkit::conformance::runtime::{RuntimeSubject, Watch, all};
use vigie_testkit::lab::{Signal, send_signal};

use crate::puppet::Puppet;

const NAME: &str = "puppet";

struct Subject {
    runtime: Process,
    puppet: Puppet,
    directory: TempDir,
}

impl Subject {
    fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let puppet = Puppet::new(directory.path().join("puppet"))?;
        let runtime = Process::new(config(directory.path(), &puppet))?;
        Ok(Self { runtime, puppet, directory })
    }

    /// A runtime as the next vigie would make it.
    fn successor(&self) -> Result<Process> {
        Ok(Process::new(config(self.directory.path(), &self.puppet))?)
    }
}

fn config(directory: &std::path::Path, puppet: &Puppet) -> ProcessConfig {
    let service = ProcessService {
        name: NAME.into(),
        program: "/bin/sh".into(),
        args: vec![puppet.directory().join(Puppet::SCRIPT).into()],
        env: Vec::new(),
        directory: None,
        memory: Some(Puppet::MEMORY),
    };
    ProcessConfig { state_dir: directory.join("state"), services: vec![service] }
}

#[async_trait]
impl RuntimeSubject for Subject {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn service(&self) -> &str {
        NAME
    }

    fn memory_limit(&self) -> Option<u64> {
        Some(Puppet::MEMORY)
    }

    async fn ready(&self) -> Result<()> {
        self.puppet.ready().await
    }

    async fn exit(&self, code: i32) -> Result<()> {
        self.puppet.exit(code).await
    }

    async fn kill_from_outside(&self) -> Result<()> {
        send_signal(self.puppet.pid()?, Signal::KILL)
    }

    async fn print(&self, lines: &[String]) -> Result<()> {
        self.puppet.print(lines).await
    }

    async fn deafen(&self) -> Result<()> {
        self.puppet.deafen().await
    }

    async fn busy(&self) -> Result<()> {
        self.puppet.busy().await
    }

    async fn exhaust(&self) -> Result<bool> {
        self.puppet.exhaust().await?;
        Ok(true)
    }

    async fn lose(&self) -> Result<bool> {
        // It is a part of vigie, and there as long as vigie is.
        Ok(false)
    }

    async fn restore(&self) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn processes_keep_the_contract() -> Result<()> {
    let subject = Subject::new()?;
    let outcome = all(&subject).await;
    subject.runtime.shutdown().await;
    outcome
}

/// What ends and what begins are told by two tasks, which must not overtake each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_restarts_are_told_in_order() -> Result<()> {
    let subject = Subject::new()?;
    let outcome = restart_often(&subject).await;
    subject.runtime.shutdown().await;
    outcome
}

async fn restart_often(subject: &Subject) -> Result<()> {
    let runtime = &subject.runtime;
    runtime.up(NAME, false).await?;
    let mut watch = Watch::open(runtime, NAME, None).await?;
    let (killed, died) = (Event::Killed { signal: 9 }, Event::Died { exit_code: Some(137) });
    let wanted = [killed, died, Event::Stopped, Event::Started];
    for round in 0..200 {
        runtime.restart(NAME, true).await?;
        watch.exactly(&wanted).await.with_context(|| format!("restart {round}"))?;
        // The next vigie finds the new process, not nothing.
        let state = subject.successor()?.inspect(NAME).await?.state;
        ensure!(state == RuntimeState::Running, "after restart {round} it is {}", state.word());
    }
    let times: Vec<_> = watch.seen.iter().map(|news| news.wall_ms).collect();
    ensure!(times.is_sorted_by(|one, next| one < next), "two events share a time: {times:?}");
    Ok(())
}

#[tokio::test]
async fn the_next_vigie_takes_over() -> Result<()> {
    let subject = Subject::new()?;
    let outcome = take_over(&subject).await;
    subject.runtime.shutdown().await;
    outcome
}

async fn take_over(subject: &Subject) -> Result<()> {
    subject.runtime.up(NAME, false).await?;
    subject.ready().await?;
    let pid = subject.puppet.pid()?;
    let next = subject.successor()?;
    let mut watch = Watch::open(&next, NAME, None).await?;
    next.up(NAME, false).await?;
    watch.quiet().await?;
    ensure!(subject.puppet.pid()? == pid, "a second one was started");
    next.stop(NAME).await?;
    // Only its parent is told the exit code of a process.
    let died = Event::Died { exit_code: None };
    watch.exactly(&[Event::Killed { signal: 15 }, died, Event::Stopped]).await?;
    // One that died while nobody watched is not taken for running.
    subject.runtime.up(NAME, false).await?;
    subject.ready().await?;
    subject.exit(0).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let state = subject.successor()?.inspect(NAME).await?.state;
    ensure!(state != RuntimeState::Running, "it is dead");
    Ok(())
}
