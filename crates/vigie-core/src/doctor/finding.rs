//! Decides the shape of a finding: where, what, how grave, and the change that would end it.

use super::{Fix, Level, Rule};
use crate::compose::Place;
use crate::respond::Text;

/// What a rule found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How grave.
    pub level: Level,
    /// The file, as it is shown.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// The service that it is about.
    pub service: Option<String>,
    /// What is wrong, in one line.
    pub what: Text,
    /// The change that would end it.
    pub fix: Option<Fix>,
}

impl Finding {
    pub(super) fn sorted(&self) -> (&str, crate::compose::Place, &'static str) {
        (&self.file, self.place, self.rule.about().word)
    }
}

/// All that was found.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    /// The findings, by file and place.
    pub findings: Vec<Finding>,
    /// How many a comment silences.
    pub silenced: usize,
}

/// A text in both languages.
pub(super) fn text(en: impl Into<String>, fr: impl Into<String>) -> Text {
    Text { en: en.into(), fr: Some(fr.into()) }
}
