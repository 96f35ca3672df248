//! Does: the documented exit codes, and errors on their way to the person.

use std::process::ExitCode;

/// How a command ended; the numbers are in every `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: fine.
    Fine,
    /// 1: a finding, a failed verify, or anything unknown.
    Finding,
    /// 2: usage or configuration.
    Usage,
    /// 3: the runtime, or the watch, cannot be reached.
    Unreachable,
    /// 4: refused by a guard.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Refused => 4,
        })
    }
}

impl From<crate::backup::Class> for Exit {
    fn from(class: crate::backup::Class) -> Self {
        use crate::backup::Class;
        match class {
            Class::Usage => Self::Usage,
            Class::Unreachable => Self::Unreachable,
            Class::Refused => Self::Refused,
            Class::Finding => Self::Finding,
        }
    }
}

/// A command that could not be done: what to say and how to exit.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The error.
    pub error: anyhow::Error,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// A failure that is said in one sentence.
    pub fn say(exit: Exit, text: impl std::fmt::Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{text}") }
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<crate::control::ControlError> for Failure {
    fn from(error: crate::control::ControlError) -> Self {
        Self::new(Exit::Unreachable, error)
    }
}

impl From<crate::store::JournalError> for Failure {
    fn from(error: crate::store::JournalError) -> Self {
        Self::new(Exit::Finding, error)
    }
}

impl From<crate::runtime::RuntimeError> for Failure {
    fn from(error: crate::runtime::RuntimeError) -> Self {
        let exit = if error.is_lost() { Exit::Unreachable } else { Exit::Finding };
        Self::new(exit, error)
    }
}

impl From<crate::app::StartError> for Failure {
    fn from(error: crate::app::StartError) -> Self {
        match error {
            crate::app::StartError::Runtime(error) => error.into(),
            error => Self::new(Exit::Finding, error),
        }
    }
}

impl From<crate::doctor::DoctorError> for Failure {
    fn from(error: crate::doctor::DoctorError) -> Self {
        use crate::doctor::DoctorError as Error;
        let exit = match error {
            Error::NoFile(_) | Error::Unreadable(..) | Error::Malformed(..) => Exit::Usage,
            Error::Changed(_) => Exit::Refused,
            Error::Unwritable(..) => Exit::Finding,
        };
        Self::new(exit, error)
    }
}

impl From<crate::up::UpError> for Failure {
    fn from(error: crate::up::UpError) -> Self {
        use crate::up::UpError as Error;
        let exit = match error {
            Error::Runtime(error) => return error.into(),
            Error::Control(error) => return error.into(),
            Error::Journal(error) => return error.into(),
            Error::NoCompose => Exit::Usage,
            Error::Busy(..) | Error::Refused(_) => Exit::Refused,
            Error::NotWell { .. } | Error::NotVerified(_) => Exit::Finding,
        };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Finding, error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Exit::Finding, error)
    }
}
