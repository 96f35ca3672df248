//! Does: waits on the calling thread for what a site answers, no longer than the size of the answer
//! allows. On a thread of an async runtime that thread stands still meanwhile: such a caller has nothing
//! else to do.

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
        let answered =
            async { tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| Err(late())) };
        if Handle::try_current().is_err() {
            return runtime.block_on(answered);
        }
        // Nobody may wait like this on a thread of a runtime: another one does.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| runtime.block_on(answered)).join();
            let failed =
                |_| Err(Fault::new(Trouble::Wrong, format!("{what}: the call was given up")));
            waiting.unwrap_or_else(failed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_in_a_runtime_may_wait_too() {
        let waiter = Waiter::new().expect("threads");
        let answered = waiter.wait("asking", 0, async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(7)
        });
        assert_eq!(answered.map_err(|fault| fault.why), Ok(7));
    }
}
