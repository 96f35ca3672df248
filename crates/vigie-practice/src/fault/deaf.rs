//! `practice deaf a2s|rcon [SECONDS]`: one of the two proofs fails, the other
//! does not. A watcher that kills on one proof alone kills a living server.

use std::time::Duration;

use super::args;
use crate::command::{Effect, Ran};

const USAGE: &str = "practice deaf a2s|rcon [SECONDS]";

/// Which ear.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deaf {
    A2s(Option<Duration>),
    Rcon(Option<Duration>),
}

impl Deaf {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            ["a2s", rest @ ..] => args::maybe_lasting(rest, USAGE).map(Self::A2s),
            ["rcon", rest @ ..] => args::maybe_lasting(rest, USAGE).map(Self::Rcon),
            _ => Err(args::wrong(USAGE)),
        }
    }

    pub(super) fn strike(self) -> Ran {
        match self {
            Self::A2s(lasting) => Ran::then("practice: deaf a2s", Effect::DeafA2s(lasting)),
            Self::Rcon(lasting) => Ran::then("practice: deaf rcon", Effect::DeafRcon(lasting)),
        }
    }
}
