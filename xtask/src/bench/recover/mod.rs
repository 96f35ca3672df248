//! `cargo xtask bench recover`: a host is lost at a random moment while a program commits rows, and comes back
//! from a site: how long until players get an answer (RTO), and how many seconds of what was acknowledged
//! are gone (RPO). Each round has a stack and a site of its own.

mod host;
mod options;
mod writer;

use std::path::Path;

use anyhow::Result;
use vigie_testkit::lab::Lab;

use super::figures::{machine, percentile};
use super::words::on_lab;
use crate::place::Place;
use host::Host;
use options::Options;

/// What a round measured.
#[derive(Debug)]
struct Round {
    /// Seconds from the command until everything answered.
    rto: f64,
    /// Seconds of each step.
    steps: Vec<(String, f64)>,
    /// Seconds between the last row that was acknowledged and the last one that came back.
    lost: f64,
    /// Rows that were acknowledged, and those of them that came back.
    rows: (usize, usize),
}

pub(super) fn run(place: &Place, words: &[String]) -> Result<()> {
    let Some(options) = Options::read(words)? else { return Ok(()) };
    on_lab(place, options.vigie.as_ref(), |lab, vigie| measure(lab, &options, &vigie))
}

fn measure(lab: &Lab, options: &Options, vigie: &Path) -> Result<()> {
    println!(
        "   {} MiB of database and {} MiB of volume; a round takes some minutes",
        options.database_mib, options.volume_mib
    );
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let mut host = Host::start(lab, vigie, options)?;
        let writer = host.write()?;
        std::thread::sleep(host::moment(options)?);
        let acknowledged = host.lose(writer)?;
        let round = host.recover(&acknowledged)?;
        println!(
            "   {number}: back after {:.1} s; {} of {} rows, {:.2} s lost",
            round.rto, round.rows.1, round.rows.0, round.lost
        );
        rounds.push(round);
    }
    print(options, &rounds);
    Ok(())
}

/// Median, and least to most.
fn spread(values: &[f64]) -> String {
    let at = |part| percentile(values, part);
    format!("{:.1} s ({:.1} to {:.1})", at(0.5), at(0.0), at(1.0))
}

fn print(options: &Options, rounds: &[Round]) {
    println!("\nmachine: {}", machine());
    println!(
        "{} MiB of database, {} MiB of volume, half of it incompressible; the game boots in {}; {} rounds, median \
         (least to most)",
        options.database_mib, options.volume_mib, options.boot, options.rounds
    );
    println!("| | |");
    println!("| --- | --- |");
    let of = |value: fn(&Round) -> f64| rounds.iter().map(value).collect::<Vec<_>>();
    println!("| RTO: until everything answered | {} |", spread(&of(|round| round.rto)));
    println!(
        "| RPO: seconds of acknowledged rows that are gone | {} |",
        spread(&of(|round| round.lost))
    );
    println!("\n| step | time |");
    println!("| --- | --- |");
    let names = rounds.first().map(|round| round.steps.iter().map(|(name, _)| name));
    for name in names.into_iter().flatten() {
        let took = rounds.iter().filter_map(|round| {
            round.steps.iter().find(|(step, _)| step == name).map(|(_, took)| *took)
        });
        println!("| {name} | {} |", spread(&took.collect::<Vec<_>>()));
    }
}
