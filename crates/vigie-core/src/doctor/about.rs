//! Decides how grave a finding is, and holds what a rule says about itself.

use serde::Serialize;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// It will cost something one day.
    Warning,
    /// It costs something now, or everything at the first fault.
    Error,
}

impl Level {
    /// All, the mildest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a rule says about itself.
#[derive(Debug)]
pub struct About {
    /// Its name, for ever.
    pub word: &'static str,
    /// How grave it is, where nothing makes a finding graver or milder.
    pub level: Level,
    /// The risks of the matrix that it is about.
    pub risks: &'static [&'static str],
    /// Why it matters, in English and in French.
    pub why: [&'static str; 2],
    /// What to do, in English and in French.
    pub remedy: [&'static str; 2],
}
