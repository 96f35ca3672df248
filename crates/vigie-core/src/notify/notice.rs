//! Decides what a notice is: one thing to tell one channel. Its text is made when it is sent, from
//! what is known then, so that it never tells something stale.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::incident::{IncidentId, Severity};
use crate::moment::Moment;
use crate::respond::RunId;

/// A notice's number; larger ones are younger.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct NoticeId(pub u64);

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// An incident was opened.
    Opened,
    /// A restored incident came back.
    Relapsed,
    /// It was handed to people.
    Escalated,
    /// Nobody has it in hand: who was told, and how far up.
    Overdue {
        /// From 1.
        level: u32,
    },
    /// A run asks for a yes.
    Approval {
        /// The run.
        run: RunId,
    },
    /// It was verified stable.
    Restored,
    /// A person declared it over.
    Resolved,
    /// Something about it changed.
    Updated,
    /// Several incidents, none of them bad, instead of a message for each. Never kept: see
    /// [`crate::notify::Outbox::next`].
    Digest {
        /// Which ones, in the order in which they would have been told.
        incidents: Vec<IncidentId>,
    },
    /// Something about vigie itself that people have to know.
    Said {
        /// What, in one line.
        text: String,
    },
}

impl Occasion {
    /// Whether it has to ring; what does not only changes a message that is there already.
    #[must_use]
    pub const fn rings(&self) -> bool {
        !matches!(self, Self::Updated)
    }

    /// The word that is recorded and counted.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Relapsed => "relapsed",
            Self::Escalated => "escalated",
            Self::Overdue { .. } => "overdue",
            Self::Approval { .. } => "approval",
            Self::Restored => "restored",
            Self::Resolved => "resolved",
            Self::Updated => "updated",
            Self::Digest { .. } => "digest",
            Self::Said { .. } => "said",
        }
    }
}

/// One thing to tell one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number.
    pub id: NoticeId,
    /// The channel's name.
    pub channel: String,
    /// The incident it is about; none for what is about vigie itself.
    pub incident: Option<IncidentId>,
    /// What about it.
    pub occasion: Occasion,
    /// How bad the incident was when the notice was made.
    pub severity: Severity,
    /// When it was made.
    pub at: Moment,
}

/// The message on a channel that stands for an incident, and is edited as it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The channel's name.
    pub channel: String,
    /// The incident.
    pub incident: IncidentId,
    /// What the other side calls the message; empty where it gives no name.
    pub message: String,
}

/// What the other side did with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took it.
    Delivered {
        /// What it calls the message that stands for the incident from now on; `None` when that is
        /// still the one before, or when it gives no names.
        message: Option<String>,
    },
    /// It may take it later: too many requests, an error of its own, no connection.
    Later {
        /// When it said so itself.
        after: Option<Duration>,
        /// Why not now.
        why: String,
    },
    /// It will never take this one; others may do.
    Rejected {
        /// Why.
        why: String,
    },
    /// It takes nothing any more: the webhook is gone, the token is wrong.
    Stopped {
        /// Why.
        why: String,
    },
}

/// What has to be on the disk before the next notice is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A notice waits; or one that does has changed.
    Added(Notice),
    /// A notice waits no more: it was delivered, superseded or rejected.
    Removed(NoticeId),
    /// A message stands for an incident from now on.
    Carded(Card),
}
