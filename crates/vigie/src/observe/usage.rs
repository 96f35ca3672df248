//! Does: the services' CPU and memory, as their runtime counts them.

use std::time::Duration;

use vigie_core::observe::Fact;

use super::Eyes;
use super::reach::Reach;

const EVERY: Duration = Duration::from_secs(5);
/// Above this many services they are asked in turns, so that one round never is a burst.
const AT_ONCE: usize = 16;

pub(super) async fn watch(eyes: Eyes, reach: Reach) {
    let services: Vec<_> =
        eyes.config.stack.services().map(|(id, service)| (id, service.name.clone())).collect();
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        for some in services.chunks(AT_ONCE) {
            let looks = some.iter().map(|(id, name)| {
                let eyes = &eyes;
                async move {
                    let usage = match eyes.runtime.usage(name).await {
                        Ok(Some(usage)) => usage,
                        Ok(None) => return true,
                        Err(error) => return !error.is_retryable(),
                    };
                    let fact = Fact::Usage {
                        cpu_pct: usage.cpu_pct,
                        mem_bytes: usage.mem_bytes,
                        mem_limit: usage.mem_limit,
                    };
                    let _ = eyes.handle.saw(&eyes.clock, *id, fact).await;
                    true
                }
            });
            // Asked more often than how a service is, so a runtime that hangs shows here first.
            if futures_util::future::join_all(looks).await.contains(&false)
                && reach.doubt(&eyes).await.is_err()
            {
                return;
            }
        }
    }
}
