//! Decides what a channel wants to hear, and when it wants to be left alone.

use std::time::Duration;

use crate::incident::Severity;
use crate::notify::Limit;

/// A way to people: a Discord webhook, a Telegram chat, a mailbox, a program's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name in the configuration.
    pub name: String,
    /// Told of incidents this bad or worse.
    pub min_severity: Severity,
    /// Only of these services; of all where empty.
    pub services: Vec<String>,
    /// When P3 and P4 wait.
    pub quiet: Option<Quiet>,
    /// Only told when nobody answered elsewhere.
    pub on_call: bool,
    /// Whether it hears of what rings nobody: chats edit their message, mailboxes would fill.
    pub follows: bool,
    /// Whether many incidents may be told as one: programs want each.
    pub digests: bool,
    /// What the other side allows.
    pub limits: Vec<Limit>,
}

impl Channel {
    /// Whether it wants to hear of an incident that it was not told of yet.
    #[must_use]
    pub fn wants(&self, severity: Severity, service: &str) -> bool {
        !self.on_call && self.concerns(severity, service)
    }

    /// Whether an incident is bad enough for it, and of one of its services.
    #[must_use]
    pub fn concerns(&self, severity: Severity, service: &str) -> bool {
        let mine = self.services.is_empty() || self.services.iter().any(|one| one == service);
        severity <= self.min_severity && mine
    }
}

/// A daily time of quiet, in minutes of the host's day; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Its first minute.
    pub from: u16,
    /// The first minute after it.
    pub to: u16,
}

impl Quiet {
    /// Minutes of a day.
    pub const DAY: u16 = 24 * 60;

    /// How much of it is left at `minute` of the day; `None` outside of it.
    #[must_use]
    pub fn left(self, minute: u16) -> Option<Duration> {
        let ahead = |to: u16, from: u16| (to + Self::DAY - from) % Self::DAY;
        let length = ahead(self.to, self.from);
        let gone = ahead(minute % Self::DAY, self.from);
        (gone < length).then(|| Duration::from_secs(u64::from(length - gone) * 60))
    }
}

/// Who is told when nobody has an incident in hand in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The channels' names.
    pub notify: Vec<String>,
    /// How long after the level before; the first comes when the target is missed.
    pub after: Duration,
    /// How often the last level is told again until somebody has it in hand.
    pub repeat: Duration,
}
