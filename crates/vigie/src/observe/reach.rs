//! Decides when a runtime counts as lost although nobody was told so: an engine that hangs keeps its
//! connections open and answers nothing. Two looks in a row without an answer say so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Eyes;
use super::looks::{look, nobody_answers, tell};
use crate::engine::Stopped;
use crate::runtime::RuntimeError;

/// Shared by those who look and by the one who follows the events.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    // The round, which a new feed begins, and what was found out in it.
    lost: Mutex<(u64, Option<RuntimeError>)>,
    told: Notify,
    // Held by the one who looks again.
    looking: tokio::sync::Mutex<()>,
}

impl Reach {
    /// A look had no answer (or none was had of what a service uses). Looks again, at everything: where one service answers, another one's
    /// container is the trouble, and not the runtime.
    pub(super) async fn doubt(&self, eyes: &Eyes) -> Result<(), Stopped> {
        // Who comes while somebody looks learns nothing by looking too.
        let Ok(_looking) = self.0.looking.try_lock() else { return Ok(()) };
        let round = self.lock().0;
        let seen = look(eyes).await;
        if let Some(error) = nobody_answers(&seen) {
            let mut lost = self.lock();
            // Asked before the runtime was back: no news.
            if lost.0 == round {
                lost.1 = Some(error);
                self.0.told.notify_one();
            }
        }
        tell(eyes, seen).await
    }

    /// What was found out before does not hold for a new feed.
    pub(super) fn doubt_no_more(&self) {
        let mut lost = self.lock();
        *lost = (lost.0 + 1, None);
    }

    /// Waits until the runtime is found lost.
    pub(super) async fn lost(&self) -> RuntimeError {
        loop {
            if let Some(error) = self.lock().1.take() {
                return error;
            }
            self.0.told.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<RuntimeError>)> {
        self.0.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
