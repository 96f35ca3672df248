//! Benchmarks: one file each in this directory, listed here. Figures go to `docs/performance.md`
//! with the command and the machine; a benchmark prints them, it does not judge them.

mod binlog;
mod console;
mod engine;
mod figures;
mod notify;
mod register;
mod scale;
mod watchers;

use anyhow::{Result, bail};

use crate::place::Place;

/// One benchmark.
struct Bench {
    /// How it is called on the command line.
    name: &'static str,
    /// What it measures, in one line.
    about: &'static str,
    /// Runs it and prints its figures.
    run: fn(&Place) -> Result<()>,
}

/// All benchmarks, in the order in which they are listed. To add one: its file here, `mod` it, and
/// a row.
const BENCHES: &[Bench] = &[
    Bench {
        name: "watchers",
        about: "crash and freeze, detected and restored: vigie, monit, healthcheck + autoheal (20 min)",
        run: watchers::run,
    },
    Bench {
        name: "scale",
        about: "memory and CPU watching 2, 100 and 1,000 services",
        run: scale::run,
    },
    Bench { name: "engine", about: "events a second through the engine", run: engine::run },
    Bench {
        name: "register",
        about: "incident list, stats and similar on a register of 100,000 incidents",
        run: register::run,
    },
    Bench {
        name: "notify",
        about: "from an incident to a channel, notices a second, a kill with 1,000 waiting (5 min)",
        run: notify::run,
    },
    Bench {
        name: "binlog",
        about: "from a commit to the sealed piece of the log, catching up (3 min)",
        run: binlog::run,
    },
    Bench { name: "console", about: "console lines a second, against grep -E", run: console::run },
];

/// Runs one by name, or lists them all.
pub(crate) fn run(place: &Place, name: Option<&str>) -> Result<bool> {
    let Some(name) = name else {
        for bench in BENCHES {
            println!("{:20} {}", bench.name, bench.about);
        }
        return Ok(true);
    };
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        bail!("no benchmark is called {name}; `cargo xtask bench` lists them");
    };
    (bench.run)(place).map(|()| true)
}
