//! Decides how restore points are called: `v{major}.{minor}-{description}`, as the seed has it; `v2-stable`
//! is the minor 0.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest tag that a registry takes.
pub(super) const LONGEST: usize = 128;

/// A restore point's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PointName {
    major: u32,
    minor: Option<u32>,
    description: String,
}

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no name of a restore point: {why}; write one like v2.3-vehicles or v2-stable")]
pub struct NameError {
    name: String,
    why: &'static str,
}

/// Which number goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bump {
    /// The first; the second begins at 0 again.
    Major,
    /// The second.
    Minor,
}

impl PointName {
    /// The name after the highest of `known`; the first one is v1.0.
    ///
    /// # Errors
    /// When the description is none.
    pub fn next<'a>(
        known: impl IntoIterator<Item = &'a Self>,
        bump: Bump,
        description: &str,
    ) -> Result<Self, NameError> {
        let highest = known.into_iter().map(Self::number).max();
        let (major, minor) = match (highest, bump) {
            (None, _) => (1, 0),
            (Some((major, _)), Bump::Major) => (major.saturating_add(1), 0),
            (Some((major, minor)), Bump::Minor) => (major, minor.saturating_add(1)),
        };
        format!("v{major}.{minor}-{description}").parse()
    }

    /// Its numbers.
    #[must_use]
    pub fn number(&self) -> (u32, u32) {
        (self.major, self.minor.unwrap_or(0))
    }

    /// What stands behind the numbers.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl FromStr for PointName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let wrong = |why| NameError { name: name.chars().take(LONGEST).collect(), why };
        if name.len() > LONGEST {
            return Err(wrong("it is longer than the 128 characters of a tag"));
        }
        let rest = name.strip_prefix('v').ok_or_else(|| wrong("it begins with no v"))?;
        let (numbers, description) =
            rest.split_once('-').ok_or_else(|| wrong("no description follows the numbers"))?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let leading = text.len() > 1 && text.starts_with('0');
            (plain && !leading).then(|| text.parse().ok()).flatten()
        };
        let numbers = match numbers.split_once('.') {
            Some((major, minor)) => number(major).zip(number(minor).map(Some)),
            None => number(numbers).zip(Some(None)),
        };
        let (major, minor) = numbers.ok_or_else(|| wrong("behind the v stands no number"))?;
        let fits =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if description.is_empty() || !description.chars().all(fits) {
            return Err(wrong("its description is made of a-z, 0-9, `-`, `_` and `.`"));
        }
        if !description.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(wrong("its description begins with a letter or a number"));
        }
        Ok(Self { major, minor, description: description.to_owned() })
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, description } = self;
        match minor {
            Some(minor) => write!(f, "v{major}.{minor}-{description}"),
            None => write!(f, "v{major}-{description}"),
        }
    }
}

impl TryFrom<String> for PointName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<PointName> for String {
    fn from(name: PointName) -> Self {
        name.to_string()
    }
}
