//! Real Docker keeps the contract: two generations of the engine, two of Compose.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use tempfile::TempDir;
use vigie::runtime::Runtime;
use vigie::runtime::docker::{Docker, DockerConfig, DockerService};
use vigie_testkit::conformance::runtime::{RuntimeSubject, all};
use vigie_testkit::lab::{
    self, ComposeVersion, Lab, SecondEngine, Signal, docker_or_skip, facts_or_skip, send_signal,
};

use crate::puppet::Puppet;

const NAME: &str = "puppet";
/// Set in the process that does the test, see [`conform`].
pub(crate) const INNER: &str = "VIGIE_TEST_INNER";

/// What differs from test to test.
struct With<'a> {
    dockerd: Option<PathBuf>,
    container: Option<&'a str>,
    // Whether the service believes to have a terminal, as many game servers are given.
    terminal: bool,
}

/// A compose project on an engine of its own, which can be taken away.
struct Subject {
    runtime: Docker,
    puppet: Puppet,
    // Dropped in this order: the engine ends what still uses the directory.
    engine: Mutex<SecondEngine>,
    directory: TempDir,
}

impl Subject {
    fn new(image: &str, engine: SecondEngine, with: &With<'_>) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("vigie-puppet-").tempdir()?;
        let puppet = Puppet::new(directory.path().join("puppet"))?;
        let file = directory.path().join("docker-compose.yml");
        std::fs::write(&file, compose_file(image, with))?;
        let runtime = Docker::connect(DockerConfig {
            host: Some(engine.docker().host().to_owned()),
            compose_file: Some(file),
            project: None,
            directory: directory.path().to_owned(),
            services: vec![DockerService {
                name: NAME.into(),
                container: with.container.map(str::to_owned),
                has_dependencies: false,
            }],
        })?;
        Ok(Self { runtime, puppet, engine: Mutex::new(engine), directory })
    }

    fn client(&self) -> lab::Docker {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).docker().clone()
    }

    /// Does something to the engine, which takes its time.
    fn engine(&self, what: impl FnOnce(&mut lab::Engine) -> Result<()>) -> Result<()> {
        tokio::task::block_in_place(|| {
            what(self.engine.lock().unwrap_or_else(PoisonError::into_inner).engine())
        })
    }
}

/// No network: nothing of it is needed. No swap: the memory limit is one.
fn compose_file(image: &str, with: &With<'_>) -> String {
    let named =
        with.container.map(|name| format!("\n    container_name: {name}")).unwrap_or_default();
    let (memory, script) = (Puppet::MEMORY, Puppet::SCRIPT);
    format!(
        "services:
  {NAME}:
    image: {image}{named}
    entrypoint: [\"sh\", \"/puppet/{script}\"]
    restart: \"no\"
    tty: {}
    network_mode: none
    mem_limit: {memory}
    memswap_limit: {memory}
    volumes:
      - ./puppet:/puppet
",
        with.terminal
    )
}

#[async_trait]
impl RuntimeSubject for Subject {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn service(&self) -> &str {
        NAME
    }

    fn memory_limit(&self) -> Option<u64> {
        Some(Puppet::MEMORY)
    }

    async fn ready(&self) -> Result<()> {
        self.puppet.ready().await
    }

    async fn exit(&self, code: i32) -> Result<()> {
        self.puppet.exit(code).await
    }

    async fn kill_from_outside(&self) -> Result<()> {
        let client = self.client();
        let ids = client.text(["ps", "-q", "--no-trunc"])?;
        let id = ids.lines().next().context("no container runs")?;
        send_signal(lab::server_of(&client, id)?, Signal::KILL)
    }

    async fn print(&self, lines: &[String]) -> Result<()> {
        self.puppet.print(lines).await
    }

    async fn deafen(&self) -> Result<()> {
        self.puppet.deafen().await
    }

    async fn busy(&self) -> Result<()> {
        self.puppet.busy().await
    }

    async fn exhaust(&self) -> Result<bool> {
        self.puppet.exhaust().await?;
        Ok(true)
    }

    async fn lose(&self) -> Result<bool> {
        self.engine(lab::Engine::stop)?;
        Ok(true)
    }

    async fn restore(&self) -> Result<()> {
        self.engine(lab::Engine::start_again)
    }
}

/// Runs a test whose environment must be the one in which vigie finds this lab's Docker client and
/// that generation of Compose. A process cannot change its own: the test runs itself again.
fn conform(name: &str, lab: &Lab, compose: ComposeVersion, with: &With<'_>) -> Result<()> {
    on_its_own_engine(name, lab, compose, with, async |subject| all(subject).await)
}

fn on_its_own_engine(
    name: &str,
    lab: &Lab,
    compose: ComposeVersion,
    with: &With<'_>,
    test: impl AsyncFnOnce(&Subject) -> Result<()>,
) -> Result<()> {
    if std::env::var_os(INNER).is_none() {
        return in_its_own_process(&format!("docker::{name}"), lab, compose);
    }
    let image = lab.mariadb_image()?;
    let engine = match &with.dockerd {
        Some(program) => lab.engine_of(program.clone(), &[image], &[])?,
        None => lab.second_engine(&[image])?,
    };
    let subject = Subject::new(image, engine, with)?;
    tokio::runtime::Runtime::new()?.block_on(test(&subject))
}

pub(crate) fn in_its_own_process(name: &str, lab: &Lab, compose: ComposeVersion) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    lab.docker().point(&mut command);
    let empty = tempfile::tempdir()?;
    if compose == ComposeVersion::V1 {
        // Without plugins the client has no v2.
        command.env("DOCKER_CONFIG", empty.path());
    }
    command.env(INNER, "1").args(["--exact", name, "--nocapture"]);
    let output = command.output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    ensure!(output.status.success() && text.contains("1 passed"), "{text}");
    Ok(())
}

