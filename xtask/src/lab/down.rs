//! `lab down`: takes a stack down, with its volumes and its database, and the engine after the last.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Docker, Facts};

use super::record::{self, Record};
use crate::place::{Place, program};

/// Stops the stack in `dir`. The project's files stay; its data goes.
pub(crate) fn down(place: &Place, dir: &Path) -> Result<bool> {
    let found = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let Some(record) = record::all(place).into_iter().find(|record| record.dir == found) else {
        bail!("no stack is up in {}; `cargo xtask lab list` lists them", dir.display());
    };
    if record.docker().answers() {
        take_down(&record)?;
        println!("stopped and removed: containers, networks, volumes of {}", dir.display());
    } else {
        println!("the engine at {} is gone, and the stack with it", record.host);
    }
    let data = record.dir.join("mysql-data");
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {data:?}"))?;
    }
    record.remove(place)?;
    let facts = Facts {
        docker_cli: Some(record.docker_cli.clone()),
        dockerd: program(&["/usr/sbin/dockerd", "dockerd"]),
        ..Facts::default()
    };
    record::stop_engine_after_last(place, &record.host, &facts)?;
    Ok(true)
}

fn take_down(record: &Record) -> Result<()> {
    let args = ["down", "--volumes", "--remove-orphans", "-t", "5"];
    let Err(error) = record.compose()?.text(&record.dir, args) else { return Ok(()) };
    // A compose file that its user broke cannot be taken down by compose; its labels tell the rest.
    println!("compose cannot take it down, removing by label: {error:#}");
    let docker = record.docker();
    let here = format!("label=com.docker.compose.project.working_dir={}", record.dir.display());
    let format = "{{.Label \"com.docker.compose.project\"}}";
    let names = docker.text(["ps", "-a", "--filter", &here, "--format", format])?;
    let ids = docker.text(["ps", "-aq", "--filter", &here])?;
    remove(&docker, &["rm", "-f", "-v"], &ids)?;
    let Some(project) = names.lines().next() else { return Ok(()) };
    let theirs = format!("label=com.docker.compose.project={project}");
    for kind in ["volume", "network"] {
        let left = docker.text([kind, "ls", "-q", "--filter", &theirs])?;
        remove(&docker, &[kind, "rm"], &left)?;
    }
    Ok(())
}

fn remove(docker: &Docker, verb: &[&str], ids: &str) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    docker.text(verb.iter().copied().chain(ids.lines())).map(drop)
}
