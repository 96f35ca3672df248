//! Does: follows the runtime's events, across its absences, and looks at every service when it
//! begins and whenever the runtime is back.

use std::time::Duration;

use futures_util::StreamExt;
use vigie_core::observe::{Fact, Observation};
use vigie_core::stack::ServiceId;

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

pub(super) async fn watch(eyes: Eyes, since: Option<i64>) {
    let mut since = since;
    let mut failures = 0;
    while !eyes.stop.is_cancelled() {
        let ended = match eyes.runtime.events(since).await {
            Ok(feed) => {
                failures = 0;
                eyes.stop.run_until_cancelled(follow(&eyes, feed, &mut since)).await
            }
            Err(error) => Some(Ok(error)),
        };
        let Some(Ok(error)) = ended else { return };
        if failures == 0 {
            tracing::warn!(%error, "the runtime's events have stopped");
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
    since: &mut Option<i64>,
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
                    eyes.handle.saw(&eyes.clock, eyes.config.stack.host(), back.clone()).await?;
                    for (id, _) in eyes.config.stack.services() {
                        inspect(eyes, id).await?;
                    }
                    looked = true;
                    continue;
                }
            }
        };
        match next {
            Some(Ok(news)) => {
                *since = Some(news.wall_ms + 1);
                let Some(service) = eyes.config.stack.find(&news.service) else { continue };
                let at = eyes.clock.at_wall(news.wall_ms);
                let fact = Fact::Runtime(news.event);
                let observation = Observation { service, at, fact };
                eyes.handle.event(vigie_core::Event::Observed(observation)).await?;
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

async fn inspect(eyes: &Eyes, service: ServiceId) -> Result<(), Stopped> {
    let at = eyes.clock.now();
    let name = &eyes.config.stack.service(service).name;
    match eyes.runtime.inspect(name).await {
        Ok(seen) => {
            let fact = Fact::Inspected(seen);
            eyes.handle.event(vigie_core::Event::Observed(Observation { service, at, fact })).await
        }
        Err(error) => {
            tracing::debug!(service = name, %error, "a look at it failed");
            Ok(())
        }
    }
}

/// Looks at one service on its rhythm.
pub(super) async fn inspect_regularly(eyes: Eyes, service: ServiceId, rhythm: Rhythm) {
    let mut beat = rhythm.beat();
    // The first look is `follow`'s, behind the events that were missed.
    beat.next().await;
    while eyes.stop.run_until_cancelled(beat.next()).await.is_some() {
        if inspect(&eyes, service).await.is_err() {
            return;
        }
    }
}
