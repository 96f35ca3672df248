//! Decides what is worth remembering: the closed set of records that the journal keeps, and that
//! the state is made of. Whatever is not in here is looked up again after a restart.

use serde::{Deserialize, Serialize};

use crate::detect::SymptomKind;
use crate::incident::{Actor, Group, IncidentId, Severity};
use crate::learn::{Entry, Known};
use crate::moment::{Bounds, Moment};
use crate::observe::Probe;
use crate::respond::{Ending, Evidence, Rejected, RunId, Silence, Step, StepResult};

/// One line of the journal. It is appended before any effect that follows from it is carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Record {
    /// Vigie began to watch.
    WatchBegan {
        /// Vigie's version.
        version: String,
    },
    /// The host's clock jumped.
    ClockJumped {
        /// By how many milliseconds; negative is back.
        by_ms: i64,
    },
    /// The runtime cannot be reached.
    RuntimeLost,
    /// It can be again.
    RuntimeBack,
    /// The network of vigie's own machine does not work: silence blames nobody.
    NetworkLost,
    /// It works again.
    NetworkBack,
    /// Records that could not be written when they were made (a full disk), and are missing.
    JournalGap {
        /// How many.
        lost: u64,
    },
    /// A service's process ended.
    Exited {
        /// The service.
        service: String,
        /// Its exit code.
        exit_code: Option<i32>,
        /// Whether for memory.
        oom: bool,
        /// Who asked for it; nobody for a fault.
        asked: Option<Actor>,
        /// When it ended, as far as known: what was missed is told later than it happened. Records
        /// of before this was kept have none.
        #[serde(default)]
        at: Option<Moment>,
    },
    /// A person stopped the service, and it stays stopped.
    StoodDown {
        /// The service.
        service: String,
    },
    /// A person started it again.
    StoodUp {
        /// The service.
        service: String,
    },
    /// A start was seen from process to proof.
    BootLearned {
        /// The service.
        service: String,
        /// Milliseconds.
        took_ms: u64,
    },
    /// The service has been well for long enough to start afresh with its backoff.
    StreakEnded {
        /// The service.
        service: String,
    },
    /// A proof passed for the first time, or again after it was distrusted: its address is right.
    Proved {
        /// The service.
        service: String,
        /// The proof.
        proof: Probe,
    },
    /// A proof has failed alone for so long that its failures say nothing any more.
    Distrusted {
        /// The service.
        service: String,
        /// The proof.
        proof: Probe,
    },
    /// A Lua error signature was seen for the first time.
    SignatureSeen {
        /// The service.
        service: String,
        /// The signature.
        signature: u64,
        /// What it looks like.
        sample: String,
    },
    /// The service's container has another name now.
    Renamed {
        /// The service.
        service: String,
        /// Its new name.
        to: String,
    },
    /// A person declared maintenance, or ended it.
    Maintenance {
        /// Until when; `None` ends it.
        until: Option<Moment>,
        /// Who.
        by: Actor,
    },
    /// An incident was opened.
    IncidentOpened {
        /// Its number.
        incident: IncidentId,
        /// The service at the root of it.
        service: String,
        /// The kind of cause.
        group: Group,
        /// How bad.
        severity: Severity,
        /// One line for people.
        title: String,
        /// Players on the games of the stack as last counted before it; records of before this was
        /// kept have none.
        #[serde(default)]
        players: Option<u32>,
    },
    /// A symptom began.
    SymptomBegan {
        /// In which incident.
        incident: IncidentId,
        /// On which service.
        service: String,
        /// What.
        kind: SymptomKind,
        /// When.
        started: Bounds,
        /// What it looks like.
        detail: String,
    },
    /// A symptom ended.
    SymptomEnded {
        /// In which incident.
        incident: IncidentId,
        /// On which service.
        service: String,
        /// What.
        kind: SymptomKind,
    },
    /// It is worse than it was.
    SeverityRaised {
        /// The incident.
        incident: IncidentId,
        /// How bad now.
        severity: Severity,
        /// What made it so, in one line, where that is the root's own symptom.
        title: Option<String>,
    },
    /// The cause turned out to lie elsewhere.
    Rerooted {
        /// The incident.
        incident: IncidentId,
        /// The service that is the cause.
        service: String,
        /// The kind of cause.
        group: Group,
        /// One line for people.
        title: String,
    },
    /// It turned out to have the cause of another one, of which it is a part from now on.
    Merged {
        /// The incident, which is resolved by this.
        incident: IncidentId,
        /// The one with the cause.
        into: IncidentId,
    },
    /// A restored incident came back.
    Relapsed {
        /// The incident.
        incident: IncidentId,
    },
    /// Somebody took it in hand.
    Acknowledged {
        /// The incident.
        incident: IncidentId,
        /// Who.
        by: Actor,
    },
    /// Somebody wrote something down.
    Noted {
        /// The incident.
        incident: IncidentId,
        /// Who.
        by: Actor,
        /// What.
        text: String,
    },
    /// Nobody took it in hand in time.
    Overdue {
        /// The incident.
        incident: IncidentId,
    },
    /// Nobody had it in hand, and these channels were told.
    EscalatedTo {
        /// The incident.
        incident: IncidentId,
        /// How far up, from 1; the last level is told again and again.
        level: u32,
        /// The channels.
        to: Vec<String>,
    },
    /// A channel was told something that rings.
    Notified {
        /// Of which incident.
        incident: IncidentId,
        /// The channel.
        channel: String,
        /// What, in a word; and why not, where it refused.
        occasion: String,
    },
    /// People were reminded of the corrective actions that are open.
    ActionsReminded {
        /// How many.
        open: u32,
        /// Those of them that are past their day.
        late: u32,
        /// The first of them, one line each.
        actions: Vec<String>,
    },
    /// A channel takes nothing any more.
    ChannelStopped {
        /// The channel.
        channel: String,
        /// Why.
        why: String,
    },
    /// It was handed to a person.
    Escalated {
        /// The incident.
        incident: IncidentId,
        /// Why.
        why: String,
    },
    /// It was verified stable.
    Restored {
        /// The incident.
        incident: IncidentId,
        /// The first good look of that stability.
        at: Moment,
        /// What players see now.
        view: String,
    },
    /// It is over.
    Resolved {
        /// The incident.
        incident: IncidentId,
        /// Who said so.
        by: Actor,
    },
    /// It is over and written up.
    Closed {
        /// The incident.
        incident: IncidentId,
        /// Who said so.
        by: Actor,
    },
    /// Somebody told of an incident that happened before vigie watched.
    KnownLearned {
        /// What is known of it.
        known: Box<Known>,
        /// Who.
        by: Actor,
    },
    /// Somebody wrote an entry into the development journal.
    Journaled {
        /// The entry.
        entry: Box<Entry>,
        /// Who.
        by: Actor,
    },
    /// The stack works without a service, or fully again.
    Degraded {
        /// The missing service.
        service: String,
        /// Whether it is missing.
        on: bool,
    },
    /// A run began.
    RunStarted {
        /// Its number.
        run: RunId,
        /// For which incident.
        incident: IncidentId,
        /// On which service.
        service: String,
        /// By which runbook.
        runbook: String,
        /// Who asked for it.
        by: Actor,
    },
    /// The evidence is complete, and a case was chosen from it, or none.
    CaseChosen {
        /// The run.
        run: RunId,
        /// The evidence.
        evidence: Box<Evidence>,
        /// The chosen case.
        case: Option<String>,
        /// The others, with why not.
        rejected: Vec<Rejected>,
    },
    /// A person is asked.
    ApprovalAsked {
        /// The run.
        run: RunId,
        /// Until when.
        until: Moment,
        /// What is to be done.
        plan: Vec<String>,
        /// What is made of their silence.
        #[serde(default, skip_serializing_if = "Silence::is_no")]
        silence: Silence,
    },
    /// A person answered; or vigie did, because nobody else had in time.
    ApprovalGiven {
        /// The run.
        run: RunId,
        /// Who.
        by: Actor,
        /// Yes or no.
        granted: bool,
        /// The case that makes a yes of silence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<String>,
    },
    /// The run waits for its budget, or for another run.
    RunWaits {
        /// The run.
        run: RunId,
        /// Until when, as far as known.
        until: Moment,
        /// For what.
        why: String,
    },
    /// A step is about to be carried out.
    StepIntended {
        /// The run.
        run: RunId,
        /// The step.
        step: Step,
        /// Whether it takes an earlier one back.
        undo: bool,
    },
    /// It was carried out, or not.
    StepEnded {
        /// The run.
        run: RunId,
        /// How it went.
        result: StepResult,
    },
    /// The service is watched for the proof.
    VerifyBegan {
        /// The run.
        run: RunId,
        /// Until when it has to be well.
        until: Moment,
    },
    /// The verify failed, and what was done is taken back.
    UndoBegan {
        /// The run.
        run: RunId,
        /// Why.
        why: String,
    },
    /// The run is over.
    RunEnded {
        /// The run.
        run: RunId,
        /// How.
        ending: Ending,
        /// Why, in one line.
        why: String,
    },
}

