//! `practice cpu SECONDS`: every processor that the server may use is busy.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::args;
use crate::jobs::{self, Job};
use crate::world::World;

const USAGE: &str = "practice cpu SECONDS";
/// More threads than that show nothing new.
const MOST_THREADS: usize = 8;
/// Turns between two looks at the clock.
const TURNS: u32 = 50_000;

/// Useless work.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cpu {
    lasting: Duration,
}

impl Cpu {
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [lasting] => Ok(Self { lasting: args::lasting(lasting, USAGE)? }),
            _ => Err(args::wrong(USAGE)),
        }
    }

    pub(super) fn strike(self, world: &Arc<World>) -> Result<String, String> {
        // It honours the limit of a container.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let said = format!("practice: cpu {} s on {threads} threads", self.lasting.as_secs());
        jobs::launch(world, "cpu", move |job| self.run(job, threads)).map(|()| said)
    }

    fn run(&self, job: &Job, threads: usize) {
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                // One that cannot start leaves the others to it.
                let _ = thread::Builder::new().name("cpu".to_owned()).spawn_scoped(scope, || {
                    while job.goes_on() && begun.elapsed() < self.lasting {
                        for turn in 0..TURNS {
                            std::hint::black_box(turn);
                        }
                    }
                });
            }
        });
    }
}
