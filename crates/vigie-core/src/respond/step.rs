//! Decides the closed set of steps and what each means for the guards: whether it changes
//! something, whether it costs a restart, how it is undone. Carrying them out is the other floor's
//! work, one file a step there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Brings the service up as the compose file says; `recreate` makes its container afresh.
    Up {
        /// Recreate even when nothing changed.
        #[serde(default)]
        recreate: bool,
    },
    /// Takes the whole stack down and up again: the last resort, it stops the database too.
    DownUp,
    /// Restarts the service's process; `kill` does not wait for a process that cannot answer.
    Restart {
        /// SIGKILL at once.
        #[serde(default)]
        kill: bool,
    },
    /// Stops the service.
    Stop,
    /// Says that the stack works without this service for now.
    MarkDegraded,
    /// Sends a command to the game's console.
    Rcon {
        /// The command.
        command: String,
    },
    /// Waits.
    Wait {
        /// How long.
        #[serde(rename = "for", with = "crate::span")]
        time: Duration,
    },
    /// Hands over to a person, with what was found.
    Escalate {
        /// What the person is asked.
        reason: String,
    },
}

impl Step {
    /// Whether it changes the stack.
    #[must_use]
    pub const fn mutates(&self) -> bool {
        match self {
            Self::Up { .. }
            | Self::DownUp
            | Self::Restart { .. }
            | Self::Stop
            | Self::Rcon { .. } => true,
            Self::MarkDegraded | Self::Wait { .. } | Self::Escalate { .. } => false,
        }
    }

    /// Whether it starts the service and so costs a restart of its budget.
    #[must_use]
    pub const fn restarts(&self) -> bool {
        matches!(self, Self::Up { .. } | Self::DownUp | Self::Restart { .. })
    }

    /// Whether it ends the life of a process that may be running, so that two proofs are needed.
    #[must_use]
    pub const fn ends_process(&self) -> bool {
        matches!(
            self,
            Self::Up { recreate: true } | Self::DownUp | Self::Restart { .. } | Self::Stop
        )
    }

    /// What takes it back when the repair did not verify.
    #[must_use]
    pub const fn undo(&self) -> Option<Self> {
        match self {
            Self::Stop => Some(Self::Up { recreate: false }),
            // A start of what was not running, or a restart of what was frozen, has nothing worth
            // going back to; the mark of a degraded stack stays true while the repair has failed.
            Self::Up { .. }
            | Self::DownUp
            | Self::Restart { .. }
            | Self::MarkDegraded
            | Self::Rcon { .. }
            | Self::Wait { .. }
            | Self::Escalate { .. } => None,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn describe(&self, service: &str) -> String {
        match self {
            Self::Up { recreate: false } => format!("up {service}"),
            Self::Up { recreate: true } => format!("recreate {service}"),
            Self::DownUp => String::from("down and up of the whole stack"),
            Self::Restart { kill: false } => format!("restart {service}"),
            Self::Restart { kill: true } => format!("kill and restart {service}"),
            Self::Stop => format!("stop {service}"),
            Self::MarkDegraded => format!("mark the stack degraded: {service} is missing"),
            Self::Rcon { command } => format!("rcon {service}: {command}"),
            Self::Wait { time } => format!("wait {} s", time.as_secs()),
            Self::Escalate { reason } => format!("ask a person: {reason}"),
        }
    }
}
