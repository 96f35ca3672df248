//! Does: when to look: on a regular beat, at once when asked, and quickly while a repair is being
//! verified.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The beat while a repair is being verified.
const QUICK: Duration = Duration::from_millis(250);

/// One look's rhythm; cheap to clone.
#[derive(Debug, Clone)]
pub struct Rhythm {
    every: Duration,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    quick: AtomicBool,
    nudge: Notify,
}

impl Rhythm {
    /// A look every `every`.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self { every, shared: Arc::default() }
    }

    /// Whether it hardly looks by itself.
    pub(super) fn on_demand(&self) -> bool {
        self.every >= super::GREETING_EVERY
    }

    /// Looks out of turn.
    pub fn now(&self) {
        self.shared.nudge.notify_one();
    }

    /// Looks more often, or as usual again.
    pub fn hasten(&self, on: bool) {
        self.shared.quick.store(on, Ordering::Relaxed);
        if on {
            self.now();
        }
    }

    /// The beats of this rhythm, for the one task that looks.
    #[must_use]
    pub fn beat(&self) -> Beat {
        Beat { rhythm: self.clone(), last: None }
    }
}

/// The beats, one after the other. A look that takes longer than the rhythm delays the next one,
/// it never piles up.
#[derive(Debug)]
pub struct Beat {
    rhythm: Rhythm,
    last: Option<Instant>,
}

impl Beat {
    /// Waits for the next beat. The first one is at once.
    pub async fn next(&mut self) {
        if let Some(last) = self.last {
            let every = if self.rhythm.shared.quick.load(Ordering::Relaxed) {
                QUICK.min(self.rhythm.every)
            } else {
                self.rhythm.every
            };
            tokio::select! {
                () = tokio::time::sleep_until(last + every) => {}
                () = self.rhythm.shared.nudge.notified() => {}
            }
        }
        self.last = Some(Instant::now());
    }
}
