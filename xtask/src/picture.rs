//! `cargo xtask picture`: makes `docs/demo.svg` from what a real run of the demo printed, colours
//! included. Nothing in it is drawn by hand.

use std::fs;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::run;

use crate::place::Place;

/// The scenarios that are shown: a crash and a freeze fit on one screen.
const SCENARIOS: [&str; 2] = ["crash", "freeze"];

pub(crate) fn make(place: &Place) -> Result<bool> {
    let mut cargo = place.cargo();
    run::streamed(cargo.args(["build", "--release", "--quiet", "--package", "vigie"]))?;
    let mut demo = std::process::Command::new(place.target().join("release/vigie"));
    demo.arg("demo").env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
    for scenario in SCENARIOS {
        demo.args(["--scenario", scenario]);
    }
    let shown = run::text(&mut demo)?;
    let text = format!("$ vigie demo --scenario {}\n{shown}", SCENARIOS.join(" --scenario "));
    let svg = anstyle_svg::Term::new().render_svg(&text);
    let file = place.root.join("docs/demo.svg");
    fs::write(&file, svg).with_context(|| format!("cannot write {file:?}"))?;
    println!("{} written", file.display());
    Ok(true)
}
