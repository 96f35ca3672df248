//! `cargo xtask bench console`: console lines a second matched on one core, against `grep -E` with
//! the same patterns on the same file, in turns.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::run;

use super::figures::{machine, percentile};
use crate::place::Place;

const LINES: usize = 2_000_000;
const ROUNDS: usize = 9;

/// Ordinary talk of a busy server, and what stands out of it, one line in fifty.
const TALK: [&str; 7] = [
    "L 03/02/2026 - 20:11:05: \"Léa<12><STEAM_0:1:4242><Team>\" say \"anyone near the bank?\"",
    "Client \"Marc\" connected (203.0.113.7:27005).",
    "[DarkRP] Marc (STEAM_0:0:77) bought a Money Printer for $1000",
    "Dropped \"Nina\" from server (Disconnect by user.)",
    "[ULX] Nina joined the game from 203.0.113.9",
    "Writing cfg/banned_user.cfg.",
    "[ServerLog] Sofia changed job to Civil Protection",
];
const LOUD: [&str; 4] = [
    "[ERROR] addons/construction/lua/autorun/server/sv_build.lua:142: attempt to index a nil value",
    "[Construction] MySQL connexion échouée: Can't connect to MySQL server on 'gmod-mysql' (111)",
    "---- Host_Changelevel ----",
    "WS: Processing 14 addons...",
];

pub(super) fn run(place: &Place) -> Result<()> {
    let dir = place.target().join("bench");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    let file = dir.join("console.log");
    fs::write(&file, log()).with_context(|| format!("cannot write {file:?}"))?;
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "vigie-core"]);
    run::streamed(cargo.args(["--example", "console_speed"]))?;
    let program = place.target().join("release/examples/console_speed");
    let patterns = run::text(Command::new(&program).arg("--patterns"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Whole processes on one core, reading included: the way `time` would see them.
        let begun = Instant::now();
        run::text(Command::new("taskset").args(["-c", "0"]).arg(&program).arg(&file))?;
        ours.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let mut grep = Command::new("taskset");
        grep.args(["-c", "0", "grep", "-E", "-c", patterns.trim()]).arg(&file);
        run::text(grep.env("LC_ALL", "C"))?;
        theirs.push(begun.elapsed().as_secs_f64());
    }
    let (vigie, grep) = (percentile(&ours, 0.5), percentile(&theirs, 0.5));
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = |time: f64| LINES as f64 / time / 1e6;
    println!("machine: {}", machine());
    println!("{LINES} lines, one in 50 matches; median of {ROUNDS}, one core, in turns");
    println!("vigie    {:6.1} M lines/s", rate(vigie));
    println!("grep -E  {:6.1} M lines/s (LC_ALL=C)", rate(grep));
    println!("ratio    {:6.2} ×", grep / vigie);
    fs::remove_file(&file).with_context(|| format!("cannot remove {file:?}"))
}

fn log() -> String {
    let mut text = String::new();
    for number in 0..LINES {
        let line = if number % 50 == 0 {
            LOUD[number / 50 % LOUD.len()]
        } else {
            TALK[number % TALK.len()]
        };
        let _ = writeln!(text, "{line}");
    }
    text
}
