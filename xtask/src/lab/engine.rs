//! `lab engine` and `lab env`: the private engine that tests use, for a faster loop than the whole
//! of `cargo xtask test`.

use std::fs;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::Facts;

use crate::place::{Place, program};
use crate::setup;
use crate::stage::Stages;

/// Starts the engine and leaves it running, or stops it.
pub(crate) fn engine(place: &Place, start: bool) -> Result<bool> {
    if start {
        let mut stages = Stages::default();
        let ready = setup::run(place, &mut stages);
        println!("{}", stages.table());
        if ready.facts.docker.is_none() {
            bail!("no engine was started; the table above says why");
        }
        println!("The engine stays. For tests: eval \"$(cargo xtask lab env)\"");
        return Ok(!stages.any_failed());
    }
    let facts = Facts {
        docker_cli: program(&["/usr/bin/docker", "docker"]),
        dockerd: program(&["/usr/sbin/dockerd", "dockerd"]),
        ..Facts::default()
    };
    match setup::stop_lab_engine(place, &facts)? {
        Some(pid) => println!("stopped the engine with pid {pid}"),
        None => println!("the engine does not run"),
    }
    Ok(true)
}

/// Prints the environment for tests, as shell commands.
pub(crate) fn env(place: &Place) -> Result<bool> {
    let path = place.cache.join(setup::ENV_FILE);
    let hint = "`cargo xtask lab engine start` makes the lab ready";
    let text = fs::read_to_string(&path).with_context(|| hint)?;
    print!("{text}");
    Ok(true)
}
