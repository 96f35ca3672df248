//! `cargo xtask test`: makes the machine ready, runs every check and every test, stops what it
//! started, and closes with a table, the list of skipped tests and the totals.

mod peers;
mod skips;
mod totals;

use std::io::IsTerminal as _;
use std::num::NonZero;
use std::process::Command;

use anyhow::Result;
use vigie_testkit::lab::{Facts, SKIPS_ENV, run};

use crate::place::Place;
use crate::setup::{self, Ready};
use crate::stage::{End, Stages};
use crate::tidy;
use skips::Skips;
use totals::Totals;

/// How many tests run at once.
const THREADS_ENV: &str = "RUST_TEST_THREADS";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Only tests whose name has this, and no other check.
    pub(crate) filter: Option<String>,
    /// Whether to use real components.
    pub(crate) real: bool,
}

/// Runs everything; `false` when something failed.
pub(crate) fn run(place: &Place, options: &Options) -> Result<bool> {
    let mut stages = Stages::default();
    if options.filter.is_none() {
        checks(place, &mut stages);
    }
    let ready = if options.real { setup::run(place, &mut stages) } else { Ready::default() };
    let skips = Skips::new()?;
    let mut totals = Totals::default();
    stages.run("tests", || {
        let (end, counted) = tests(place, options, &ready.facts, &skips)?;
        totals = counted;
        Ok(end)
    });
    if options.filter.is_none() {
        stages.run("peers in python", || peers::python(place, &ready.facts));
        stages.run("peers in node", || peers::node(place, &ready.facts));
        stages.run("dependencies", || dependencies(place));
    }
    if ready.started_engine {
        stages.run("stop the engine", || {
            let pid = setup::stop_lab_engine(place, &ready.facts)?;
            Ok(End::Done(pid.map_or(String::new(), |pid| format!("pid {pid}"))))
        });
    }
    println!("{}", stages.table());
    let skipped = skips.read();
    if !skipped.is_empty() {
        println!("SKIPPED tests (each says above what it needs):");
        for (test, what) in &skipped {
            println!("  {test}: {what}");
        }
        println!();
    }
    println!("{}", totals.without(skipped.len()));
    Ok(!stages.any_failed())
}

fn checks(place: &Place, stages: &mut Stages) {
    stages.run("format", || streamed(place.cargo().args(["fmt", "--all", "--check"])));
    stages.run("tidy", || tidy::stage(place));
    stages.run("clippy", || {
        let args = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        streamed(place.cargo().args(args))
    });
    stages.run("fuzz targets", || fuzz_targets(place));
}

/// Fuzzing needs nightly; that the targets still fit the code they are for needs only a check.
fn fuzz_targets(place: &Place) -> Result<End> {
    let manifest = place.root.join("fuzz/Cargo.toml");
    let target = place.target().join("fuzz");
    let mut cargo = place.cargo();
    cargo.args(["check", "--locked", "--no-default-features", "--manifest-path"]).arg(manifest);
    streamed(cargo.arg("--target-dir").arg(target))
}

fn streamed(command: &mut Command) -> Result<End> {
    run::streamed(command).map(|()| End::Done(String::new()))
}

fn tests(place: &Place, options: &Options, facts: &Facts, skips: &Skips) -> Result<(End, Totals)> {
    let mut cargo = place.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    if std::io::stdout().is_terminal() {
        cargo.args(["--color", "always"]);
    }
    if let Some(filter) = &options.filter {
        cargo.args(["--", filter]);
    }
    for (key, value) in facts.to_env() {
        cargo.env(key, value);
    }
    cargo.env(SKIPS_ENV, skips.path());
    // Most tests wait for a server most of the time.
    if std::env::var_os(THREADS_ENV).is_none() {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        cargo.env(THREADS_ENV, (cores * 2).to_string());
    }
    // Tests reach engines by the lab's variables; none may reach the machine's own by accident.
    cargo.env_remove("DOCKER_HOST").env_remove("DOCKER_CONFIG").env_remove("DOCKER_CONTEXT");
    let (fine, totals) = totals::stream(&mut cargo)?;
    let note = totals.without(skips.read().len());
    Ok((if fine { End::Done(note) } else { End::Failed(note) }, totals))
}

/// Licences, bans and sources of dependencies; advisories need a network that tests do not have.
fn dependencies(place: &Place) -> Result<End> {
    if !run::succeeds(place.cargo().args(["deny", "--version"])) {
        return Ok(End::Skipped("cargo-deny is not installed (cargo install cargo-deny)".into()));
    }
    streamed(place.cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}
