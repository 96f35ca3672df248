//! Decides what an incident is: one cause, one or more symptoms, a severity, a lifecycle. How
//! symptoms become incidents is in [`crate::engine`].

mod severity;

use serde::{Deserialize, Serialize};

pub use severity::{Impact, Probability, Severity, risk};

use crate::detect::SymptomKind;
use crate::moment::{Bounds, Moment};
use crate::respond::RunId;

/// An incident's number, counted from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct IncidentId(pub u64);

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Symptoms of one group on one service have one cause until proven otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// It does not serve.
    Availability,
    /// It serves badly.
    Performance,
    /// Its scripts fail.
    Errors,
    /// Somebody abuses it.
    Abuse,
    /// It is not what it should be.
    Drift,
    /// The host is short of memory.
    HostMemory,
    /// The host is short of disk.
    Disk,
    /// What is kept of it is not as it should be.
    Backup,
}

impl Group {
    /// The word used in the register.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Performance => "performance",
            Self::Errors => "errors",
            Self::Abuse => "abuse",
            Self::Drift => "drift",
            Self::HostMemory => "host_memory",
            Self::Disk => "disk",
            Self::Backup => "backup",
        }
    }
}

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Detected; nobody has it in hand.
    Open,
    /// A runbook is at work.
    Repairing,
    /// Handed to a person.
    Escalated,
    /// Verified stable; watched for a relapse.
    Restored,
    /// Over.
    Resolved,
    /// Over, and the lessons are written.
    Closed,
}

impl Lifecycle {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Repairing,
        Self::Escalated,
        Self::Restored,
        Self::Resolved,
        Self::Closed,
    ];

    /// Whether something is still wrong.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Open | Self::Repairing | Self::Escalated)
    }

    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Repairing => "repairing",
            Self::Escalated => "escalated",
            Self::Restored => "restored",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Vigie by itself.
    Vigie,
    /// A runbook, by name.
    Runbook(String),
    /// A person, by name.
    Person(String),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vigie => f.write_str("vigie"),
            Self::Runbook(name) => write!(f, "runbook {name}"),
            Self::Person(name) => f.write_str(name),
        }
    }
}

/// One symptom of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symptom {
    /// The service that shows it.
    pub service: String,
    /// What it is.
    pub kind: SymptomKind,
    /// When it began.
    pub started: Bounds,
    /// When it was recorded.
    pub began: Moment,
    /// When it ended, if it did.
    pub until: Option<Moment>,
    /// What it looked like.
    pub detail: String,
}

/// How often a case was tried on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The service.
    pub service: String,
    /// The runbook.
    pub runbook: String,
    /// The case.
    pub case: String,
    /// Runs that came to a verdict.
    pub times: u32,
    /// Those of them that failed.
    pub failed: u32,
}

impl Tried {
    fn is(&self, service: &str, runbook: &str, case: &str) -> bool {
        self.service == service && self.runbook == runbook && self.case == case
    }
}

/// An incident as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// The service at the root of it.
    pub service: String,
    /// What kind of cause.
    pub group: Group,
    /// The worst it has been.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// One line for people.
    pub title: String,
    /// Every symptom it has shown, oldest first.
    pub symptoms: Vec<Symptom>,
    /// When it was opened.
    pub detected: Moment,
    /// Players on the games of the stack as last counted before it.
    #[serde(default)]
    pub players: Option<u32>,
    /// Who took it in hand, first.
    pub acknowledged: Option<(Moment, Actor)>,
    /// Whether a person has it in hand.
    pub claimed: bool,
    /// The person who took it in hand last, and when.
    #[serde(default)]
    pub holder: Option<(Moment, Actor)>,
    /// When it was last verified stable, counted from the first good look of that stability.
    pub restored: Option<Moment>,
    /// What players saw when it was.
    #[serde(default)]
    pub view: Option<String>,
    /// When it was resolved.
    pub resolved: Option<Moment>,
    /// Who resolved it.
    #[serde(default)]
    pub resolved_by: Option<Actor>,
    /// Times it came back after it was restored.
    pub relapses: u32,
    /// Its last runs, oldest first.
    pub runs: Vec<RunId>,
    /// How often each case was tried in it, over all of its runs.
    #[serde(default)]
    pub tried: Vec<Tried>,
    /// When it was handed to a person, if ever since it last worked.
    pub escalated: Option<Moment>,
    /// Whether its target was missed and said so.
    pub overdue: bool,
    /// How many levels of the escalation were told.
    #[serde(default)]
    pub level: u32,
    /// When a level was last told.
    #[serde(default)]
    pub told: Option<Moment>,
    /// When its severity was last raised.
    pub raised: Option<Moment>,
    /// When it last changed between being active and not.
    pub turned: Moment,
}

