//! Does: owns the state. One task takes every event in turn, appends what the core recorded, then
//! hands out what is to be done. Nobody else touches the engine or the journal.

mod desk;
mod handle;

use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};
use vigie_core::event::{Act, Effects, Event, Order};
use vigie_core::notify::{Change, NoticeId, Outcome};
use vigie_core::respond::Evidence;
use vigie_core::stack::ServiceId;
use vigie_core::{Engine, Moment, Record};

pub use desk::{Desk, Letterhead, NoPost, Post};
pub use handle::{Handle, Stopped};

use crate::clock::Clock;
use crate::report::{self, Status};
use crate::store::Journal;

/// Time between two looks at the host's clock and two tries of a journal that cannot be written.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// Time between two clean-ups of the journal.
const RETENTION: Duration = Duration::from_secs(3600);

/// What the task is sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something happened.
    Event(Event),
    /// A person wants something; the answer goes back.
    Order(Order, oneshot::Sender<Result<String, String>>),
    /// Somebody wants to know what a runbook would do on a service with this evidence.
    Rehearse(Box<Rehearsal>),
    /// What became of a letter.
    Settled(NoticeId, Outcome),
    /// Somebody wants to know how things are.
    Status(oneshot::Sender<Box<Status>>),
    /// Carry nothing out any more; answered when the journal is closed.
    Stop(oneshot::Sender<()>),
}

/// A runbook that is not carried out, only thought through.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    service: ServiceId,
    runbook: String,
    evidence: Box<Evidence>,
    answer: oneshot::Sender<Result<Vec<Record>, String>>,
}

/// A record, told to whoever listens, once it was appended.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When.
    pub at: Moment,
    /// What.
    pub record: Record,
    /// How bad the incident is that it belongs to.
    pub severity: Option<vigie_core::incident::Severity>,
    /// The incident that it belongs to, also through its run.
    pub incident: Option<vigie_core::incident::IncidentId>,
    /// The service that it is about, also through its incident or run.
    pub service: Option<String>,
}

/// Carries acts out. The engine's task only hands them over: it never waits for one.
pub trait Hands: Send + 'static {
    /// Takes one act.
    fn take(&mut self, act: Act);
}

/// The task's own things.
pub struct Driver<H> {
    engine: Engine,
    journal: Journal,
    clock: Clock,
    hands: H,
    desk: Desk,
    mailbox: mpsc::Receiver<Message>,
    told: broadcast::Sender<Told>,
    keep: Duration,
    journal_fails: bool,
    retained: Moment,
}

impl<H> std::fmt::Debug for Driver<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("state", self.engine.state()).finish_non_exhaustive()
    }
}

/// The way to the task, before it runs.
#[derive(Debug)]
pub struct Mailbox {
    receiver: mpsc::Receiver<Message>,
    told: broadcast::Sender<Told>,
}

/// Makes the task's mailbox, so that the hands can have its handle before the task is made.
#[must_use]
pub fn mailbox() -> (Handle, Mailbox) {
    let (sender, receiver) = mpsc::channel(4096);
    let (told, _) = broadcast::channel(4096);
    (Handle::new(sender, told.clone()), Mailbox { receiver, told })
}

impl<H: Hands> Driver<H> {
    /// A task for `engine`; it goes on where `journal` ends.
    #[must_use]
    pub fn new(
        engine: Engine,
        journal: Journal,
        clock: Clock,
        hands: H,
        desk: Desk,
        mailbox: Mailbox,
        keep: Duration,
    ) -> Self {
        let retained = clock.now();
        let journal_fails = !journal.is_open();
        Self {
            engine,
            journal,
            clock,
            hands,
            desk,
            mailbox: mailbox.receiver,
            told: mailbox.told,
            keep,
            journal_fails,
            retained,
        }
    }

