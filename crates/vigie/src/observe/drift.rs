//! Does: compares what runs with what the compose file says, now and then, and whenever something has
//! been started.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use vigie_core::observe::Fact;

use super::Eyes;

const EVERY: Duration = Duration::from_secs(60);
/// Between a start and the look that it brings about: others follow it, and a crash loop has many.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) async fn watch(eyes: Eyes, fresh: Arc<Notify>) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = async {
            tokio::select! {
                _ = beat.tick() => {}
                () = fresh.notified() => tokio::time::sleep(SETTLE).await,
            }
        };
        if eyes.stop.run_until_cancelled(next).await.is_none() {
            return;
        }
        for (id, service) in eyes.config.stack.services() {
            match eyes.runtime.drift(&service.name).await {
                Ok(differences) => {
                    let fact = Fact::Drift(differences);
                    if eyes.handle.saw(&eyes.clock, id, fact).await.is_err() {
                        return;
                    }
                }
                // A compose file that has become invalid is said once a minute, and nothing of
                // what runs is touched because of it.
                Err(error) => tracing::warn!(service = service.name, %error, "drift is not known"),
            }
        }
    }
}
