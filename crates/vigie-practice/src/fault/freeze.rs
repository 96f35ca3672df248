//! `practice freeze [SECONDS]`: the main loop is stuck.
//!
//! The process lives, TCP still connects (the kernel does that), and nothing
//! answers or is printed. What was asked meanwhile is answered after the thaw.

use std::time::Duration;

use super::args;
use crate::command::{Effect, Ran};

const USAGE: &str = "practice freeze [SECONDS]";

/// A freeze, with its end or until healed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Freeze {
    pub(super) lasting: Option<Duration>,
}

impl Freeze {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        Ok(Self { lasting: args::maybe_lasting(words, USAGE)? })
    }

    pub(super) fn strike(self) -> Ran {
        Ran::then("practice: freeze", Effect::Freeze(self.lasting))
    }
}
