//! Missed events are told once, in order, before what follows.

use anyhow::{Context as _, Result};
use vigie_core::observe::RuntimeEvent as Event;

use super::{RuntimeSubject, Watch, running};

/// A follower that was away sees what it missed, once, and then goes on.
pub(super) async fn missed_events(subject: &dyn RuntimeSubject) -> Result<()> {
    let (runtime, service) = (subject.runtime(), subject.service());
    running(subject).await?;
    let mut before = Watch::open(runtime, service, None).await?;
    runtime.restart(service, false).await?;
    before.until(&Event::Started).await?;
    let last = before.last_ms().context("no event has a time")?;
    drop(before);

    subject.ready().await?;
    subject.exit(9).await?;
    let died = [Event::Died { exit_code: Some(9) }];
    let mut probe = Watch::open(runtime, service, Some(last + 1)).await?;
    probe.exactly(&died).await?;
    runtime.up(service, false).await?;
    probe.exactly(&[Event::Started]).await?;

    let mut after = Watch::open(runtime, service, Some(last + 1)).await?;
    after.exactly(&[died[0].clone(), Event::Started]).await?;
    after.quiet().await?;
    subject.ready().await?;
    subject.exit(4).await?;
    after.exactly(&[Event::Died { exit_code: Some(4) }]).await?;
    after.quiet().await?;

    // Who begins now hears nothing of before.
    Watch::open(runtime, service, None).await?.quiet().await
}

/// Followers do not take events from each other.
pub(super) async fn two_followers(subject: &dyn RuntimeSubject) -> Result<()> {
    running(subject).await?;
    let mut one = Watch::open(subject.runtime(), subject.service(), None).await?;
    let mut two = Watch::open(subject.runtime(), subject.service(), None).await?;
    subject.exit(5).await?;
    let died = [Event::Died { exit_code: Some(5) }];
    one.exactly(&died).await?;
    two.exactly(&died).await
}
