//! The engines that tasks start: a private one for tests, and, for `lab up` on a machine without
//! Docker, one at the usual socket.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Docker, Engine, EngineSpec, Facts};

use super::local_client;
use crate::place::{Place, is_root};

/// Where the machine's own engine listens.
pub(super) const MACHINE_HOST: &str = "unix:///var/run/docker.sock";

/// The engine for tests: the one of `DOCKER_HOST` when it is set and answers, else a private one in
/// the cache. Says whether it was started now.
pub(crate) fn lab_engine(place: &Place, facts: &mut Facts) -> Result<bool> {
    let client = local_client(facts)?;
    if let Some(docker) = named_by_env(&client) {
        facts.docker = Some(docker.host().to_owned());
        return Ok(false);
    }
    let engine = start(lab_spec(place, facts)?, &client)?;
    facts.docker = Some(engine.docker().host().to_owned());
    Ok(engine.is_ours())
}

/// The engine for `lab up`: `DOCKER_HOST`, the machine's own, or one that is started at its socket.
/// Says whether it was started now.
pub(crate) fn machine_engine(place: &Place, facts: &mut Facts) -> Result<bool> {
    let client = local_client(facts)?;
    let named = named_by_env(&client).or_else(|| client.answers().then(|| client.clone()));
    if let Some(docker) = named {
        facts.docker = Some(docker.host().to_owned());
        return Ok(false);
    }
    let engine = start(machine_spec(place, facts)?, &client)?;
    facts.docker = Some(engine.docker().host().to_owned());
    Ok(engine.is_ours())
}

/// Ends the private engine for tests, if it runs.
pub(crate) fn stop_lab_engine(place: &Place, facts: &Facts) -> Result<Option<i32>> {
    stop(lab_spec(place, facts)?, facts)
}

/// Ends the engine that `lab up` started, if it runs; never the machine's own.
pub(crate) fn stop_machine_engine(place: &Place, facts: &Facts) -> Result<Option<i32>> {
    stop(machine_spec(place, facts)?, facts)
}

fn named_by_env(client: &Docker) -> Option<Docker> {
    let host = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty())?;
    Some(client.at(host)).filter(Docker::answers)
}

fn lab_spec(place: &Place, facts: &Facts) -> Result<EngineSpec> {
    Ok(EngineSpec::new(place.cache.join("engine"), dockerd(facts)?))
}

fn machine_spec(place: &Place, facts: &Facts) -> Result<EngineSpec> {
    let spec = EngineSpec::new(place.cache.join("machine-engine"), dockerd(facts)?);
    Ok(spec.socket("/var/run/docker.sock"))
}

fn dockerd(facts: &Facts) -> Result<PathBuf> {
    facts.dockerd.clone().context("dockerd is not installed")
}

fn start(spec: EngineSpec, client: &Docker) -> Result<Engine> {
    if spec.running_pid().is_none() && !is_root() {
        bail!("no engine is reachable and only root can start one; set DOCKER_HOST to use yours");
    }
    Engine::start(spec, client)
}

fn stop(spec: EngineSpec, facts: &Facts) -> Result<Option<i32>> {
    let Some(pid) = spec.running_pid() else { return Ok(None) };
    Engine::start(spec, &local_client(facts)?)?.stop()?;
    Ok(Some(pid))
}
