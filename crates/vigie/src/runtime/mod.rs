//! Does: runs services and tells what happens to them. One port with two adapters: [`docker`] and
//! [`process`]. Never decides whether something is wrong.

pub(crate) mod aside;
pub mod docker;
mod error;
pub mod process;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use vigie_core::observe::{Inspection, RuntimeEvent};

pub use error::RuntimeError;

/// Something that happened to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The service, by its name in the stack.
    pub service: String,
    /// When, in milliseconds since 1970, on the runtime's clock.
    pub wall_ms: i64,
    /// What.
    pub event: RuntimeEvent,
}

/// Resource use at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Percent of the CPU limit, or of one core where there is none, since the last sample; nothing
    /// for the first one.
    pub cpu_pct: Option<f32>,
    /// Bytes in use, page cache left out.
    pub mem_bytes: u64,
    /// The memory limit in bytes, where there is one.
    pub mem_limit: Option<u64>,
}

/// A place in a service's console, to go on from. Opaque: only the runtime that gave it can read
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LogPosition {
    /// Nanoseconds since 1970 (docker), or the byte offset (process).
    pub at: i64,
    /// Lines already seen at that very `at`.
    pub seen: u64,
}

/// One console line and the position behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The line, without its end and without any time stamp of the runtime's.
    pub text: Bytes,
    /// Where to go on after it.
    pub next: LogPosition,
}

/// A stream that ends with an error when the runtime is lost, and with nothing when there is no
/// more to come.
pub type Feed<T> = BoxStream<'static, Result<T, RuntimeError>>;

/// What runs the services of a stack.
///
/// The contract, which `vigie_testkit::conformance::runtime` checks on every adapter and on the
/// fake:
/// * A service is named by its name in the stack. One that does not exist *inspects* as
///   `Missing`; that is a state, not an error.
/// * `events` tells, in order, everything since `since` that is still known, then what happens as
///   it happens. Missed events are replayed exactly once when `since` is the time of the last one
///   seen plus one millisecond. A death is told before the stop that was its reason; a stop that
///   was asked for through the runtime is told as `Killed`, `Died`, `Stopped`, a death by itself
///   as `Died` alone, `Oom` before `Died`.
/// * `up`, `stop` are idempotent: `up` of a running service and `stop` of a stopped one do nothing
///   and succeed. `up { recreate }` and `restart` end the old process first.
/// * Every call returns within its own time limit; an error says whether trying again can help
///   ([`RuntimeError::is_retryable`]). A step whose call failed may all the same have happened:
///   callers look before they repeat.
/// * `logs` gives every line behind `from` once, in order, also across a reconnect from the last
///   position seen; without `from` it begins with what comes from now on.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// The runtime's name, for people.
    fn name(&self) -> &'static str;

    /// Whether it can be reached, and its version.
    async fn ping(&self) -> Result<String, RuntimeError>;

    /// Events from `since` (milliseconds since 1970) on; from now on without it.
    async fn events(&self, since: Option<i64>) -> Result<Feed<News>, RuntimeError>;

    /// One look at a service.
    async fn inspect(&self, service: &str) -> Result<Inspection, RuntimeError>;

    /// A service's resource use; `None` when it is not running.
    async fn usage(&self, service: &str) -> Result<Option<Usage>, RuntimeError>;

    /// The console from a position on, followed.
    async fn logs(
        &self,
        service: &str,
        from: Option<LogPosition>,
    ) -> Result<Feed<LogLine>, RuntimeError>;

    /// The last `lines` console lines, oldest first.
    async fn tail(&self, service: &str, lines: usize) -> Result<Vec<Bytes>, RuntimeError>;

    /// Brings a service up as its definition says; `recreate` makes it afresh.
    async fn up(&self, service: &str, recreate: bool) -> Result<(), RuntimeError>;

    /// Takes the whole stack down and up again.
    async fn down_up(&self) -> Result<(), RuntimeError>;

    /// Restarts a service; `kill` does not wait for a process that cannot answer.
    async fn restart(&self, service: &str, kill: bool) -> Result<(), RuntimeError>;

    /// Stops a service.
    async fn stop(&self, service: &str) -> Result<(), RuntimeError>;

    /// Differences between what runs and what is defined, in words; empty when there are none.
    async fn drift(&self, service: &str) -> Result<Vec<String>, RuntimeError>;

    /// The Docker engine behind it, for what only images and volumes can do.
    fn docker(&self) -> Option<&docker::Docker> {
        None
    }
}
