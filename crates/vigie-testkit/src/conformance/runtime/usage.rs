//! Resource use.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{RuntimeSubject, running};

/// Measured while it runs, and nothing when it does not.
pub(super) async fn resource_use(subject: &dyn RuntimeSubject) -> Result<()> {
    let (runtime, service) = (subject.runtime(), subject.service());
    running(subject).await?;
    let idle = runtime.usage(service).await?.context("it runs, and uses nothing")?;
    ensure!(idle.mem_bytes > 0, "{idle:?}");
    ensure!(idle.mem_limit == subject.memory_limit(), "{idle:?}");
    subject.busy().await?;
    runtime.usage(service).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let busy = runtime.usage(service).await?.context("it runs, and uses nothing")?;
    let cpu = busy.cpu_pct.context("two samples, and no CPU")?;
    ensure!(cpu > 20.0 && cpu < 250.0, "a busy loop uses {busy:?}");
    runtime.restart(service, true).await?;
    runtime.stop(service).await?;
    let none = runtime.usage(service).await?;
    ensure!(none.is_none(), "it does not run, and uses {none:?}");
    Ok(())
}
