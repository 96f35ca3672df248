//! Makes this machine ready for tests against real components: packages, a private engine, images.
//! Everything is kept in the lab's cache, so that the second time takes seconds.
//!
//! Never touches a service of the machine: engines run on their own sockets and directories, and
//! packages are installed without being started.

mod apt;
mod engine;
mod images;
mod mariadb;
mod mariadb_new;
mod newer;
mod packages;
mod practice;
mod s3;

use std::fs;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::{Docker, Facts};

pub(crate) use apt::install;
pub(crate) use engine::{lab_engine, machine_engine, stop_lab_engine, stop_machine_engine};
pub(crate) use images::tag;

use crate::place::{Place, is_ci};
use crate::stage::{End, Stages};

/// Where the environment for tests is kept in the cache, as shell commands.
pub(crate) const ENV_FILE: &str = "env.sh";

/// What was made ready, and whether this run started the engine (and so has to stop it).
#[derive(Debug, Default)]
pub(crate) struct Ready {
    pub(crate) facts: Facts,
    pub(crate) started_engine: bool,
}

/// Makes everything ready, one stage each. What cannot be made ready is missing in the facts.
pub(crate) fn run(place: &Place, stages: &mut Stages) -> Ready {
    let mut ready = Ready::default();
    programs(place, stages, &mut ready.facts);
    stages.run("engine", || {
        soft(lab_engine(place, &mut ready.facts).map(|started| {
            ready.started_engine = started;
            let how = if started { "started" } else { "already running" };
            format!("{how} at {}", ready.facts.docker.as_deref().unwrap_or("?"))
        }))
    });
    if let Ok(docker) = client(&ready.facts) {
        images_into(place, stages, &docker, &mut ready.facts);
    }
    remember(place, &ready.facts);
    ready
}

/// Keeps the facts for `lab env`; only a convenience, so a failure is only said.
fn remember(place: &Place, facts: &Facts) {
    let line =
        |(key, value): (&str, String)| format!("export {key}='{}'\n", value.replace('\'', "'\\''"));
    let text: String = facts.to_env().into_iter().map(line).collect();
    let dir = cache(place, "");
    let kept = dir.and_then(|dir| Ok(fs::write(dir.join(ENV_FILE), text)?));
    if let Err(error) = kept {
        println!("   cannot keep the environment for `lab env`: {error:#}");
    }
}

/// The stages before an engine: packages, newer programs, the practice server.
pub(crate) fn programs(place: &Place, stages: &mut Stages, facts: &mut Facts) {
    stages.run("packages", || soft(packages::install(facts)));
    stages.run("newer docker and compose", || soft(newer::fetch(place, facts)));
    stages.run("newer restic", || soft(newer::restic(place, facts)));
    stages.run("s3 server", || soft(s3::build(place, facts)));
    stages.run("newer database", || soft(mariadb_new::fetch(place, facts)));
    stages.run("practice server", || soft(practice::build(place, facts)));
}

/// The stages after an engine: images.
pub(crate) fn images_into(place: &Place, stages: &mut Stages, docker: &Docker, facts: &mut Facts) {
    stages.run("practice image", || soft(images::practice(docker, facts)));
    stages.run("database image", || soft(mariadb::image(place, docker, facts)));
}

/// The client for the engine that the facts name.
pub(crate) fn client(facts: &Facts) -> Result<Docker> {
    let host = facts.docker.clone().context("no engine was made ready")?;
    Ok(local_client(facts)?.at(host))
}

/// A client that points at the machine's own engine until told otherwise.
fn local_client(facts: &Facts) -> Result<Docker> {
    let cli = facts.docker_cli.clone().context("the docker client is not installed")?;
    Ok(Docker::new(cli, engine::MACHINE_HOST).with_config(facts.docker_config.clone()))
}

/// A part that cannot be made ready is a failure in CI only: elsewhere, the tests that need it say
/// so one by one.
fn soft(result: Result<String>) -> Result<End> {
    match result {
        Ok(note) => Ok(End::Done(note)),
        Err(error) if is_ci() => Err(error),
        Err(error) => Ok(End::Skipped(format!("{error:#}"))),
    }
}

/// Makes the cache directory of that name.
fn cache(place: &Place, name: &str) -> Result<std::path::PathBuf> {
    let dir = place.cache.join(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    Ok(dir)
}
