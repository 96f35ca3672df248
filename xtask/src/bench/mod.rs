//! Benchmarks: one file each in this directory, listed here. Figures go to `docs/performance.md`
//! with the command and the machine; a benchmark prints them, it does not judge them.

mod backup;
mod binlog;
mod console;
mod cost;
mod database;
mod engine;
mod figures;
mod notify;
mod player;
mod recover;
mod register;
mod scale;
mod snapshot;
mod watchers;
mod words;

use std::path::PathBuf;

use anyhow::{Result, bail};
use vigie_testkit::lab::run;

use crate::place::Place;

/// One benchmark.
struct Bench {
    /// How it is called on the command line.
    name: &'static str,
    /// What it measures, in one line.
    about: &'static str,
    /// Runs it and prints its figures.
    run: Run,
}

/// How one is run.
enum Run {
    /// Always the same.
    Fixed(fn(&Place) -> Result<()>),
    /// With options of its own, as they were typed.
    With(fn(&Place, &[String]) -> Result<()>),
}

/// All benchmarks, in the order in which they are listed. To add one: its file here, `mod` it, and
/// a row.
const BENCHES: &[Bench] = &[
    Bench {
        name: "watchers",
        about: "crash and freeze, detected and restored: vigie, monit, healthcheck + autoheal (20 min)",
        run: Run::Fixed(watchers::run),
    },
    Bench {
        name: "scale",
        about: "memory and CPU watching 2, 100 and 1,000 services",
        run: Run::Fixed(scale::run),
    },
    Bench {
        name: "engine",
        about: "events a second through the engine",
        run: Run::Fixed(engine::run),
    },
    Bench {
        name: "register",
        about: "incident list, stats and similar on a register of 100,000 incidents",
        run: Run::Fixed(register::run),
    },
    Bench {
        name: "notify",
        about: "from an incident to a channel, notices a second, a kill with 1,000 waiting (5 min)",
        run: Run::Fixed(notify::run),
    },
    Bench {
        name: "snapshot",
        about: "a second restore point after a 1 % change and a rollback, against docker save | gzip",
        run: Run::With(snapshot::run),
    },
    Bench {
        name: "backup",
        about: "a tree and an image kept, kept again and brought back, against restic, borg, tar and gzip",
        run: Run::With(backup::run),
    },
    Bench {
        name: "recover",
        about: "a host lost under load and back from a site: RTO, and seconds of rows lost (30 min)",
        run: Run::With(recover::run),
    },
    Bench {
        name: "database",
        about: "a database kept, brought back and played to a second, against mydumper and mariadb-backup",
        run: Run::With(database::run),
    },
    Bench {
        name: "console",
        about: "console lines a second, against grep -E",
        run: Run::Fixed(console::run),
    },
    Bench {
        name: "binlog",
        about: "from a commit to the sealed piece of the log, catching up (3 min)",
        run: Run::Fixed(binlog::run),
    },
];

/// Runs one by name, or lists them all.
pub(crate) fn run(place: &Place, name: Option<&str>, options: &[String]) -> Result<bool> {
    let Some(name) = name else {
        for bench in BENCHES {
            println!("{:20} {}", bench.name, bench.about);
        }
        return Ok(true);
    };
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        bail!("no benchmark is called {name}; `cargo xtask bench` lists them");
    };
    match bench.run {
        Run::With(run) => run(place, options)?,
        Run::Fixed(_) if !options.is_empty() => {
            bail!("the benchmark {name} has no options, but {} was given", options.join(" "))
        }
        Run::Fixed(run) => run(place)?,
    }
    Ok(true)
}

/// vigie as people have it.
fn vigie(place: &Place) -> Result<PathBuf> {
    let mut cargo = place.cargo();
    run::streamed(cargo.args(["build", "--release", "--quiet", "--package", "vigie"]))?;
    Ok(place.target().join("release/vigie"))
}
