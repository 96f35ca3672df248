//! The runtime itself goes away and comes back.

use anyhow::{Context as _, Result, ensure};
use vigie_core::observe::RuntimeEvent as Event;

use super::{RuntimeSubject, Watch, running};

/// Feeds end with an error, calls say that the runtime is away and may be tried again, and
/// afterwards everything works as before without a new connection.
pub(super) async fn the_runtime_goes_away(subject: &dyn RuntimeSubject) -> Result<()> {
    let (runtime, service) = (subject.runtime(), subject.service());
    running(subject).await?;
    let mut watch = Watch::open(runtime, service, None).await?;
    runtime.restart(service, false).await?;
    watch.until(&Event::Started).await?;
    let last = watch.last_ms().context("no event has a time")?;
    if !subject.lose().await? {
        return Ok(());
    }
    let end = watch.end().await?;
    ensure!(end.is_lost() && end.is_retryable(), "the feed ended with {end:?}");
    let answers = [
        ("ping", runtime.ping().await.map(drop)),
        ("inspect", runtime.inspect(service).await.map(drop)),
        ("events", runtime.events(None).await.map(drop)),
        ("stop", runtime.stop(service).await),
        ("usage", runtime.usage(service).await.map(drop)),
        ("tail", runtime.tail(service, 1).await.map(drop)),
    ];
    for (call, answer) in answers {
        let lost = matches!(&answer, Err(error) if error.is_lost());
        ensure!(lost, "{call} of a lost runtime gives {answer:?}");
    }
    subject.restore().await?;
    runtime.ping().await.context("after it came back")?;
    let mut again = Watch::open(runtime, service, Some(last + 1)).await?;
    running(subject).await?;
    subject.exit(6).await?;
    again.until(&Event::Died { exit_code: Some(6) }).await?;
    Ok(())
}