    /// Runs until it is told to stop or nobody is left to tell it anything.
    pub async fn run(mut self) {
        self.event(Event::Began { version: env!("CARGO_PKG_VERSION").to_owned() });
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.wake().map(|moment| self.clock.instant_of(moment));
            let wake = wake.map(tokio::time::Instant::from_std);
            tokio::select! {
                message = self.mailbox.recv() => match message {
                    None => break,
                    Some(Message::Stop(done)) => {
                        let _ = done.send(());
                        break;
                    }
                    Some(message) => self.message(message),
                },
                () = sleep_until(wake) => self.event(Event::Tick),
                _ = housekeeping.tick() => self.housekeep(),
            }
        }
        if let Err(error) = self.journal.flush(self.engine.state()) {
            tracing::error!(%error, "the last records could not be written");
        }
    }

    /// When the engine or the desk has something to do at the latest.
    fn wake(&self) -> Option<Moment> {
        let told = self.desk.next_wake(self.clock.now(), self.clock.minute_of_day());
        [self.engine.next_wake(), told].into_iter().flatten().min_by_key(|at| at.steady)
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Event(event) => self.event(event),
            Message::Rehearse(asked) => {
                let Rehearsal { service, runbook, evidence, answer } = *asked;
                let now = self.clock.now();
                let _ = answer.send(self.engine.rehearse(now, service, &runbook, evidence));
            }
            Message::Settled(id, outcome) => self.settled(id, outcome),
            Message::Order(order, answer) => {
                let reply = self.handle(Event::Ordered(order));
                let _ = answer.send(reply.unwrap_or_else(|| Ok(String::new())));
            }
            Message::Status(answer) => {
                let status =
                    report::status(&self.engine, self.journal.waiting(), self.desk.channels());
                let _ = answer.send(Box::new(status));
            }
            Message::Stop(_) => {}
        }
    }

    fn event(&mut self, event: Event) {
        self.handle(event);
    }

    fn handle(&mut self, event: Event) -> Option<Result<String, String>> {
        let now = self.clock.now();
        let Effects { records, acts, reply } = self.engine.handle(now, event);
        if !records.is_empty() {
            let changes = self.desk.heed(now, &records, self.engine.state());
            self.append(now, &records, &changes);
            for record in records {
                // Nobody listening is no fault.
                let _ = self.told.send(self.tell(now, record));
            }
        }
        for act in acts {
            self.hands.take(act);
        }
        let (minute, state) = (self.clock.minute_of_day(), self.engine.state());
        // A letter may need the register, and that the disk.
        tokio::task::block_in_place(|| self.desk.send(now, minute, state));
        reply
    }

    fn settled(&mut self, id: NoticeId, outcome: Outcome) {
        let now = self.clock.now();
        let (changes, records) = self.desk.settle(now, id, outcome);
        if !changes.is_empty() {
            self.append(now, &[], &changes);
        }
        if records.is_empty() {
            self.event(Event::Tick);
        }
        for record in records {
            self.event(Event::Recorded(record));
        }
    }

    fn tell(&self, at: Moment, record: Record) -> Told {
        let state = self.engine.state();
        let run = record.run().and_then(|id| state.runs.get(&id));
        let id = record.incident().or(run.map(|run| run.incident));
        let incident = id.and_then(|id| state.incidents.get(&id));
        let service = run.map(|run| run.service.clone());
        let service = service.or_else(|| incident.map(|incident| incident.service.clone()));
        Told { at, record, severity: incident.map(|one| one.severity), incident: id, service }
    }

    /// Append, then act. A journal that cannot be written stops nothing: the watch and the repairs
    /// go on, and it is said loudly.
    fn append(&mut self, now: Moment, records: &[Record], changes: &[Change]) {
        let state = self.engine.state();
        // SQLite may wait for the disk; the other tasks must not wait with it.
        let written =
            tokio::task::block_in_place(|| self.journal.append(now, records, changes, state));
        self.heed(written.err());
    }

    fn heed(&mut self, error: Option<crate::store::JournalError>) {
        match error {
            Some(error) if !self.journal_fails => {
                self.journal_fails = true;
                tracing::error!(%error, "THE JOURNAL CANNOT BE WRITTEN; the watch goes on without it");
            }
            None if self.journal_fails => {
                self.journal_fails = false;
                tracing::warn!("the journal can be written again; what waited was written");
                let lost = self.journal.take_lost();
                if lost > 0 {
                    self.event(Event::JournalGap(lost));
                }
            }
            _ => {}
        }
    }

    fn housekeep(&mut self) {
        if let Some(by_ms) = self.clock.jumped() {
            tracing::warn!(by_ms, "the host's clock jumped; lengths of time are not affected");
            self.event(Event::ClockJumped(by_ms));
        }
        if self.journal_fails {
            let state = self.engine.state();
            let flushed = tokio::task::block_in_place(|| self.journal.flush(state));
            self.heed(flushed.err());
        }
        let now = self.clock.now();
        if now.since(self.retained) >= RETENTION {
            self.retained = now;
            self.desk.forget_old(self.engine.state());
            let keep = i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX);
            let before = Moment { steady: now.steady - keep, wall: now.wall - keep };
            let journal = &mut self.journal;
            if let Err(error) = tokio::task::block_in_place(|| journal.retain(before)) {
                tracing::warn!(%error, "old records could not be removed");
            }
        }
    }
}

async fn sleep_until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
