//! Decides what goes into the engine and what comes out of it.

use crate::incident::{Actor, IncidentId, Severity};
use crate::learn::{Entry, Known};
use crate::moment::Moment;
use crate::observe::{Observation, Probe};
use crate::record::Record;
use crate::respond::{Evidence, RunId, Step, StepResult};
use crate::stack::ServiceId;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Vigie began to watch, with the state rebuilt from the journal.
    Began {
        /// Vigie's version.
        version: String,
    },
    /// A probe or an event source reported.
    Observed(Observation),
    /// The evidence for a run is complete.
    Collected {
        /// The run.
        run: RunId,
        /// What was found.
        evidence: Box<Evidence>,
    },
    /// A step was carried out, or not.
    StepEnded {
        /// The run.
        run: RunId,
        /// How it went.
        result: StepResult,
    },
    /// A person wants something.
    Ordered(Order),
    /// Something that happened beside the engine and belongs into the record: a message was told.
    Recorded(Record),
    /// The host's clock jumped by so many milliseconds.
    ClockJumped(i64),
    /// The journal could not be written for so many records, and can be again.
    JournalGap(u64),
    /// Time passed.
    Tick,
}

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// To take an incident in hand.
    Acknowledge(IncidentId, Actor),
    /// To write something down.
    Note(IncidentId, Actor, String),
    /// To report what no detector saw.
    Report {
        /// Where.
        service: ServiceId,
        /// How bad.
        severity: Severity,
        /// What.
        text: String,
        /// Who.
        by: Actor,
    },
    /// To declare an incident over.
    Resolve(IncidentId, Actor),
    /// To file it.
    Close(IncidentId, Actor),
    /// To answer an approval.
    Approve {
        /// The run.
        run: RunId,
        /// Yes or no.
        granted: bool,
        /// Who.
        by: Actor,
    },
    /// To run a runbook now.
    Run {
        /// On which service.
        service: ServiceId,
        /// Which one.
        runbook: String,
        /// Who.
        by: Actor,
    },
    /// To add incidents to what is known.
    Learn(Vec<Known>, Actor),
    /// To write an entry into the development journal.
    Journal(Entry, Actor),
    /// To declare maintenance until then, or to end it.
    Maintenance(Option<Moment>, Actor),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Collect evidence and report [`Event::Collected`].
    Collect {
        /// For this run.
        run: RunId,
        /// Of this service.
        service: ServiceId,
    },
    /// Carry a step out and report [`Event::StepEnded`].
    Execute {
        /// For this run.
        run: RunId,
        /// On this service.
        service: ServiceId,
        /// The step.
        step: Step,
    },
    /// Give the run's present step up; it has taken too long.
    Abort {
        /// The run.
        run: RunId,
    },
    /// Look now, out of turn.
    Look {
        /// At this service.
        service: ServiceId,
        /// In this way.
        probe: Probe,
    },
    /// Look more often, or as usual again.
    Hasten {
        /// At this service.
        service: ServiceId,
        /// Whether more often.
        on: bool,
    },
}

/// What follows from an event: records to append first, then acts to carry out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// To be in the journal before any act.
    pub records: Vec<Record>,
    /// To be carried out, in order.
    pub acts: Vec<Act>,
    /// What to tell the person whose order this was.
    pub reply: Option<Result<String, String>>,
}
