//! Starting, ending, and what is told of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vigie_core::observe::{RuntimeEvent as Event, RuntimeState as State};

use super::{RuntimeSubject, Watch, running};

async fn watch(subject: &dyn RuntimeSubject) -> Result<Watch> {
    Watch::open(subject.runtime(), subject.service(), None).await
}

async fn stopped(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    Ok(subject.runtime().stop(subject.service()).await?)
}

fn at(events: &[Event], wanted: impl Fn(&Event) -> bool) -> Option<usize> {
    events.iter().position(wanted)
}

fn is_death(event: &Event) -> bool {
    matches!(event, Event::Died { .. })
}

/// `up` starts, tells it, and does nothing when there is nothing to do.
pub(super) async fn up(subject: &dyn RuntimeSubject) -> Result<()> {
    let (runtime, service) = (subject.runtime(), subject.service());
    stopped(subject).await?;
    let mut watch = watch(subject).await?;
    runtime.up(service, false).await?;
    watch.exactly(&[Event::Started]).await?;
    let seen = runtime.inspect(service).await?;
    ensure!(seen.state == State::Running, "{seen:?}");
    ensure!(seen.exit_code.is_none() && !seen.oom_killed, "a running one has no end: {seen:?}");
    ensure!(seen.up_for.is_some_and(|time| time < Duration::from_secs(20)), "{seen:?}");
    runtime.up(service, false).await?;
    watch.quiet().await
}

/// An asked-for stop is told as one, with the death before it, and a second one does nothing.
pub(super) async fn stop(subject: &dyn RuntimeSubject) -> Result<()> {
    let (runtime, service) = (subject.runtime(), subject.service());
    running(subject).await?;
    let mut watch = watch(subject).await?;
    runtime.stop(service).await?;
    let end = Event::Died { exit_code: Some(0) };
    watch.exactly(&[Event::Killed { signal: 15 }, end, Event::Stopped]).await?;
    let seen = runtime.inspect(service).await?;
    ensure!(seen.state == State::Exited && seen.exit_code == Some(0), "{seen:?}");
    ensure!(seen.up_for.is_none() && !seen.oom_killed, "{seen:?}");
    runtime.stop(service).await?;
    watch.quiet().await
}

/// A death that nobody asked for is told alone, with its code.
pub(super) async fn death(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut watch = watch(subject).await?;
    subject.exit(7).await?;
    watch.exactly(&[Event::Died { exit_code: Some(7) }]).await?;
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.state == State::Exited && seen.exit_code == Some(7), "{seen:?}");
    watch.quiet().await
}

/// Nor does a signal that the runtime did not send look like one that it sent.
pub(super) async fn kill_from_outside(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut watch = watch(subject).await?;
    subject.kill_from_outside().await?;
    watch.exactly(&[Event::Died { exit_code: Some(137) }]).await?;
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.exit_code == Some(137) && !seen.oom_killed, "{seen:?}");
    watch.quiet().await
}

/// Too much memory: told before the death.
pub(super) async fn out_of_memory(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut watch = watch(subject).await?;
    if !subject.exhaust().await? {
        return Ok(());
    }
    let end = Event::Died { exit_code: Some(137) };
    let events = watch.until(&end).await?;
    ensure!(events.first() == Some(&Event::Oom), "{events:?}");
    ensure!(events.iter().all(|event| *event == Event::Oom || *event == end), "{events:?}");
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.oom_killed && seen.exit_code == Some(137), "{seen:?}");
    running(subject).await?;
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(!seen.oom_killed, "the next one was not killed: {seen:?}");
    Ok(())
}

/// The old process ends before the new one starts.
async fn ends_before_it_starts(watch: &mut Watch) -> Result<Vec<Event>> {
    let events = watch.until(&Event::Started).await?;
    let (killed, died) =
        (at(&events, |event| matches!(event, Event::Killed { .. })), at(&events, is_death));
    ensure!(killed.is_some() && died.is_some() && killed < died, "{events:?}");
    ensure!(events.iter().filter(|event| is_death(event)).count() == 1, "{events:?}");
    Ok(events)
}

/// `recreate` ends the old one first, and leaves one running.
pub(super) async fn recreate(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut watch = watch(subject).await?;
    subject.runtime().up(subject.service(), true).await?;
    ends_before_it_starts(&mut watch).await?;
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.state == State::Running, "{seen:?}");
    watch.quiet().await
}

/// So does `restart`, which tells the stop inside it.
pub(super) async fn restart(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut watch = watch(subject).await?;
    subject.runtime().restart(subject.service(), false).await?;
    let end = Event::Died { exit_code: Some(0) };
    watch.exactly(&[Event::Killed { signal: 15 }, end, Event::Stopped, Event::Started]).await?;
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.state == State::Running, "{seen:?}");
    watch.quiet().await
}

/// `kill` does not wait for a process that cannot answer.
pub(super) async fn restart_of_a_deaf_one(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    subject.deafen().await?;
    let mut watch = watch(subject).await?;
    let begun = Instant::now();
    subject.runtime().restart(subject.service(), true).await?;
    ensure!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    let events = ends_before_it_starts(&mut watch).await?;
    ensure!(events[0] == Event::Killed { signal: 9 }, "{events:?}");
    ensure!(events[1] == Event::Died { exit_code: Some(137) }, "{events:?}");
    ensure!(!events.contains(&Event::Killed { signal: 15 }), "{events:?}");
    let seen = subject.runtime().inspect(subject.service()).await?;
    ensure!(seen.state == State::Running, "{seen:?}");
    watch.quiet().await
}

/// What is dead needs no killing.
pub(super) async fn restart_of_a_dead_one(subject: &dyn RuntimeSubject) -> Result<()> {
    for kill in [false, true] {
        running(subject).await?;
        subject.exit(3).await?;
        let mut before = subject.runtime().inspect(subject.service()).await?;
        while before.state == State::Running {
            tokio::time::sleep(Duration::from_millis(20)).await;
            before = subject.runtime().inspect(subject.service()).await?;
        }
        let mut watch = watch(subject).await?;
        subject.runtime().restart(subject.service(), kill).await?;
        watch.exactly(&[Event::Started]).await?;
        watch.quiet().await?;
    }
    Ok(())
}

/// What was just made is as it was defined.
pub(super) async fn no_drift(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let drift = subject.runtime().drift(subject.service()).await?;
    ensure!(drift.is_empty(), "nothing has changed, and yet: {drift:?}");
    Ok(())
}