#[test]
fn the_engine_keeps_the_contract() {
    let Some(lab) = docker_or_skip("the contract of a runtime, on Docker") else { return };
    let with = With { dockerd: None, container: Some("the-puppet"), terminal: false };
    conform("the_engine_keeps_the_contract", &lab, ComposeVersion::V2, &with).unwrap();
}

#[test]
fn the_old_compose_keeps_the_contract() {
    let Some(lab) = docker_or_skip("the contract of a runtime, with Compose v1") else { return };
    let program = facts_or_skip("docker-compose", "the contract with it", |facts| facts.compose_v1);
    if program.is_none() {
        return;
    }
    let with = With { dockerd: None, container: None, terminal: false };
    conform("the_old_compose_keeps_the_contract", &lab, ComposeVersion::V1, &with).unwrap();
}

#[test]
fn a_newer_engine_keeps_the_contract() {
    let Some(lab) = docker_or_skip("the contract of a runtime, on a newer Docker") else { return };
    let newer = facts_or_skip("a newer dockerd", "the contract on it", |facts| facts.dockerd_new);
    if newer.is_none() {
        return;
    }
    let with = With { dockerd: newer, container: None, terminal: true };
    conform("a_newer_engine_keeps_the_contract", &lab, ComposeVersion::V2, &with).unwrap();
}

/// What a person's own `docker compose up` would start, vigie starts.
async fn the_override_counts(subject: &Subject) -> Result<()> {
    let file = subject.directory.path().join("docker-compose.override.yml");
    let merged = |value: &str| {
        let (service, grace) = (format!("services:\n  {NAME}:\n"), "stop_grace_period: 14s");
        format!("{service}    environment:\n      FROM: {value}\n    {grace}\n")
    };
    std::fs::write(&file, merged("override"))?;
    subject.runtime.up(NAME, false).await?;
    subject.ready().await?;
    let client = subject.client();
    let id = client.text(["ps", "-q", "--no-trunc"])?;
    let seen = client.inspect(id.trim())?;
    ensure!(seen["Config"]["Env"].to_string().contains("FROM=override"), "{seen:#}");
    let drift = subject.runtime.drift(NAME).await?;
    ensure!(drift.is_empty(), "nothing has changed, and yet: {drift:?}");
    std::fs::write(&file, merged("another"))?;
    let drift = subject.runtime.drift(NAME).await?;
    ensure!(!drift.is_empty(), "the override has changed, and nobody says so");
    // It has the time for its end that the file gives it, which is more than the engine's ten seconds.
    subject.deafen().await?;
    let begun = std::time::Instant::now();
    subject.runtime.stop(NAME).await?;
    let took = begun.elapsed().as_secs();
    ensure!((13..25).contains(&took), "it was killed after {took} s");
    Ok(())
}

#[test]
fn an_override_file_counts() {
    let Some(lab) = docker_or_skip("an override file beside the compose file") else { return };
    let with = With { dockerd: None, container: None, terminal: false };
    let (name, compose) = ("an_override_file_counts", ComposeVersion::V2);
    on_its_own_engine(name, &lab, compose, &with, the_override_counts).unwrap();
}

#[test]
fn an_override_file_counts_for_the_old_compose() {
    let Some(lab) = docker_or_skip("an override file, with Compose v1") else { return };
    let program = facts_or_skip("docker-compose", "an override with it", |facts| facts.compose_v1);
    if program.is_none() {
        return;
    }
    let with = With { dockerd: None, container: None, terminal: false };
    let (name, compose) = ("an_override_file_counts_for_the_old_compose", ComposeVersion::V1);
    on_its_own_engine(name, &lab, compose, &with, the_override_counts).unwrap();
}
