//! Decides how bad things are: severities, and the risk matrix they can also come from.

use serde::{Deserialize, Serialize};

/// The seed's four levels, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Critical: the server cannot be reached, data is lost.
    P1,
    /// Major: a key feature is broken.
    P2,
    /// Minor: cosmetic, or slower than it should be.
    P3,
    /// An improvement, planned.
    P4,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 4] = [Self::P1, Self::P2, Self::P3, Self::P4];

    /// Reads `P1` … `P4`, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word().eq_ignore_ascii_case(text))
    }

    /// `P1` … `P4`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

/// How often a risk comes true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probability {
    /// Hardly ever.
    VeryLow,
    /// Seldom.
    Low,
    /// Now and then.
    Medium,
    /// Often.
    High,
}

/// What it costs when it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nobody notices.
    Low,
    /// A nuisance.
    Medium,
    /// A key feature is gone.
    High,
    /// The server or its data is gone.
    Critical,
}

/// The risk matrix: impact leads, probability moves it by one at the ends.
#[must_use]
pub const fn risk(probability: Probability, impact: Impact) -> Severity {
    match (impact, probability) {
        (Impact::Critical, _) | (Impact::High, Probability::High) => Severity::P1,
        (Impact::High, _) | (Impact::Medium, Probability::High) => Severity::P2,
        (Impact::Medium, _) | (Impact::Low, Probability::High) => Severity::P3,
        (Impact::Low, _) => Severity::P4,
    }
}
