//! What benchmarks on the lab's engine share: the words they can be told, and the way to the engine.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Arg, ArgMatches, Command, value_parser};
use vigie_testkit::lab::{Docker, Lab};

use crate::place::{Place, is_root};
use crate::setup;
use crate::stage::Stages;

/// A number of at least `least`.
pub(super) fn number(
    name: &'static str,
    least: i64,
    default: &'static str,
    about: &'static str,
) -> Arg {
    let number = value_parser!(u32).range(least..);
    Arg::new(name).long(name).default_value(default).value_parser(number).help(about)
}

/// A vigie that is built already.
pub(super) fn program() -> Arg {
    Arg::new("vigie")
        .long("vigie")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
        .help("A vigie that is built already [default: one for release is built]")
}

/// How long the server takes to boot.
pub(super) fn boot() -> Arg {
    let help = "How long the game server takes to boot";
    Arg::new("boot").long("boot").default_value("5s").help(help)
}

/// Reads what was typed; nothing when only help was asked for, which is printed.
pub(super) fn read(command: Command, words: &[String]) -> Result<Option<ArgMatches>> {
    match command.no_binary_name(true).try_get_matches_from(words) {
        Err(help) if !help.use_stderr() => {
            help.print()?;
            Ok(None)
        }
        other => Ok(Some(other?)),
    }
}

/// A number that was read.
pub(super) fn told(matches: &ArgMatches, name: &str) -> u32 {
    matches.get_one(name).copied().unwrap_or(1)
}

/// Runs `measure` on the lab's engine with a vigie, and stops what it had to start.
pub(super) fn on_lab(
    place: &Place,
    vigie: Option<&PathBuf>,
    measure: impl FnOnce(&Lab, PathBuf) -> Result<()>,
) -> Result<()> {
    if !is_root() {
        bail!("this reads and changes volumes of the lab's engine: run it as root");
    }
    let vigie = match vigie {
        Some(path) => path.canonicalize().with_context(|| format!("cannot find {path:?}"))?,
        None => super::vigie(place)?,
    };
    let mut stages = Stages::default();
    let ready = setup::run(place, &mut stages);
    let lab = Lab::connect(ready.facts.clone())?;
    let result = measure(&lab, vigie);
    if ready.started_engine {
        setup::stop_lab_engine(place, &ready.facts)?;
    }
    result
}

/// The images of this run, removed with it.
pub(super) struct Images<'a> {
    pub(super) docker: &'a Docker,
    pub(super) repository: &'a str,
}

impl Drop for Images<'_> {
    fn drop(&mut self) {
        let format = "{{.Repository}}:{{.Tag}}";
        let listed = self.docker.text(["images", "--format", format, self.repository]);
        for name in listed.unwrap_or_default().lines() {
            let _ = self.docker.text(["rmi", "-f", name]);
        }
    }
}
