//! Decides the closed set of steps and what each means for the guards: whether it changes
//! something, whether it costs a restart, how it is undone. Carrying them out is the other floor's
//! work, one file a step there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::respond::Evidence;

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
    /// Goes back to an image that is known to have worked. A restore point of the present is made
    /// first, and everything is taken back when the service does not answer.
    RollbackImage {
        /// The restore point; the last known good one where none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Volumes that hide the image and so go back with it; written by vigie itself.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<String>,
    },
    /// Takes such a rollback back. Only vigie itself does it.
    ForwardImage {
        /// The restore point that was gone back to.
        to: String,
    },
    /// Takes the blamed commit back with a new commit (`git revert`).
    Revert {
        /// Whether the new commit is pushed as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        push: bool,
        /// The commit; written by vigie itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
        /// Its repository; written by vigie itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repository: Option<String>,
    },
    /// Takes such a revert back. Only vigie itself does it.
    Unrevert {
        /// The commit that was reverted.
        commit: String,
        /// Its repository.
        repository: String,
        /// Whether that is pushed as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        push: bool,
    },
    /// Hands over to a person, with what was found.
    Escalate {
        /// What the person is asked.
        reason: String,
    },
}

/// A rollback makes a restore point first, and that may be gigabytes.
const LONG: Duration = Duration::from_secs(30 * 60);
/// Digits of a commit that people are told.
const SHORT: usize = 8;
/// What stands in an escalation's reason for the watched files that have changed.
const FILES: &str = "{files}";

impl Step {
    /// The same step with what the evidence says filled in: the point, the commit, the files.
    #[must_use]
    pub fn bound(self, evidence: Option<&Evidence>) -> Self {
        match self {
            Self::RollbackImage { to, .. } => {
                let known = evidence.and_then(|evidence| evidence.way_back.as_ref());
                let known = known.filter(|known| to.as_ref().is_none_or(|to| *to == known.point));
                let volumes = known.map(|known| known.volumes.clone()).unwrap_or_default();
                Self::RollbackImage { to: to.or(known.map(|known| known.point.clone())), volumes }
            }
            Self::Revert { push, .. } => {
                let suspect = evidence.and_then(|evidence| evidence.suspect.as_ref());
                Self::Revert {
                    push,
                    commit: suspect.map(|suspect| suspect.commit.clone()),
                    repository: suspect.map(|suspect| suspect.repository.clone()),
                }
            }
            Self::Escalate { reason } => {
                let changed = evidence.map_or(&[][..], |evidence| &evidence.changed);
                let files: Vec<_> = changed.iter().map(|one| one.file.as_str()).collect();
                Self::Escalate { reason: reason.replace(FILES, &files.join(", ")) }
            }
            other => other,
        }
    }

    /// Whether only vigie itself may have it carried out, and no runbook.
    #[must_use]
    pub const fn is_internal(&self) -> bool {
        matches!(self, Self::ForwardImage { .. } | Self::Unrevert { .. })
    }

    /// How long it may take, where others may take `usual`.
    #[must_use]
    pub fn limit(&self, usual: Duration) -> Duration {
        match self {
            Self::RollbackImage { .. } | Self::ForwardImage { .. } => usual.max(LONG),
            _ => usual,
        }
    }

    /// Whether the steps behind it in its case must be allowed before it may begin: it would be for
    /// nothing without them.
    #[must_use]
    pub const fn needs_what_follows(&self) -> bool {
        matches!(self, Self::Revert { .. })
    }

    /// Whether it leaves everything as it was when it does not work.
    #[must_use]
    pub const fn is_all_or_nothing(&self) -> bool {
        matches!(self, Self::RollbackImage { .. } | Self::Revert { .. })
    }

    /// Whether it changes the stack.
    #[must_use]
    pub const fn mutates(&self) -> bool {
        match self {
            Self::Up { .. }
            | Self::DownUp
            | Self::Restart { .. }
            | Self::Stop
            | Self::RollbackImage { .. }
            | Self::ForwardImage { .. }
            | Self::Revert { .. }
            | Self::Unrevert { .. }
            | Self::Rcon { .. } => true,
            Self::MarkDegraded | Self::Wait { .. } | Self::Escalate { .. } => false,
        }
    }

    /// Whether it starts the service and so costs a restart of its budget.
    #[must_use]
    pub const fn restarts(&self) -> bool {
        matches!(
            self,
            Self::Up { .. }
                | Self::DownUp
                | Self::Restart { .. }
                | Self::RollbackImage { .. }
                | Self::ForwardImage { .. }
        )
    }

    /// Whether it ends the life of a process that may be running, so that two proofs are needed.
    #[must_use]
    pub const fn ends_process(&self) -> bool {
        matches!(
            self,
            Self::Up { recreate: true }
                | Self::DownUp
                | Self::Restart { .. }
                | Self::Stop
                | Self::RollbackImage { .. }
                | Self::ForwardImage { .. }
        )
    }

    /// What takes it back when the repair did not verify.
    #[must_use]
    pub fn undo(&self) -> Option<Self> {
        match self {
            Self::Stop => Some(Self::Up { recreate: false }),
            Self::RollbackImage { to, .. } => Some(Self::ForwardImage { to: to.clone()? }),
            Self::Revert { push, commit, repository } => Some(Self::Unrevert {
                commit: commit.clone()?,
                repository: repository.clone()?,
                push: *push,
            }),
            // A start of what was not running, or a restart of what was frozen, has nothing worth
            // going back to; the mark of a degraded stack stays true while the repair has failed.
            Self::Up { .. }
            | Self::DownUp
            | Self::Restart { .. }
            | Self::MarkDegraded
            | Self::ForwardImage { .. }
            | Self::Unrevert { .. }
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
            Self::RollbackImage { to: None, .. } => {
                format!("go back to the last image of {service} that worked")
            }
            Self::RollbackImage { to: Some(to), volumes } if volumes.is_empty() => {
                format!("go back to the image of {service} in {to}")
            }
            Self::RollbackImage { to: Some(to), volumes } => format!(
                "go back to the image of {service} in {to}, and lose what was written to {} since",
                volumes.join(" and ")
            ),
            Self::ForwardImage { .. } => {
                format!("put the image of {service} back that ran before")
            }
            Self::Revert { commit: None, .. } => String::from("git revert of the blamed commit"),
            Self::Revert { commit: Some(commit), push: true, .. } => {
                format!("git revert of {} and push", short(commit))
            }
            Self::Revert { commit: Some(commit), .. } => {
                format!("git revert of {}", short(commit))
            }
            Self::Unrevert { commit, .. } => {
                format!("take the git revert of {} back", short(commit))
            }
        }
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(SHORT).collect()
}
