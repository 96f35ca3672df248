//! `lab up`: writes the reference stack into a directory, starts it, and says how to use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{ComposeVersion, Facts, Stack, StackSpec};

use super::record::{self, Record};
use crate::place::Place;
use crate::setup;
use crate::stage::{End, Stages};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) dir: PathBuf,
    pub(crate) offset: u16,
    pub(crate) compose: ComposeVersion,
    pub(crate) boot: String,
    pub(crate) public: bool,
}

/// Makes the machine ready and starts the stack.
pub(crate) fn up(place: &Place, wanted: &Wanted) -> Result<bool> {
    let start = Instant::now();
    let dir = &wanted.dir;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {dir:?}"))?;
    let dir = dir.canonicalize().with_context(|| format!("cannot find {dir:?}"))?;
    refuse_a_second(place, &dir, wanted.offset)?;

    let mut stages = Stages::default();
    let mut facts = Facts::default();
    setup::programs(place, &mut stages, &mut facts);
    let mut started = false;
    stages.run("engine", || {
        started = setup::machine_engine(place, &mut facts)?;
        let how = if started { "started one at" } else { "using" };
        Ok(End::Done(format!("{how} {}", facts.docker.as_deref().unwrap_or("?"))))
    });
    let docker = setup::client(&facts).context("no engine to run the stack on")?;
    setup::images_into(place, &mut stages, &docker, &mut facts);

    let practice = facts.practice_image.clone().context("the practice image was not made")?;
    let database = facts.mariadb_image.clone().context("the database image was not made")?;
    let mut spec = StackSpec::reference(wanted.offset, &database).boot(&wanted.boot);
    spec.compose = wanted.compose;
    spec.public = wanted.public;
    setup::tag(&docker, &practice, &spec.game_image)?;
    let record = Record {
        offset: wanted.offset,
        dir: dir.clone(),
        compose: wanted.compose,
        host: docker.host().to_owned(),
        docker_cli: facts.docker_cli.clone().context("no docker client")?,
        docker_config: facts.docker_config.clone(),
        compose_v1: facts.compose_v1.clone(),
    };
    let compose = record.compose()?;
    let stack = Stack::write(&dir, spec, docker, compose)?;
    // From here on `lab down` has something to take down, even when the start fails halfway.
    record.save(place)?;
    let ran = stages.run("stack", || {
        stack.up()?;
        stack.wait_for_database(Duration::from_secs(90))?;
        stack.wait_for_console("VAC secure mode is activated", Duration::from_secs(90))?;
        Ok(End::Done(format!("compose {}", wanted.compose)))
    });
    if !ran {
        bail!("the stack did not come up; `cargo xtask lab down {}` cleans up", dir.display());
    }
    println!("{}", stages.table());
    explain(&stack, &record, started, start.elapsed());
    Ok(true)
}

fn refuse_a_second(place: &Place, dir: &Path, offset: u16) -> Result<()> {
    for record in record::all(place) {
        let there = record.dir.display();
        if record.offset == offset || record.dir == dir {
            bail!(
                "a stack with offset {} is up in {there}; `cargo xtask lab down {there}` first, or choose another --offset",
                record.offset
            );
        }
    }
    let data = dir.join("mysql-data");
    if fs::read_dir(&data).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{data:?} holds a database with older passwords; remove it, or choose another DIR");
    }
    Ok(())
}

fn explain(stack: &Stack, record: &Record, started: bool, took: Duration) {
    let spec = &stack.spec;
    let dir = record.dir.display();
    println!("The reference stack is up after {:.1} s.", took.as_secs_f64());
    println!("  game      {}  127.0.0.1:{} (udp and tcp)", spec.game_container, spec.ports.game);
    println!("  database  {}  127.0.0.1:{}", spec.database_container, spec.ports.database);
    println!("  project   {dir} (docker-compose.yml; passwords in .env, mode 0600)");
    let machine = if started { "; started for this lab, it stops with the last one" } else { "" };
    println!("  engine    {}{machine}", record.host);
    println!("To use it:");
    println!("  cd {dir}");
    if record.host != "unix:///var/run/docker.sock" {
        println!("  export DOCKER_HOST={}", record.host);
    }
    match (record.compose, &record.docker_config) {
        (ComposeVersion::V1, _) => println!("  docker-compose ps"),
        (ComposeVersion::V2, None) => println!("  docker compose ps"),
        (ComposeVersion::V2, Some(config)) => {
            println!("  export DOCKER_CONFIG={}", config.display());
            println!("  {} compose ps", record.docker_cli.display());
        }
    }
    println!("To stop it:\n  cargo xtask lab down {dir}");
}
