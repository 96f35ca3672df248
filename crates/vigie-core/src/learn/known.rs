//! Decides what is written down of an incident that somebody had before: its cause, what resolved
//! it, what watches for it now, and by which words it is recognised.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::incident::Severity;
use crate::respond::Text;

/// One incident of the knowledge base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name in the base: `K1`, `K2`, …
    pub id: String,
    /// How bad it was.
    pub severity: Severity,
    /// One line for people.
    pub title: Text,
    /// The root cause.
    pub cause: Text,
    /// What resolved it.
    pub resolution: Text,
    /// How long it took, where that was written down.
    #[serde(default, with = "crate::span::optional")]
    pub took: Option<Duration>,
    /// What of vigie watches for it now.
    #[serde(default)]
    pub guard: Option<Text>,
    /// Parts of texts by which it is recognised, in either case.
    #[serde(default)]
    pub matches: Vec<String>,
}

impl Known {
    /// Shorter patterns would recognise anything.
    pub const SHORTEST: usize = 4;

    /// The longest of its patterns that stands in one of `texts`.
    #[must_use]
    pub fn recognised<'a>(&'a self, texts: &[String]) -> Option<&'a str> {
        let found = self.matches.iter().filter(|pattern| {
            let pattern = pattern.to_lowercase();
            pattern.chars().count() >= Self::SHORTEST
                && texts.iter().any(|text| text.to_lowercase().contains(&pattern))
        });
        found.max_by_key(|pattern| pattern.len()).map(String::as_str)
    }

    /// Whether it is the same incident as `other`, told again: one of its titles is.
    #[must_use]
    pub fn is_told_again_by(&self, other: &Self) -> bool {
        let titles = |one: &Self| {
            let both = [Some(&one.title.en), one.title.fr.as_ref()];
            both.into_iter().flatten().map(|title| plain(title)).collect::<Vec<_>>()
        };
        let own = titles(self);
        titles(other).iter().any(|title| own.contains(title))
    }
}

/// A title without what differs from one way of writing to another.
fn plain(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
