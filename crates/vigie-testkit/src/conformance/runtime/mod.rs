//! The contract of [`vigie::runtime::Runtime`], bullet by bullet. A harness says how to break its
//! service from outside; the suite breaks it and compares what the runtime tells.

mod console;
mod lifecycle;
mod loss;
mod names;
mod replay;
mod usage;
mod watch;

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use vigie::runtime::Runtime;
use vigie_core::observe::RuntimeState;

pub use watch::Watch;

/// What one step of a check may take.
const LONG: Duration = Duration::from_secs(30);
/// How long nothing may happen for "nothing happens".
const QUIET: Duration = Duration::from_millis(400);

/// A runtime under test and the ways to break its service without telling the runtime.
#[async_trait]
pub trait RuntimeSubject: Send + Sync {
    /// The runtime.
    fn runtime(&self) -> &dyn Runtime;

    /// A service that is defined and may be in any state.
    fn service(&self) -> &str;

    /// The service's memory limit, where it has one.
    fn memory_limit(&self) -> Option<u64>;

    /// Waits until the running service obeys and handles SIGTERM by ending with code 0.
    async fn ready(&self) -> Result<()>;

    /// Makes the process end by itself with `code`.
    async fn exit(&self, code: i32) -> Result<()>;

    /// Kills the process with SIGKILL, past the runtime.
    async fn kill_from_outside(&self) -> Result<()>;

    /// Makes the process print these lines.
    async fn print(&self, lines: &[String]) -> Result<()>;

    /// Makes the process ignore SIGTERM until it ends.
    async fn deafen(&self) -> Result<()>;

    /// Makes the process use a core until it ends.
    async fn busy(&self) -> Result<()>;

    /// Makes the process use more memory than its limit; `false` when it cannot.
    async fn exhaust(&self) -> Result<bool>;

    /// Takes the runtime itself away; `false` when it cannot.
    async fn lose(&self) -> Result<bool>;

    /// Brings it back.
    async fn restore(&self) -> Result<()>;
}

/// Runs every check.
///
/// # Errors
/// The first bullet that does not hold, with what was seen instead.
pub async fn all(subject: &dyn RuntimeSubject) -> Result<()> {
    names::a_service_that_does_not_exist(subject).await.context("a missing service")?;
    lifecycle::up(subject).await.context("up")?;
    lifecycle::stop(subject).await.context("stop")?;
    lifecycle::death(subject).await.context("a death by itself")?;
    lifecycle::kill_from_outside(subject).await.context("a kill from outside")?;
    lifecycle::out_of_memory(subject).await.context("out of memory")?;
    lifecycle::recreate(subject).await.context("up with recreate")?;
    lifecycle::restart(subject).await.context("restart")?;
    lifecycle::restart_of_a_deaf_one(subject).await.context("restart with kill")?;
    lifecycle::restart_of_a_dead_one(subject).await.context("restart of a dead service")?;
    replay::missed_events(subject).await.context("replay")?;
    replay::two_followers(subject).await.context("two followers")?;
    console::from_now_on(subject).await.context("console from now on")?;
    console::across_a_cut(subject).await.context("console across a cut")?;
    console::across_a_restart(subject).await.context("console across a restart")?;
    console::strange_lines(subject).await.context("strange console lines")?;
    console::tail(subject).await.context("tail")?;
    usage::resource_use(subject).await.context("resource use")?;
    lifecycle::no_drift(subject).await.context("drift")?;
    loss::the_runtime_goes_away(subject).await.context("loss of the runtime")
}

/// Brings the service up, whatever it was before.
async fn running(subject: &dyn RuntimeSubject) -> Result<()> {
    subject.runtime().up(subject.service(), false).await?;
    let state = subject.runtime().inspect(subject.service()).await?.state;
    anyhow::ensure!(state == RuntimeState::Running, "after `up` it is {}", state.word());
    subject.ready().await
}
