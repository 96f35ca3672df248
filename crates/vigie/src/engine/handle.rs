//! Does: the way to the task that owns the state, for everybody else.

use tokio::sync::{broadcast, mpsc, oneshot};
use vigie_core::Record;
use vigie_core::event::{Event, Order};
use vigie_core::notify::{NoticeId, Outcome};
use vigie_core::observe::{Fact, Observation};
use vigie_core::respond::Evidence;
use vigie_core::stack::ServiceId;

use super::{Message, Rehearsal, Told};
use crate::clock::Clock;
use crate::report::Status;

/// The task has stopped; nothing can be asked of it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the watch has stopped")]
pub struct Stopped;

/// A way to the task; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    sender: mpsc::Sender<Message>,
    told: broadcast::Sender<Told>,
}

impl Handle {
    pub(super) const fn new(sender: mpsc::Sender<Message>, told: broadcast::Sender<Told>) -> Self {
        Self { sender, told }
    }

    /// Tells that something happened.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn event(&self, event: Event) -> Result<(), Stopped> {
        self.sender.send(Message::Event(event)).await.map_err(|_| Stopped)
    }

    /// Tells what was seen just now.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn saw(&self, clock: &Clock, service: ServiceId, fact: Fact) -> Result<(), Stopped> {
        let at = clock.now();
        self.event(Event::Observed(Observation { service, at, fact })).await
    }

    /// Gives a person's order; the answer is what to tell them.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn order(&self, order: Order) -> Result<Result<String, String>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.sender.send(Message::Order(order, answer)).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// What would follow if a person ran `runbook` on `service` now and `evidence` were found.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn rehearse(
        &self,
        service: ServiceId,
        runbook: String,
        evidence: Box<Evidence>,
    ) -> Result<Result<Vec<Record>, String>, Stopped> {
        let (answer, answered) = oneshot::channel();
        let asked = Box::new(Rehearsal { service, runbook, evidence, answer });
        self.sender.send(Message::Rehearse(asked)).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// Tells what became of a letter.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn settled(&self, id: NoticeId, outcome: Outcome) -> Result<(), Stopped> {
        self.sender.send(Message::Settled(id, outcome)).await.map_err(|_| Stopped)
    }

    /// How things are.
    ///
    /// # Errors
    /// When the task has stopped.
    pub async fn status(&self) -> Result<Box<Status>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.sender.send(Message::Status(answer)).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// Every record from now on, as soon as it was appended.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// Stops the task, when what it was sent before is done.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.sender.send(Message::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
    }
}
