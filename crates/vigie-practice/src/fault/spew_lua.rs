//! `practice spew lua N_PER_SECOND [SECONDS]`: Lua errors of several
//! signatures, one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::lua_errors::ERRORS;
use super::{args, pace};
use crate::jobs;
use crate::world::World;

const USAGE: &str = "practice spew lua N_PER_SECOND [SECONDS]";
const FASTEST: u32 = 10_000;

/// Lua errors, until healed when no time is said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SpewLua {
    rate: u32,
    lasting: Option<Duration>,
}

impl SpewLua {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        let (rate, lasting) = words.split_first().ok_or_else(|| args::wrong(USAGE))?;
        Ok(Self {
            rate: args::count(rate, FASTEST, USAGE)?,
            lasting: args::maybe_lasting(lasting, USAGE)?,
        })
    }

    pub(super) fn strike(self, world: &Arc<World>) -> Result<String, String> {
        let said = format!("practice: {} Lua errors/s of {} signatures", self.rate, ERRORS.len());
        jobs::launch(world, "spew-lua", move |job| {
            let mut errors = ERRORS.iter().cycle();
            pace::run(job, self.rate, self.lasting, |_, batch| {
                batch.push_str(errors.next().copied().unwrap_or_default());
                // The game prints an empty line after each.
                batch.push_str("\n\n");
            });
        })
        .map(|()| said)
    }
}
