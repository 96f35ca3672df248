//! Decides which mitigations can be checked: a closed set, one function each in [`super::looks`].

use serde::{Deserialize, Serialize};

use super::{Facts, looks};
use crate::respond::Text;
use crate::stack::Role;

/// The closed set of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The container has a restart policy.
    RestartPolicy,
    /// The image is in a registry, not only on this machine.
    ImageInRegistry,
    /// A recent backup exists.
    BackupAge,
    /// A service waits until what it depends on is healthy.
    OrderedStart,
    /// The database has a health check.
    DatabaseHealthcheck,
    /// The configuration is in git, and a remote has what is checked out.
    GitPushed,
    /// The container has a memory limit.
    MemoryLimit,
    /// The addon rejects floods of net messages.
    RateLimiting,
    /// The game works without its database.
    WorksWithoutDatabase,
}

/// Whether a mitigation is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    Present,
    /// It is not.
    Missing,
    /// It cannot be seen.
    Unknown,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is there.
    pub state: State,
    /// What was seen, and for what is missing what to do.
    pub why: Text,
}

impl Verdict {
    pub(super) fn new(state: State, en: String, fr: String) -> Self {
        Self { state, why: Text { en, fr: Some(fr) } }
    }

    pub(super) fn say(state: State, en: &str, fr: &str) -> Self {
        Self::new(state, en.to_owned(), fr.to_owned())
    }
}

impl Check {
    /// The word used in configuration and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RestartPolicy => "restart_policy",
            Self::ImageInRegistry => "image_in_registry",
            Self::BackupAge => "backup_age",
            Self::OrderedStart => "ordered_start",
            Self::DatabaseHealthcheck => "database_healthcheck",
            Self::GitPushed => "git_pushed",
            Self::MemoryLimit => "memory_limit",
            Self::RateLimiting => "rate_limiting",
            Self::WorksWithoutDatabase => "works_without_database",
        }
    }

    /// Makes the check for the services of `role`.
    #[must_use]
    pub fn look(self, facts: &Facts, role: Option<Role>) -> Verdict {
        match self {
            Self::RestartPolicy => looks::restart_policy(facts, role),
            Self::ImageInRegistry => looks::image_in_registry(facts, role),
            Self::BackupAge => looks::backup_age(facts),
            Self::OrderedStart => looks::ordered_start(facts),
            Self::DatabaseHealthcheck => looks::database_healthcheck(facts),
            Self::GitPushed => looks::git_pushed(facts),
            Self::MemoryLimit => looks::memory_limit(facts, role),
            Self::RateLimiting => Verdict::say(
                State::Unknown,
                "it is inside the addon; only what it rejects can be seen from here",
                "elle est dans l'addon ; seul ce qu'elle rejette se voit d'ici",
            ),
            Self::WorksWithoutDatabase => Verdict::say(
                State::Unknown,
                "it only shows while the database is missing",
                "cela ne se voit que lorsque la base manque",
            ),
        }
    }
}
