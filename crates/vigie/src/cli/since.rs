//! Does: reads what filters of incidents are written as: times, severities, states.

use std::time::Duration;

use vigie_core::incident::{Lifecycle, Severity};

/// A time that incidents are asked from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// From the first one on.
    All,
    /// So long ago.
    Ago(Duration),
    /// Milliseconds since 1970.
    At(i64),
}

impl Since {
    /// Reads `7d`, `24h`, `2026-11-01` (midnight UTC), `all`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        if let Ok(day) = text.parse::<jiff::civil::Date>() {
            let midnight =
                day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
            return Ok(Self::At(midnight.timestamp().as_millisecond()));
        }
        vigie_core::span::parse(text)
            .map(Self::Ago)
            .map_err(|_| String::from("write a length of time (7d, 24h) or a day (2026-11-01)"))
    }

    /// In milliseconds since 1970; nothing for all.
    pub(super) fn at(self, now: i64) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Ago(ago) => {
                let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                Some(now.saturating_sub(ago))
            }
            Self::At(at) => Some(at),
        }
    }
}

/// Severities that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Severities(pub(super) Vec<Severity>);

/// Reads one level, which is it or worse, or several with commas, which are exactly these.
pub(super) fn severities(text: &str) -> Result<Severities, String> {
    let level = |word: &str| {
        Severity::parse(word.trim()).ok_or_else(|| format!("`{word}` is none of P1, P2, P3, P4"))
    };
    if text.contains(',') {
        return text.split(',').map(level).collect::<Result<_, _>>().map(Severities);
    }
    let least = level(text)?;
    Ok(Severities(Severity::ALL.into_iter().filter(|one| *one <= least).collect()))
}

/// States that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct States(pub(super) Vec<Lifecycle>);

/// Reads states with commas; `active` is all in which something is still wrong.
pub(super) fn states(text: &str) -> Result<States, String> {
    let mut found = Vec::new();
    for word in text.split(',').map(str::trim) {
        if word == "active" {
            found.extend(Lifecycle::ALL.into_iter().filter(|state| state.is_active()));
            continue;
        }
        let state = Lifecycle::ALL.into_iter().find(|state| state.word() == word);
        found.push(state.ok_or_else(|| {
            let known: Vec<_> = Lifecycle::ALL.iter().map(|state| state.word()).collect();
            format!("`{word}` is no state; they are active, {}", known.join(", "))
        })?);
    }
    Ok(States(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_lengths_or_days() {
        assert_eq!(Since::parse("7d").unwrap().at(700_000_000), Some(95_200_000));
        assert_eq!(Since::parse("2024-02-01").unwrap().at(0), Some(1_706_745_600_000));
        assert_eq!(Since::parse("all").unwrap().at(5), None);
        assert!(Since::parse("2024-02-31").is_err() && Since::parse("yesterday").is_err());
    }

    #[test]
    fn one_severity_is_it_or_worse_and_several_are_these() {
        assert_eq!(severities("p2").unwrap().0, [Severity::P1, Severity::P2]);
        assert_eq!(severities("P1,P4").unwrap().0, [Severity::P1, Severity::P4]);
        assert!(severities("P9").is_err() && severities("").is_err());
    }

    #[test]
    fn active_is_what_is_still_wrong() {
        let active = states("active").unwrap().0;
        assert_eq!(active, [Lifecycle::Open, Lifecycle::Repairing, Lifecycle::Escalated]);
        assert_eq!(states("closed,restored").unwrap().0.len(), 2);
        assert!(states("broken").unwrap_err().contains("they are active, open"));
    }
}
