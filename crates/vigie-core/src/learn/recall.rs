//! Decides whether an incident was seen before, so that a message can say what fixed it then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::incident::{Incident, IncidentId};
use crate::learn::similar::{Past, rank};
use crate::learn::{Fingerprint, Known};
use crate::respond::{Run, Text};

/// Console lines of a run's evidence that are searched.
const CONSOLE: usize = 200;

/// An incident, as far as it can be recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its number: it never resembles itself.
    pub id: IncidentId,
    /// The service at the root of it.
    pub service: String,
    /// By what it is found again.
    pub fingerprint: Fingerprint,
    /// Its title, its symptoms' details, the console lines of its evidence.
    pub texts: Vec<String>,
}

impl Subject {
    /// What of an incident and its runs can be recognised.
    #[must_use]
    pub fn of(incident: &Incident, runs: &[Run]) -> Self {
        let mut texts = vec![incident.title.clone()];
        texts.extend(incident.symptoms.iter().map(|shown| shown.detail.clone()));
        for evidence in runs.iter().filter_map(|run| run.evidence.as_deref()) {
            let skipped = evidence.console.len().saturating_sub(CONSOLE);
            texts.extend(evidence.console[skipped..].iter().cloned());
            texts.extend(evidence.lua.iter().map(|lua| lua.message.clone()));
        }
        Self {
            id: incident.id,
            service: incident.service.clone(),
            fingerprint: Fingerprint::of(incident),
            texts,
        }
    }
}

/// What was seen before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A past incident of this register.
    Past(IncidentId),
    /// One of the knowledge base, by its id.
    Known(String),
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Past(id) => write!(f, "{id}"),
            Self::Known(id) => f.write_str(id),
        }
    }
}

/// What an incident recalls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Which one.
    pub what: Seen,
    /// What fixed it then.
    pub fixed_by: Text,
    /// How long it took then.
    pub took: Option<Duration>,
}

/// What `subject` recalls, if anything. In this order: a past incident with the same Lua error, a
/// known one whose words it has, a past one with the same symptoms of the same service; only what
/// was fixed, and is told how, helps anybody.
#[must_use]
pub fn recall(subject: &Subject, past: &[Past], known: &[Known]) -> Option<Recall> {
    let ranked = rank(subject, past.iter().filter(|one| one.fixed_by.is_some()), usize::MAX);
    let of_past = |one: &Past| {
        let took = one.took.map(|(_, most)| most);
        one.fixed_by.clone().map(|fixed_by| Recall { what: Seen::Past(one.id), fixed_by, took })
    };
    let same_error = ranked.iter().find(|one| one.same.signature);
    if let Some(found) = same_error.and_then(|one| of_past(one.past)) {
        return Some(found);
    }
    if let Some((known, _)) = recognise(subject, known) {
        return Some(Recall {
            what: Seen::Known(known.id.clone()),
            fixed_by: known.resolution.clone(),
            took: known.took,
        });
    }
    let same = ranked.iter().find(|one| one.same.symptoms && one.same.service);
    same.and_then(|one| of_past(one.past))
}

/// The known incident of which the most is in the subject's texts, and the words.
#[must_use]
pub fn recognise<'a>(subject: &Subject, known: &'a [Known]) -> Option<(&'a Known, &'a str)> {
    let found = known.iter().filter_map(|one| Some((one, one.recognised(&subject.texts)?)));
    // The first of equals: `max_by_key` alone would give the last.
    found.rev().max_by_key(|(_, words)| words.len())
}
