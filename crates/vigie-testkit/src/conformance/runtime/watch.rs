//! Follows a runtime's events for a check, with limits, and says what came instead.

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use vigie::runtime::{Feed, News, Runtime};
use vigie_core::observe::RuntimeEvent;

use super::{LONG, QUIET};

/// One feed of events, narrowed to one service.
pub struct Watch {
    feed: Feed<News>,
    service: String,
    /// What came so far.
    pub seen: Vec<News>,
}

impl Watch {
    /// Follows `service`.
    ///
    /// # Errors
    /// When the runtime refuses.
    pub async fn open(runtime: &dyn Runtime, service: &str, since: Option<i64>) -> Result<Self> {
        let feed = runtime.events(since).await?;
        Ok(Self { feed, service: service.to_owned(), seen: Vec::new() })
    }

    /// The next event.
    ///
    /// # Errors
    /// When none comes in time or the feed ends.
    pub async fn next(&mut self) -> Result<RuntimeEvent> {
        loop {
            let next = tokio::time::timeout(LONG, self.feed.next()).await;
            let next = next.with_context(|| format!("no event in time after {:?}", self.seen))?;
            match next {
                Some(Ok(news)) if news.service == self.service => {
                    let before = self.seen.last().map_or(i64::MIN, |news| news.wall_ms);
                    ensure!(news.wall_ms >= before, "{news:?} is older than {:?}", self.seen);
                    self.seen.push(news.clone());
                    return Ok(news.event);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!("the feed ended: {error}"),
                None => bail!("the feed ended without a word"),
            }
        }
    }

    /// Events up to and including `last`, in order.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub async fn until(&mut self, last: &RuntimeEvent) -> Result<Vec<RuntimeEvent>> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.with_context(|| format!("waiting for {last:?}"))?;
            let done = event == *last;
            events.push(event);
            if done {
                return Ok(events);
            }
        }
    }

    /// Demands exactly these events, in this order.
    ///
    /// # Errors
    /// When others come.
    pub async fn exactly(&mut self, wanted: &[RuntimeEvent]) -> Result<()> {
        let mut seen = Vec::new();
        for _ in wanted {
            seen.push(self.next().await?);
        }
        ensure!(seen == wanted, "wanted {wanted:?}, saw {seen:?}");
        Ok(())
    }

    /// Demands that nothing comes.
    ///
    /// # Errors
    /// When something does.
    pub async fn quiet(&mut self) -> Result<()> {
        match tokio::time::timeout(QUIET, self.feed.next()).await {
            Err(_) => Ok(()),
            Ok(Some(Ok(news))) if news.service != self.service => Ok(()),
            Ok(other) => bail!("nothing should happen, and {other:?} came"),
        }
    }

    /// The error that ends the feed.
    ///
    /// # Errors
    /// When it ends without one, or not in time.
    pub async fn end(&mut self) -> Result<vigie::runtime::RuntimeError> {
        loop {
            let next = tokio::time::timeout(LONG, self.feed.next()).await;
            match next.context("the feed does not end")? {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let after = tokio::time::timeout(QUIET, self.feed.next()).await;
                    ensure!(matches!(after, Ok(None)), "after its error the feed gives {after:?}");
                    return Ok(error);
                }
                None => bail!("the feed ended without an error"),
            }
        }
    }

    /// The time of the last event seen.
    #[must_use]
    pub fn last_ms(&self) -> Option<i64> {
        self.seen.last().map(|news| news.wall_ms)
    }
}