impl Record {
    /// The incident it belongs to, where it names one.
    #[must_use]
    pub const fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::IncidentOpened { incident, .. }
            | Self::SymptomBegan { incident, .. }
            | Self::SymptomEnded { incident, .. }
            | Self::SeverityRaised { incident, .. }
            | Self::Rerooted { incident, .. }
            | Self::Merged { incident, .. }
            | Self::Relapsed { incident }
            | Self::Acknowledged { incident, .. }
            | Self::Noted { incident, .. }
            | Self::Overdue { incident }
            | Self::EscalatedTo { incident, .. }
            | Self::Notified { incident, .. }
            | Self::Escalated { incident, .. }
            | Self::Restored { incident, .. }
            | Self::Resolved { incident, .. }
            | Self::Closed { incident, .. }
            | Self::RunStarted { incident, .. } => Some(*incident),
            _ => None,
        }
    }

    /// The run it belongs to, where it names one.
    #[must_use]
    pub const fn run(&self) -> Option<RunId> {
        match self {
            Self::RunStarted { run, .. }
            | Self::CaseChosen { run, .. }
            | Self::ApprovalAsked { run, .. }
            | Self::ApprovalGiven { run, .. }
            | Self::RunWaits { run, .. }
            | Self::StepIntended { run, .. }
            | Self::StepEnded { run, .. }
            | Self::VerifyBegan { run, .. }
            | Self::UndoBegan { run, .. }
            | Self::RunEnded { run, .. } => Some(*run),
            _ => None,
        }
    }
}
