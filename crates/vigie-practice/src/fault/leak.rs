//! `practice leak MIB_PER_SECOND [MAX_MIB]`: memory that is taken and used,
//! until the limit, the healing, or the kernel's out-of-memory killer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args;
use crate::jobs::{self, Job};
use crate::world::World;

const USAGE: &str = "practice leak MIB_PER_SECOND [MAX_MIB]";
const MIB: usize = 1 << 20;
const FASTEST: u32 = 4096;
const LARGEST: u32 = 65_536;
/// The limit when none is said: enough for a container, kind to a laptop.
const DEFAULT_LIMIT: u32 = 1024;
const TICK: Duration = Duration::from_millis(50);

/// A leak, in MiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leak {
    per_second: u32,
    limit: u32,
}

impl Leak {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        let (speed, limit) = match words {
            [speed] => (speed, DEFAULT_LIMIT),
            [speed, limit] => (speed, args::count(limit, LARGEST, USAGE)?),
            _ => return Err(args::wrong(USAGE)),
        };
        Ok(Self { per_second: args::count(speed, FASTEST, USAGE)?, limit })
    }

    pub(super) fn strike(self, world: &Arc<World>) -> Result<String, String> {
        let said = format!("practice: leak {} MiB/s up to {} MiB", self.per_second, self.limit);
        jobs::launch(world, "leak", move |job| self.run(job)).map(|()| said)
    }

    fn run(&self, job: &Job) {
        let begun = Instant::now();
        let mut taken: Vec<Vec<u8>> = Vec::new();
        while job.goes_on() {
            let due = begun.elapsed().as_secs_f64() * f64::from(self.per_second);
            // Checked at each piece: a fast leak must not outrun its healing.
            while (taken.len() as f64) < due.min(f64::from(self.limit)) && job.goes_on() {
                // Not zeros: pages of zeros are only a promise of the kernel.
                taken.push(vec![0xa5; MIB]);
            }
            job.world().pause(TICK);
        }
    }
}
