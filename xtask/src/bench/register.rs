//! `cargo xtask bench register`: the time of `incident list`, `stats` and `similar` on a register of
//! 100,000 incidents, and the memory that asking takes. The register is made once and kept below the
//! target directory.

use std::process::Command;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::run;

use super::figures::machine;
use crate::place::Place;

const INCIDENTS: u32 = 100_000;

pub(super) fn run(place: &Place) -> Result<()> {
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "vigie"]);
    run::streamed(cargo.args(["--example", "register_speed"]))?;
    let dir = place.target().join("bench/register");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    println!("machine: {}", machine());
    println!("{INCIDENTS} incidents; median of 21, the register opened anew each time");
    let program = place.target().join("release/examples/register_speed");
    run::streamed(Command::new(program).arg(&dir).arg(INCIDENTS.to_string()))
}
