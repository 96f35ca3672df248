//! Decides which past incidents resemble one: the same Lua error before the same symptoms before
//! the same service, the newest of equals first.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::incident::IncidentId;
use crate::learn::{Fingerprint, Subject};
use crate::respond::Text;

/// A past incident, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub id: IncidentId,
    /// The service at the root of it.
    pub service: String,
    /// By what it is found again.
    pub fingerprint: Fingerprint,
    /// What fixed it: a verified case, or the note of the person who had it in hand.
    pub fixed_by: Option<Text>,
    /// The least and the most time from its start until it was restored.
    pub took: Option<(Duration, Duration)>,
}

/// What two incidents have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Same {
    /// The Lua error.
    pub signature: bool,
    /// All kinds of symptoms.
    pub symptoms: bool,
    /// The service.
    pub service: bool,
}

impl Same {
    /// What `past` has in common with `subject`.
    #[must_use]
    pub fn of(subject: &Subject, past: &Past) -> Self {
        let (one, other) = (subject.fingerprint, past.fingerprint);
        Self {
            signature: one.signature.is_some() && one.signature == other.signature,
            symptoms: one.symptoms != 0 && one.symptoms == other.symptoms,
            service: subject.service == past.service,
        }
    }

    /// 0 to 100. Each outweighs those below it together.
    #[must_use]
    pub const fn score(self) -> u32 {
        let mut score = 0;
        if self.signature {
            score += 60;
        }
        if self.symptoms {
            score += 25;
        }
        if self.service {
            score += 15;
        }
        score
    }

    /// The words used in JSON, strongest first.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let all =
            [(self.signature, "signature"), (self.symptoms, "symptoms"), (self.service, "service")];
        all.into_iter().filter_map(|(same, word)| same.then_some(word)).collect()
    }
}

/// A past incident that resembles another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Similar<'a> {
    /// The incident.
    pub past: &'a Past,
    /// What they have in common.
    pub same: Same,
}

/// The at most `limit` incidents that resemble `subject`, best first, the newest of equals first.
#[must_use]
pub fn rank<'a>(
    subject: &Subject,
    past: impl IntoIterator<Item = &'a Past>,
    limit: usize,
) -> Vec<Similar<'a>> {
    let others = past.into_iter().filter(|past| past.id != subject.id);
    let known = others.map(|past| Similar { past, same: Same::of(subject, past) });
    let mut known: Vec<_> = known.filter(|one| one.same.score() > 0).collect();
    known.sort_by_key(|one| std::cmp::Reverse((one.same.score(), one.past.id)));
    known.dedup_by_key(|one| one.past.id);
    known.truncate(limit);
    known
}
