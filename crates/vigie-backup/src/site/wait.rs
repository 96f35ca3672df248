//! Does: waits on the calling thread for what a site answers, no longer than the size of the answer
//! allows. A thread of an async runtime that calls stands still meanwhile; it never ends for that.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

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
    pub(crate) fn wait<T: Send>(
        &self,
        what: &str,
        bytes: u64,
        answer: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let Some(runtime) = &self.0 else {
            return Err(Fault::new(Trouble::Wrong, format!("{what}: the site is closed")));
        };
        let limit = CALL + Duration::from_secs(bytes / SLOWEST);
        let late = || Fault::new(Trouble::Passing, format!("{what}: no answer in {limit:?}"));
        let wait = || {
            runtime.block_on(async {
                tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(late()))
            })
        };
        if Handle::try_current().is_err() {
            return wait();
        }
        // A thread that drives tasks must not drive others; one of its own may.
        let done = std::thread::scope(|scope| scope.spawn(wait).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_on_every_kind_of_thread() {
        let waiter = Waiter::new().unwrap();
        let five = || waiter.wait("counting", 0, async { Ok(5) }).unwrap();
        assert_eq!(five(), 5);
        for mut runtime in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = runtime.enable_all().build().unwrap();
            assert_eq!(runtime.block_on(async { five() }), 5);
        }
    }
}
