//! Decides what a runbook is: the written procedure for some symptoms of some role. The text form
//! is TOML, one file a runbook; reading files is the other floor's work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::SymptomKind;
use crate::respond::{Condition, Evidence, Rejected, Step};
use crate::stack::Role;

/// A text in the two languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// French; English is shown where it is missing.
    #[serde(default)]
    pub fr: Option<String>,
}

/// How much can go wrong when a case is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Done without asking in `auto` mode.
    #[default]
    Low,
    /// A person is asked first.
    High,
}

/// What is made of it when a person was asked, and nobody answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// A no: it is left, and handed to a person.
    #[default]
    Refuse,
    /// A yes to the case, and to no more: the guard and the budget are asked as if nobody had been.
    Approve,
}

impl Silence {
    /// Whether it is a no.
    #[must_use]
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::Refuse)
    }
}

/// What proves a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// How long the service has to become well; the learned boot time is added.
    #[serde(with = "crate::span")]
    pub within: Duration,
    /// How long it must then stay well without a break.
    #[serde(with = "crate::span")]
    pub stable: Duration,
}

impl Default for Verify {
    fn default() -> Self {
        Self { within: Duration::from_secs(180), stable: Duration::from_secs(2) }
    }
}

/// One case: when it applies, and what is then done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A short name, unique in its runbook: `A`, `B`, …
    pub id: String,
    /// One line for people.
    pub title: Text,
    /// All of these must hold on the evidence.
    pub when: Vec<Condition>,
    /// What is done, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How much can go wrong.
    #[serde(default)]
    pub risk: Risk,
    /// How long a person who is asked has to answer; as long as in all of the stack where missing.
    #[serde(default, with = "crate::span::optional", skip_serializing_if = "Option::is_none")]
    pub approve_timeout: Option<Duration>,
    /// What is made of it when nobody does.
    #[serde(default, skip_serializing_if = "Silence::is_no")]
    pub approve_default: Silence,
    /// How often it may fail in one incident before the next case is tried.
    #[serde(default = "one")]
    pub tries: u32,
    /// Tried at most once in an incident, also when it seemed to work.
    #[serde(default)]
    pub once: bool,
    /// What proves it; the runbook's own where missing.
    #[serde(default)]
    pub verify: Option<Verify>,
}

impl Case {
    /// Whether a person is asked first, whatever the mode: what stops the whole stack is a risk.
    #[must_use]
    pub fn is_risky(&self) -> bool {
        self.risk == Risk::High || self.steps.contains(&Step::DownUp)
    }

    /// Whether it asks first also where vigie may do what is of low risk.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.is_risky() && self.mutates()
    }

    /// Whether any step changes something.
    #[must_use]
    pub fn mutates(&self) -> bool {
        self.steps.iter().any(Step::mutates)
    }
}

const fn one() -> u32 {
    1
}

/// The procedure for some symptoms of some role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Its name; the file's name without `.toml`.
    pub name: String,
    /// One line for people.
    pub title: Text,
    /// The symptoms it answers.
    pub on: Vec<SymptomKind>,
    /// The roles it is for; all where empty.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// What proves a repair, unless a case says otherwise.
    #[serde(default)]
    pub verify: Verify,
    /// Its cases, in the order in which they are tried.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

impl Runbook {
    /// Whether it answers `kind` on a service of `role`.
    #[must_use]
    pub fn answers(&self, kind: SymptomKind, role: Role) -> bool {
        self.on.contains(&kind) && (self.roles.is_empty() || self.roles.contains(&role))
    }

    /// A case by its id.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.id == id)
    }

    /// The first case whose conditions all hold on `evidence` and that is not `spent`, and why every
    /// other one was not chosen. It looks at the snapshot only, so it can be explained and repeated.
    pub fn choose(
        &self,
        evidence: &Evidence,
        spent: impl Fn(&Case) -> Option<String>,
    ) -> (Option<&Case>, Vec<Rejected>) {
        let mut chosen: Option<&Case> = None;
        let mut rejected = Vec::new();
        for case in &self.cases {
            let failing = case.when.iter().find_map(|condition| condition.holds(evidence).err());
            let why = match (spent(case), failing, chosen) {
                (Some(why), ..) | (None, Some(why), _) => why,
                (None, None, Some(first)) => {
                    format!("it would match too; {} comes first", first.id)
                }
                (None, None, None) => {
                    chosen = Some(case);
                    continue;
                }
            };
            rejected.push(Rejected { case: case.id.clone(), why });
        }
        (chosen, rejected)
    }

    /// What proves `case`.
    #[must_use]
    pub fn verify_of<'a>(&'a self, case: &'a Case) -> &'a Verify {
        case.verify.as_ref().unwrap_or(&self.verify)
    }
}
