//! Does: looks at the services through their runtime, and tells what was seen.

use vigie_core::Moment;
use vigie_core::observe::{Fact, Inspection, Observation};
use vigie_core::stack::ServiceId;

use super::Eyes;
use crate::engine::Stopped;
use crate::runtime::RuntimeError;

/// Looks that are under way at a time, so that a round never is a burst.
const AT_ONCE: usize = 16;

/// One look.
pub(super) struct Seen {
    service: ServiceId,
    // When it was asked.
    at: Moment,
    answer: Result<Inspection, RuntimeError>,
}

impl Seen {
    /// Why there was no answer.
    pub(super) fn error(&self) -> Option<&RuntimeError> {
        self.answer.as_ref().err()
    }
}

/// Looks at one service.
pub(super) async fn look_at(eyes: &Eyes, service: ServiceId) -> Seen {
    let at = eyes.clock.now();
    let answer = eyes.runtime.inspect(&eyes.config.stack.service(service).name).await;
    Seen { service, at, answer }
}

/// Looks at every service; at some only, when none of these has an answer.
pub(super) async fn look(eyes: &Eyes) -> Vec<Seen> {
    let services: Vec<_> = eyes.config.stack.services().map(|(id, _)| id).collect();
    let mut seen = Vec::with_capacity(services.len());
    for some in services.chunks(AT_ONCE) {
        let looks = some.iter().map(|id| look_at(eyes, *id));
        seen.extend(futures_util::future::join_all(looks).await);
        if nobody_answers(&seen).is_some() {
            break;
        }
    }
    seen
}

/// The error of a runtime that answered none of these looks. One that answers some is there: it is a
/// container that has trouble then.
pub(super) fn nobody_answers(seen: &[Seen]) -> Option<RuntimeError> {
    let silent = |seen: &Seen| seen.error().is_some_and(RuntimeError::is_retryable);
    seen.iter().all(silent).then(|| seen.first()?.error().cloned()).flatten()
}

/// Tells what was seen.
pub(super) async fn tell(eyes: &Eyes, seen: Vec<Seen>) -> Result<(), Stopped> {
    for Seen { service, at, answer } in seen {
        if let Ok(inspection) = answer {
            let fact = Fact::Inspected(inspection);
            let seen = Observation { service, at, fact };
            eyes.handle.event(vigie_core::Event::Observed(seen)).await?;
        }
    }
    Ok(())
}
