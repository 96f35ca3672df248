//! Reads the numbers of a `practice` command, each with its bounds.

use std::time::Duration;

use crate::span;

/// No fault lasts longer than a day: a forgotten one should end.
const LONGEST: Duration = Duration::from_secs(86_400);

/// A whole number between 1 and `most`.
pub(super) fn count(word: &str, most: u32, usage: &str) -> Result<u32, String> {
    match word.parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(count),
        _ => Err(format!("`{word}` is not a number from 1 to {most}. Usage: {usage}")),
    }
}

/// A duration, in seconds unless it has a unit.
pub(super) fn lasting(word: &str, usage: &str) -> Result<Duration, String> {
    span::parse(word)
        .ok()
        .filter(|lasting| !lasting.is_zero() && *lasting <= LONGEST)
        .ok_or_else(|| format!("`{word}` is not a time of up to 24h. Usage: {usage}"))
}

/// A duration that may be left out.
pub(super) fn maybe_lasting(words: &[&str], usage: &str) -> Result<Option<Duration>, String> {
    match words {
        [] => Ok(None),
        [word] => lasting(word, usage).map(Some),
        _ => Err(wrong(usage)),
    }
}

/// The refusal of a command with too few or too many words.
pub(super) fn wrong(usage: &str) -> String {
    format!("Usage: {usage}")
}
