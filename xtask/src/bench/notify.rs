//! `cargo xtask bench notify`: from the record of an incident to the first byte at a channel's server, how
//! many notices a second, and what a kill with a thousand of them waiting costs. About five minutes.

use std::process::Command;

use anyhow::Result;
use vigie_testkit::lab::run;

use super::figures::machine;
use crate::place::Place;

pub(super) fn run(place: &Place) -> Result<()> {
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "vigie"]);
    run::streamed(cargo.args(["--example", "notify_speed"]))?;
    println!("machine: {}", machine());
    // The journal's writes are a part of it: on the disk that the target directory is on.
    let dir = place.target().join("bench/notify");
    std::fs::create_dir_all(&dir)?;
    let program = place.target().join("release/examples/notify_speed");
    run::streamed(Command::new(program).env("TMPDIR", &dir))
}
