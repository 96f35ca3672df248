//! The lab as a test sees it: one engine with the images in it, both Composes, and more engines on
//! demand.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{Compose, ComposeVersion, Docker, Engine, EngineSpec, Facts, Stack, StackSpec};

/// A reachable engine and what xtask made ready in it.
#[derive(Debug, Clone)]
pub struct Lab {
    facts: Facts,
    docker: Docker,
}

impl Lab {
    /// Connects to what the environment names.
    ///
    /// # Errors
    /// When it names no lab, or the engine does not answer; the error says how to get one.
    pub fn from_env() -> Result<Self> {
        Self::connect(Facts::from_env())
    }

    /// Connects to the lab that `facts` describe.
    ///
    /// # Errors
    /// As [`Lab::from_env`].
    pub fn connect(facts: Facts) -> Result<Self> {
        let hint = "run `cargo xtask test`, or `eval \"$(cargo xtask lab env)\"` first";
        let host = facts.docker.clone();
        let host = host.with_context(|| format!("VIGIE_LAB_DOCKER is not set; {hint}"))?;
        let cli = facts.docker_cli.clone().unwrap_or_else(|| PathBuf::from("docker"));
        let docker = Docker::new(cli, host).with_config(facts.docker_config.clone());
        docker.text(["version"]).with_context(|| format!("the lab is not reachable; {hint}"))?;
        Ok(Self { facts, docker })
    }

    /// What was made ready.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The client for the lab's engine.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// A Compose of that generation.
    ///
    /// # Errors
    /// When it was not made ready.
    pub fn compose(&self, version: ComposeVersion) -> Result<Compose> {
        match version {
            ComposeVersion::V2 => Ok(Compose::v2(&self.docker)),
            ComposeVersion::V1 => {
                let program = self.facts.compose_v1.clone();
                let program = program.context("VIGIE_LAB_COMPOSE_V1 is not set")?;
                Ok(Compose::v1(&self.docker, program))
            }
        }
    }

    /// The practice server's image.
    ///
    /// # Errors
    /// When it was not made ready.
    pub fn practice_image(&self) -> Result<&str> {
        let image = self.facts.practice_image.as_deref();
        image.context("VIGIE_LAB_PRACTICE_IMAGE is not set")
    }

    /// The database's image.
    ///
    /// # Errors
    /// When it was not made ready.
    pub fn mariadb_image(&self) -> Result<&str> {
        self.facts.mariadb_image.as_deref().context("VIGIE_LAB_MARIADB_IMAGE is not set")
    }

    /// A spec for a private stack: names and ports of its own, the game alone, compose v2. Change
    /// what the test is about, then [`Lab::start`] it.
    ///
    /// # Errors
    /// When the practice image was not made ready or no port is free.
    pub fn stack(&self, name: &str) -> Result<StackSpec> {
        StackSpec::private(name, self.practice_image()?)
    }

    /// Adds the database to a spec.
    ///
    /// # Errors
    /// When the database image was not made ready.
    pub fn with_database(&self, spec: StackSpec) -> Result<StackSpec> {
        Ok(spec.database(self.mariadb_image()?))
    }

    /// Writes the project into a temporary directory and starts it. It is taken down, volumes
    /// included, when the value is dropped.
    ///
    /// # Errors
    /// When it cannot be written or does not start.
    pub fn start(&self, spec: StackSpec) -> Result<Stack> {
        self.start_on(&self.docker, spec)
    }

    /// Like [`Lab::start`], on another engine ([`SecondEngine`]) that has the images.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn start_on(&self, docker: &Docker, spec: StackSpec) -> Result<Stack> {
        let compose = self.compose(spec.compose)?.at(docker);
        Stack::start_private(spec, docker.clone(), compose)
    }

    /// Starts another private engine on directories of its own, for tests that restart or kill
    /// one, with the given images copied into it.
    ///
    /// # Errors
    /// When this is not root, or the engine does not start.
    pub fn second_engine(&self, images: &[&str]) -> Result<SecondEngine> {
        let program = self.facts.dockerd.clone().unwrap_or_else(|| PathBuf::from("dockerd"));
        self.engine_of(program, images, &[])
    }

    /// Like [`Lab::second_engine`] with the program and more flags given (the newer engine,
    /// `--live-restore`…).
    ///
    /// # Errors
    /// As [`Lab::second_engine`].
    pub fn engine_of(
        &self,
        program: PathBuf,
        images: &[&str],
        flags: &[&str],
    ) -> Result<SecondEngine> {
        let dir = tempfile::Builder::new().prefix("vigie-engine-").tempdir();
        let dir = dir.context("cannot make a directory for the engine")?;
        let spec = EngineSpec::new(dir.path(), program);
        let spec = flags.iter().fold(spec, |spec, flag| spec.flag(*flag));
        let engine = Engine::start(spec, &self.docker)?;
        let second = SecondEngine { engine, dir };
        if !images.is_empty() {
            let tar = second.dir.path().join("images.tar");
            let path = tar.to_string_lossy().into_owned();
            self.docker.text([&["save", "-o", &path], images].concat())?;
            second.engine.docker().text(["load", "-q", "-i", &path])?;
            fs::remove_file(&tar).with_context(|| format!("cannot remove {path}"))?;
        }
        Ok(second)
    }
}

/// A private engine for one test. Dropping it removes its containers, stops it and deletes its data.
#[derive(Debug)]
pub struct SecondEngine {
    engine: Engine,
    dir: TempDir,
}

impl SecondEngine {
    /// The client for it.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        self.engine.docker()
    }

    /// The engine, to stop, kill and start again.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

impl Drop for SecondEngine {
    fn drop(&mut self) {
        // An engine that a test has killed left its containers running: only it can end them.
        if self.engine.start_again().is_ok() {
            let ids = self.engine.docker().text(["ps", "-aq"]).unwrap_or_default();
            if !ids.is_empty() {
                let _ = self.engine.docker().text(["rm", "-f"].into_iter().chain(ids.lines()));
            }
        }
        let _ = self.engine.stop();
    }
}
