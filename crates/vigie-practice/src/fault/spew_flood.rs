//! `practice spew flood N_PER_SECOND SECONDS`: plain lines, very many.
//!
//! Each line carries its number, so that a reader can tell whether one is
//! missing; exactly N × SECONDS are printed.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::{args, pace};
use crate::jobs;
use crate::world::World;

const USAGE: &str = "practice spew flood N_PER_SECOND SECONDS";
const FASTEST: u32 = 1_000_000;

/// A flood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SpewFlood {
    rate: u32,
    lasting: Duration,
}

impl SpewFlood {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [rate, lasting] => Ok(Self {
                rate: args::count(rate, FASTEST, USAGE)?,
                lasting: args::lasting(lasting, USAGE)?,
            }),
            _ => Err(args::wrong(USAGE)),
        }
    }

    pub(super) fn strike(self, world: &Arc<World>) -> Result<String, String> {
        let said = format!("practice: flood {}/s for {:?}", self.rate, self.lasting);
        jobs::launch(world, "spew-flood", move |job| {
            pace::run(job, self.rate, Some(self.lasting), |number, batch| {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    batch,
                    "[DarkRP] Alice (STEAM_0:0:1000003) bought a shipment #{number}"
                );
            });
        })
        .map(|()| said)
    }
}
