//! Does: tells events to whoever follows, and replays the last ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use tokio::sync::broadcast;

use crate::runtime::{Feed, News};

const KEPT: usize = 1024;

/// The last events and the way to the next ones.
#[derive(Debug, Clone)]
pub(super) struct History {
    kept: Arc<Mutex<VecDeque<News>>>,
    sender: broadcast::Sender<News>,
}

impl Default for History {
    fn default() -> Self {
        Self { kept: Arc::default(), sender: broadcast::channel(KEPT).0 }
    }
}

impl History {
    pub(super) fn tell(&self, mut news: News) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // No two share a time: who saw one of them and asks for what came since would miss the other.
        if let Some(last) = kept.back() {
            news.wall_ms = news.wall_ms.max(last.wall_ms.saturating_add(1));
        }
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(news.clone());
        let _ = self.sender.send(news);
    }

    pub(super) fn follow(&self, since: Option<i64>) -> Feed<News> {
        // Subscribed under the lock: nothing falls between the replay and what follows.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let missed: Vec<_> = since.map_or_else(Vec::new, |since| {
            kept.iter().filter(|news| news.wall_ms >= since).cloned().collect()
        });
        let receiver = self.sender.subscribe();
        drop(kept);
        let live = futures_util::stream::unfold(receiver, |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(news) => return Some((Ok(news), receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        futures_util::stream::iter(missed.into_iter().map(Ok)).chain(live).boxed()
    }
}
