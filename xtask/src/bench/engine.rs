//! `cargo xtask bench engine`: events a second through the pure engine, on one core.

use anyhow::Result;
use vigie_testkit::lab::run;

use crate::place::Place;

pub(super) fn run(place: &Place) -> Result<()> {
    let mut cargo = place.cargo();
    cargo.args(["run", "--release", "--quiet", "--package", "vigie-core"]);
    run::streamed(cargo.args(["--example", "engine_speed"]))
}
