//! Does: waits on the calling thread for what a site answers, no longer than the size of the answer
//! allows. Never to be used on a thread of an async runtime: that thread would stand still.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::store::{Fault, Trouble};

/// For an answer without content.
const CALL: Duration = Duration::from_secs(60);
/// A line slower than this many bytes a second counts as dead.
const SLOWEST: u64 = 32 * 1024;

/// A few threads of a site's own.
#[derive(Debug)]
pub(crate) struct Waiter(Option<Runtime>);

impl Waiter {
    /// Starts them.
    pub(crate) fn new() -> Result<Self, Fault> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let failed = |error: std::io::Error| {
            Fault::new(Trouble::Wrong, format!("no threads for the site: {error}"))
        };
        Ok(Self(Some(runtime.map_err(failed)?)))
    }

    /// Waits for `answer`, which moves `bytes`.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        bytes: u64,
        answer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Some(runtime) = &self.0 else {
            return Err(Fault::new(Trouble::Wrong, format!("{what}: the site is closed")));
        };
        let limit = CALL + Duration::from_secs(bytes / SLOWEST);
        let late = || Fault::new(Trouble::Passing, format!("{what}: no answer in {limit:?}"));
        runtime.block_on(async {
            tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(late()))
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A plain drop panics when it happens on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}
