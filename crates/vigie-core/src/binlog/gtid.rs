//! Decides how a transaction's global name is written, MariaDB's and MySQL's, and whether a state
//! that a server or a dump tells has reached it.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transaction's global name. As text it is `0-7-1234` (MariaDB: domain, server, number) or
/// `3E11FA47-71CA-11E1-9E33-C80AA9429562:23` (MySQL: server, number).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Gtid {
    /// MariaDB's.
    MariaDb {
        /// The stream that it belongs to; numbers grow within one.
        domain: u32,
        /// The server that committed it first.
        server: u32,
        /// Its number in the domain.
        number: u64,
    },
    /// MySQL's.
    MySql {
        /// The server that committed it first, in lower case; a tag may follow after a colon.
        source: String,
        /// Its number at that server.
        number: u64,
    },
}

/// The text is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no GTID; write MariaDB's `0-1-1234` or MySQL's `UUID:1234` (SELECT @@gtid_current_pos, \
     @@gtid_executed)"
)]
pub struct GtidError(pub String);

impl Gtid {
    /// Numbers of one source can be compared.
    #[must_use]
    pub fn source(&self) -> String {
        match self {
            Self::MariaDb { domain, .. } => domain.to_string(),
            Self::MySql { source, .. } => source.clone(),
        }
    }

    /// Its number at its source.
    #[must_use]
    pub const fn number(&self) -> u64 {
        match self {
            Self::MariaDb { number, .. } | Self::MySql { number, .. } => *number,
        }
    }
}

impl std::fmt::Display for Gtid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MariaDb { domain, server, number } => write!(f, "{domain}-{server}-{number}"),
            Self::MySql { source, number } => write!(f, "{source}:{number}"),
        }
    }
}

impl FromStr for Gtid {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        let wrong = || GtidError(text.chars().take(80).collect());
        let text = text.trim();
        if let Some((source, number)) = text.rsplit_once(':') {
            let is_source = source.len() >= 36
                && source.chars().all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c));
            let number = number.parse().map_err(|_| wrong())?;
            let source = source.to_ascii_lowercase();
            return is_source.then_some(Self::MySql { source, number }).ok_or_else(wrong);
        }
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or_else(wrong);
        let (domain, server, number) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self::MariaDb {
            domain: domain.parse().map_err(|_| wrong())?,
            server: server.parse().map_err(|_| wrong())?,
            number: number.parse().map_err(|_| wrong())?,
        })
    }
}

impl TryFrom<String> for Gtid {
    type Error = GtidError;

    fn try_from(text: String) -> Result<Self, GtidError> {
        text.parse()
    }
}

impl From<Gtid> for String {
    fn from(gtid: Gtid) -> Self {
        gtid.to_string()
    }
}

/// How far a server or a dump is: MariaDB's `0-1-100,1-2-5`, or MySQL's `UUID:1-100,UUID:1-5:7`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach(BTreeMap<String, Vec<(u64, u64)>>);

impl Reach {
    /// Reads either form; an empty text is a server that has committed nothing.
    ///
    /// # Errors
    /// The part that is none.
    pub fn parse(text: &str) -> Result<Self, GtidError> {
        let mut reach: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        for part in parts {
            if part.contains(':') {
                let (source, ranges) = uuid(part)?;
                reach.entry(source).or_default().extend(ranges);
            } else {
                // Numbers of a domain only grow: what is told is the last of them.
                let gtid: Gtid = part.parse()?;
                reach.entry(gtid.source()).or_default().push((0, gtid.number()));
            }
        }
        Ok(Self(reach))
    }

    /// Whether `gtid` is in it.
    #[must_use]
    pub fn has(&self, gtid: &Gtid) -> bool {
        let ranges = self.0.get(&gtid.source());
        ranges.is_some_and(|ranges| {
            ranges.iter().any(|(first, last)| (*first..=*last).contains(&gtid.number()))
        })
    }
}

/// `UUID[:tag]:1-100:105`: the source, and its ranges.
fn uuid(part: &str) -> Result<(String, Vec<(u64, u64)>), GtidError> {
    let wrong = || GtidError(part.chars().take(80).collect());
    let mut source = String::new();
    let mut ranges = Vec::new();
    for word in part.split(':') {
        let range = match word.split_once('-') {
            Some((first, last)) => first.parse().ok().zip(last.parse().ok()),
            None => word.parse().ok().map(|number: u64| (number, number)),
        };
        match range {
            Some(range) if !source.is_empty() => ranges.push(range),
            _ if source.is_empty() => source = word.to_ascii_lowercase(),
            _ if ranges.is_empty() => {
                source.push(':');
                source.push_str(&word.to_ascii_lowercase());
            }
            _ => return Err(wrong()),
        }
    }
    if source.len() < 36 || ranges.is_empty() { Err(wrong()) } else { Ok((source, ranges)) }
}
