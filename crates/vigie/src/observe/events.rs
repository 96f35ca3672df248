//! Does: follows the runtime's events, across its absences, and looks at every service when it
//! begins and whenever the runtime is back. A runtime that tells events and answers no looks is away
//! too: its events are then followed anew.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Notify;
use vigie_core::observe::{Fact, Observation, RuntimeEvent};
use vigie_core::stack::ServiceId;

use super::looks::{look, nobody_answers, tell};
use super::reach::Reach;
use super::{Eyes, Rhythm};
use crate::engine::Stopped;
use crate::runtime::{Feed, News, RuntimeError};

/// Time between two looks at a service, as a net under the events.
pub(super) const INSPECT_EVERY: Duration = Duration::from_secs(30);
/// Replayed events follow each other closer than this.
const REPLAY_GAP: Duration = Duration::from_millis(150);
const RETRY: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

pub(super) async fn watch(eyes: Eyes, since: Option<i64>, reach: Reach, fresh: Arc<Notify>) {
    // Also a first start catches up with what happens before its first event.
    let mut since = since.unwrap_or_else(|| eyes.clock.now().wall);
    let mut failures = 0;
    while !eyes.stop.is_cancelled() {
        let ended = match eyes.runtime.events(Some(since)).await {
            Ok(feed) => {
                reach.doubt_no_more();
                let followed = follow(&eyes, feed, &mut since, &mut failures, &fresh);
                let ended = async {
                    tokio::select! {
                        ended = followed => ended,
                        error = reach.lost() => Ok(error),
                    }
                };
                eyes.stop.run_until_cancelled(ended).await
            }
            Err(error) => Some(Ok(error)),
        };
        let Some(Ok(error)) = ended else { return };
        if failures == 0 {
            tracing::warn!(%error, "the runtime is away; its events are followed anew when it is back");
        }
        let lost = Fact::RuntimeReachable(false);
        if eyes.handle.saw(&eyes.clock, eyes.config.stack.host(), lost).await.is_err() {
            return;
        }
        let pause = RETRY[failures.min(RETRY.len() - 1)];
        failures += 1;
        if eyes.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Follows one feed to its end: first what was missed, then a look at everything, then the rest.
async fn follow(
    eyes: &Eyes,
    mut feed: Feed<News>,
    since: &mut i64,
    failures: &mut usize,
    fresh: &Notify,
) -> Result<RuntimeError, Stopped> {
    let back = Fact::RuntimeReachable(true);
    let mut looked = false;
    loop {
        let next = if looked {
            feed.next().await
        } else {
            match tokio::time::timeout(REPLAY_GAP, feed.next()).await {
                Ok(next) => next,
                Err(_) => {
                    let seen = look(eyes).await;
                    if let Some(error) = nobody_answers(&seen) {
                        return Ok(error);
                    }
                    eyes.handle.saw(&eyes.clock, eyes.config.stack.host(), back.clone()).await?;
                    tell(eyes, seen).await?;
                    (looked, *failures) = (true, 0);
                    continue;
                }
            }
        };
        match next {
            Some(Ok(news)) => {
                if let Some(service) = eyes.config.stack.find(&news.service) {
                    let at = eyes.clock.at_wall(news.wall_ms);
                    if news.event == RuntimeEvent::Started {
                        fresh.notify_one();
                    }
                    let fact = Fact::Runtime(news.event);
                    let observation = Observation { service, at, fact };
                    eyes.handle.event(vigie_core::Event::Observed(observation)).await?;
                }
                // Behind the telling: a feed can be given up while it waits for that.
                *since = news.wall_ms + 1;
            }
            Some(Err(error)) => return Ok(error),
            None => {
                return Ok(RuntimeError::Unreachable {
                    runtime: eyes.runtime.name(),
                    why: String::from("its events ended"),
                    next: String::from("asking again"),
                });
            }
        }
    }
}

/// Looks at one service on its rhythm.
pub(super) async fn inspect_regularly(
    eyes: Eyes,
    service: ServiceId,
    rhythm: Rhythm,
    reach: Reach,
) {
    let mut beat = rhythm.beat();
    let mut failing = false;
    // The first look is `follow`'s, behind the events that were missed.
    beat.next().await;
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        let seen = super::looks::look_at(&eyes, service).await;
        let error = seen.error().cloned();
        if tell(&eyes, vec![seen]).await.is_err() {
            return;
        }
        if let Some(error) = &error
            && !failing
        {
            let name = &eyes.config.stack.service(service).name;
            tracing::warn!(service = name, %error, "the runtime does not say how it is");
        }
        failing = error.is_some();
        // Its second look has no answer either: then it is not the service.
        if error.is_some_and(|error| error.is_retryable())
            && eyes
                .stop
                .run_until_cancelled(reach.doubt(&eyes))
                .await
                .is_none_or(|told| told.is_err())
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
