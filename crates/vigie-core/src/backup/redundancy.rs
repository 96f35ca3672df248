//! Decides how redundant an asset is, from facts only, and what would raise it. The rule is the old
//! one: three copies, on two media, one of them off-site; and a drill that proved it in time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

/// What a copy is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A disk of this host, by its device.
    Disk(String),
    /// Another host or service, by its name.
    Remote(String),
}

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Where it is, as people know it.
    pub place: String,
    /// What it is on.
    pub medium: Medium,
    /// Whether it survives the loss of this host.
    pub off_site: bool,
    /// How old it is; zero for what lives.
    pub age: Duration,
}

/// What is known of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Its name.
    pub asset: String,
    /// Its copies, the living one among them.
    pub copies: Vec<Copied>,
    /// How old a copy may be.
    pub rpo: Duration,
    /// Age of the last drill that proved it; none where none has.
    pub drilled: Option<Duration>,
    /// How old that may be; none where it needs no drill, as what git keeps, whose hashes prove it.
    pub drill_every: Option<Duration>,
    /// Whether the newest drill failed.
    pub drill_failed: bool,
    /// Why nobody has to keep it here, where that is so.
    pub out_of_scope: Option<String>,
    /// Whether git keeps it: then another copy is a remote, not a site.
    pub by_git: bool,
}

/// How redundant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One loss takes it.
    Low,
    /// One loss does not take it, but something is missing.
    Medium,
    /// Three copies, two media, one off-site, drilled in time.
    High,
    /// Not this host's to keep.
    OutOfScope,
}

impl Level {
    /// The sign of the written table.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Low => "❌",
            Self::Medium => "⚠️",
            Self::High => "✅",
            Self::OutOfScope => "ℹ️",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What is known.
    #[serde(flatten)]
    pub facts: Facts,
    /// How redundant it is.
    pub level: Level,
    /// Copies that are young enough.
    pub fresh: usize,
    /// What would raise it, one line each.
    pub raise: Vec<String>,
}

const COPIES: usize = 3;
const MEDIA: usize = 2;

/// Judges one asset.
#[must_use]
pub fn judge(facts: Facts) -> Row {
    if facts.out_of_scope.is_some() {
        return Row {
            level: Level::OutOfScope,
            fresh: facts.copies.len(),
            raise: Vec::new(),
            facts,
        };
    }
    let fresh: Vec<_> = facts.copies.iter().filter(|copy| copy.age <= facts.rpo).collect();
    let media: BTreeSet<_> = fresh.iter().map(|copy| &copy.medium).collect();
    let off_site = fresh.iter().any(|copy| copy.off_site);
    let mut raise = Vec::new();
    for stale in facts.copies.iter().filter(|copy| copy.age > facts.rpo) {
        let (age, rpo) = (crate::span::format(whole(stale.age)), crate::span::format(facts.rpo));
        raise.push(format!(
            "the copy at {} is {age} old, and {rpo} is what may be lost",
            stale.place
        ));
    }
    if fresh.len() < COPIES {
        let missing = COPIES - fresh.len();
        let copies = if missing == 1 { "copy" } else { "copies" };
        raise.push(if facts.by_git {
            format!("{missing} more {copies}: a git remote, and `git push` to it")
        } else {
            format!("{missing} more {copies}: another site in [backup.site]")
        });
    }
    if media.len() < MEDIA {
        raise.push(String::from("a copy on another medium: all are on one disk"));
    }
    if !off_site {
        raise.push(String::from("a copy off-site: all are on this host"));
    }
    let drilled = match (facts.drill_every, facts.drilled) {
        (None, _) => true,
        (Some(_), _) if facts.drill_failed => {
            raise.push(String::from("its last drill failed: vigie backup drill"));
            false
        }
        (Some(every), Some(age)) if age <= every => true,
        (Some(_), Some(age)) => {
            let age = crate::span::format(whole(age));
            raise.push(format!("its last drill is {age} old: vigie backup drill"));
            false
        }
        (Some(_), None) => {
            raise.push(String::from("nobody has proved that it comes back: vigie backup drill"));
            false
        }
    };
    let level = if fresh.len() >= COPIES && media.len() >= MEDIA && off_site && drilled {
        Level::High
    } else if fresh.len() >= 2 && (media.len() >= MEDIA || off_site) && !facts.drill_failed {
        Level::Medium
    } else {
        Level::Low
    };
    if level == Level::High {
        raise.clear();
    }
    Row { level, fresh: fresh.len(), raise, facts }
}

/// Whole seconds, as people say them.
fn whole(age: Duration) -> Duration {
    Duration::from_secs(age.as_secs())
}
