//! `cargo xtask bench database`: a database kept, kept again when one row in a hundred is another, brought
//! back, and played to a second: vigie's dump and its physical copy beside `mydumper` and `mariadb-backup`,
//! all in one run on one server of this machine, first in turns; and what a loss under load costs.

mod moment;
mod options;
mod server;
mod tools;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use vigie_testkit::lab::run;

use super::cost::{Cost, Series, measured, used};
use super::figures::machine;
use crate::place::{Place, is_root, program};
use crate::setup;
use options::Options;
use server::Server;
use tools::{ALL, Room, Tool};

pub(super) fn run(place: &Place, words: &[String]) -> Result<()> {
    let Some(options) = Options::read(words)? else { return Ok(()) };
    let mariadbd = program(&["/usr/sbin/mariadbd", "mariadbd"]);
    let mariadbd = mariadbd.context("no mariadbd; `cargo xtask test` installs it")?;
    if is_root() && tools::missing().is_err() {
        setup::install(&tools::PACKAGES.map(|one| one.0))?;
    }
    tools::missing()?;
    let vigie = match &options.vigie {
        Some(path) => path.canonicalize().with_context(|| format!("cannot find {path:?}"))?,
        None => super::vigie(place)?,
    };
    let room = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
    println!("   a database of {} MiB", options.mib);
    for (name, words) in [("mydumper", "--version"), ("mariadb-backup", "--version")] {
        let said = run::output(Command::new(name).arg(words))?;
        let said = [said.stdout, said.stderr].concat();
        println!("   {}", String::from_utf8_lossy(&said).lines().next().unwrap_or_default());
    }
    let all = rounds(&options, &mariadbd, &vigie, room.path())?;
    print(&options, &all);
    if options.transactions > 0 {
        moment::run(&options, &mariadbd, &vigie, &room.path().join("moment"))?;
    }
    Ok(())
}

/// Every program in every round.
fn rounds(options: &Options, mariadbd: &Path, vigie: &Path, room: &Path) -> Result<[Series; 4]> {
    let mut all: [Series; 4] = std::array::from_fn(|_| Series::default());
    let mut source = Server::make(mariadbd, &room.join("source"))?;
    source.begin()?;
    source.settle()?;
    source.fill(options.mib)?;
    let rows = source.rows()?;
    for round in 0..options.rounds {
        let order = (0..ALL.len()).map(|place| (place + round as usize) % ALL.len());
        let order: Vec<_> = order.collect();
        let at = |index: usize| Room { vigie, at: room.join(format!("tool-{index}")) };
        let mut sizes = [0.0; 4];
        for turn in [1, 2] {
            if turn == 2 {
                source.change()?;
            }
            for index in order.iter().copied() {
                let (tool, room) = (ALL[index], at(index));
                if turn == 1 {
                    room.begin(tool, &source)?;
                }
                run::quiet(&mut Command::new("sync"))?;
                let cost = measured(&mut room.keep(tool, &source, turn))?;
                let size = used(&room.kept())?;
                if turn == 1 {
                    all[index].first.push(cost);
                    sizes[index] = size;
                } else {
                    all[index].second.push(cost);
                    all[index].sizes.push((sizes[index], size));
                }
                println!("   {} {turn}: {:.2} s, {size:.0} MiB", tool.name(), cost.wall);
            }
        }
        for index in order {
            let (tool, place) = (ALL[index], at(index));
            let cost = back(tool, &place, mariadbd, rows)?;
            println!("   {} back: {:.2} s", tool.name(), cost.wall);
            all[index].restore.push(cost);
            fs::remove_dir_all(&place.at)?;
        }
    }
    Ok(all)
}

/// Brings the second backup back on an empty server, or into a directory that one is started on; everything
/// has to be there.
fn back(tool: Tool, place: &Room<'_>, mariadbd: &Path, rows: u64) -> Result<Cost> {
    let at = place.at.join("target");
    let mut server;
    let cost;
    run::quiet(&mut Command::new("sync"))?;
    if tool.is_physical() {
        fs::create_dir_all(&at)?;
        server = Server::over(mariadbd, &at)?;
        cost = measured(&mut place.restore(tool, &server, 2, &at.join("data")))?;
        let took = server.begin()?;
        println!(
            "   {}: a server answers on it after {:.2} s more",
            tool.name(),
            took.as_secs_f64()
        );
    } else {
        server = Server::make(mariadbd, &at)?;
        server.begin()?;
        server.settle()?;
        if tool == Tool::Dump {
            place.point(tool, &server, &["true".to_owned()], false)?;
        }
        cost = measured(&mut place.restore(tool, &server, 2, &at))?;
    }
    let found = server.rows()?;
    ensure!(found == rows, "{} brought back {found} rows of {rows}", tool.name());
    Ok(cost)
}

fn print(options: &Options, all: &[Series; 4]) {
    println!("\n{}\n", machine());
    println!(
        "{} MiB database, {} rounds; wall s / CPU s / memory MiB, medians\n",
        options.mib, options.rounds
    );
    println!("| | first | second, 1 % changed | restore | kept, first and second MiB |");
    println!("| --- | --- | --- | --- | --- |");
    for (tool, series) in ALL.into_iter().zip(all) {
        println!("{}", series.row(tool.name()));
    }
}
