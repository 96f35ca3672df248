//! Decides what a tag that somebody gave by hand is called by the convention. It never decides whether
//! that name is free.

use crate::snapshot::name::LONGEST;
use crate::snapshot::{Bump, NameError, PointName};

/// For a tag that has nothing but numbers.
const NAMELESS: &str = "legacy";
/// The major number of what is older than the convention.
const BEFORE: u32 = 0;

impl PointName {
    /// The equivalent of `tag`, whose image was made at `made`; `known` are the names there are and when
    /// their images were made, all in milliseconds since 1970.
    ///
    /// A tag that is a name stays one, and numbers in front of a tag are kept: `V2_Stable` is
    /// `v2-stable`. Any other, such as `jour2-stable`, goes on from the highest number when it is the
    /// youngest, and is a v0 when it is not: the highest number is then still the newest image.
    ///
    /// # Errors
    /// When nothing of the tag can be in a name, which no engine takes for a tag.
    pub fn equivalent(tag: &str, made: i64, known: &[(Self, i64)]) -> Result<Self, NameError> {
        if let Ok(name) = tag.parse() {
            return Ok(name);
        }
        if let Some((numbers, rest)) = numbered(tag) {
            return named(&numbers, rest);
        }
        let names = known.iter().map(|(name, _)| name);
        if known.iter().all(|(_, other)| *other <= made) {
            let next = Self::next(names, Bump::Minor, NAMELESS)?.number();
            return named(&format!("v{}.{}", next.0, next.1), tag);
        }
        let before = names.filter(|name| name.number().0 == BEFORE);
        let minor = before.map(|name| name.number().1).max().unwrap_or(0).saturating_add(1);
        named(&format!("v{BEFORE}.{minor}"), tag)
    }
}

/// The numbers in front of a tag, as the convention writes them, and what is behind them.
fn numbered(tag: &str) -> Option<(String, &str)> {
    let begin = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let (major, rest) = number(begin)?;
    if let Some((minor, rest)) = rest.strip_prefix('.').and_then(number)
        && is_end(rest)
    {
        return Some((format!("v{major}.{minor}"), rest));
    }
    is_end(rest).then(|| (format!("v{major}"), rest))
}

/// Whether a number ends here: `2fort` has none.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['-', '_', '.'])
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

fn named(numbers: &str, description: &str) -> Result<PointName, NameError> {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let description: String = description.chars().map(|c| fits(c.to_ascii_lowercase())).collect();
    let description = description.trim_start_matches(['-', '_', '.']);
    let description = if description.is_empty() { NAMELESS } else { description };
    let room = LONGEST.saturating_sub(numbers.len() + 1);
    format!("{numbers}-{}", &description[..description.len().min(room)]).parse()
}
