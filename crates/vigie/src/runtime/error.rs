//! Does: what can go wrong with a runtime, said so that a person knows what to try next.

use std::time::Duration;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// Nobody answers.
    #[error("the {runtime} runtime cannot be reached: {why}; {next}")]
    Unreachable {
        /// Which runtime.
        runtime: &'static str,
        /// The cause.
        why: String,
        /// What to try.
        next: String,
    },
    /// It answered, and refused.
    #[error("{what} {service}: {why}")]
    Refused {
        /// What was asked, as a verb.
        what: &'static str,
        /// On which service.
        service: String,
        /// What it said.
        why: String,
    },
    /// It did not answer in time.
    #[error("{what} {service}: no answer within {} s", .limit.as_secs())]
    Timeout {
        /// What was asked, as a verb.
        what: &'static str,
        /// On which service.
        service: String,
        /// The limit.
        limit: Duration,
    },
    /// The service is not part of the stack's definition.
    #[error("there is no service `{service}`; the stack has: {known}")]
    Unknown {
        /// The name asked for.
        service: String,
        /// The names there are.
        known: String,
    },
}

impl RuntimeError {
    /// Whether the same call can succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Refused { .. } | Self::Unknown { .. } => false,
        }
    }

    /// Whether the runtime itself is away, as opposed to one call failing.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