impl Incident {
    /// Symptoms that are kept.
    const SYMPTOMS: usize = 128;

    /// When it began: the bounds of its first symptom.
    #[must_use]
    pub fn started(&self) -> Bounds {
        let first = self.symptoms.iter().min_by_key(|symptom| symptom.started.latest);
        first.map_or(Bounds::exactly(self.detected), |symptom| symptom.started)
    }

    /// From when on it is counted how long it is in nobody's hands: since it began or came back, since
    /// a runbook that had it gave up, or since it got worse.
    #[must_use]
    pub fn waits_since(&self) -> Moment {
        let given_up = self.acknowledged.as_ref().and(self.escalated);
        let from = given_up.unwrap_or(self.turned);
        self.raised.map_or(from, |raised| from.max(raised))
    }

    /// The symptoms that have not ended.
    pub fn active(&self) -> impl DoubleEndedIterator<Item = &Symptom> {
        self.symptoms.iter().filter(|symptom| symptom.until.is_none())
    }

    /// The symptoms that lasted when a person declared it over.
    pub fn silenced(&self) -> impl Iterator<Item = &Symptom> {
        let by_person = matches!(self.resolved_by, Some(Actor::Person(_)));
        self.symptoms.iter().filter(move |one| by_person && one.until == self.resolved)
    }

    /// Whether it ever showed the same as `symptom`.
    #[must_use]
    pub fn has(&self, symptom: &Symptom) -> bool {
        self.first_shown(&symptom.service, symptom.kind).is_some()
    }

    /// When `service` first showed `kind` in it.
    #[must_use]
    pub fn first_shown(&self, service: &str, kind: SymptomKind) -> Option<Moment> {
        let shown = self.symptoms.iter();
        let mut same = shown.filter(|shown| shown.service == service && shown.kind == kind);
        same.next().map(|shown| shown.began)
    }

    /// How often `case` of `runbook` was tried on `service` in it, if it was.
    #[must_use]
    pub fn tried(&self, service: &str, runbook: &str, case: &str) -> Option<&Tried> {
        self.tried.iter().find(|tried| tried.is(service, runbook, case))
    }

    /// Counts one more verdict.
    pub(crate) fn count(&mut self, service: &str, runbook: &str, case: &str, failed: bool) {
        let at = self.tried.iter().position(|tried| tried.is(service, runbook, case));
        let at = at.unwrap_or_else(|| {
            let (service, runbook) = (service.to_owned(), runbook.to_owned());
            let case = case.to_owned();
            self.tried.push(Tried { service, runbook, case, times: 0, failed: 0 });
            self.tried.len() - 1
        });
        self.tried[at].times = self.tried[at].times.saturating_add(1);
        self.tried[at].failed = self.tried[at].failed.saturating_add(u32::from(failed));
    }

    /// Adds a symptom; of one that comes and goes without end the first and the last are kept.
    pub(crate) fn show(&mut self, symptom: Symptom) {
        if self.symptoms.len() >= Self::SYMPTOMS {
            let repeated = |(at, shown): &(usize, &Symptom)| {
                let same =
                    |other: &Symptom| (&other.service, other.kind) == (&shown.service, shown.kind);
                shown.until.is_some() && self.symptoms[..*at].iter().any(same)
            };
            if let Some((at, _)) = self.symptoms.iter().enumerate().find(repeated) {
                self.symptoms.remove(at);
            }
        }
        self.symptoms.push(symptom);
    }

    /// Whether `service` shows `kind` in it now.
    #[must_use]
    pub fn shows(&self, service: &str, kind: SymptomKind) -> bool {
        self.active().any(|symptom| symptom.service == service && symptom.kind == kind)
    }
}
