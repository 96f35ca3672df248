//! A started stack: its directory, its names, and the commands a test runs on it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{Secrets, StackSpec, project};
use crate::lab::process::{Signal, freeze, send_signal, server_of};
use crate::lab::{Compose, Docker};

/// How long one `docker stop` may take before the engine kills.
const STOP_SECONDS: &str = "2";

/// A compose project on disk, started with an engine. A private one is taken down on drop.
#[derive(Debug)]
pub struct Stack {
    /// What it was made from; `ports` and container names are found here.
    pub spec: StackSpec,
    /// Its passwords.
    pub secrets: Secrets,
    dir: PathBuf,
    docker: Docker,
    compose: Compose,
    private: Option<TempDir>,
}

impl Stack {
    /// Writes the project into `dir` without starting it; it is left alone on drop.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(dir: &Path, spec: StackSpec, docker: Docker, compose: Compose) -> Result<Self> {
        let secrets = Secrets::fresh()?;
        project::write(dir, &spec, &secrets)?;
        Ok(Self { spec, secrets, dir: dir.to_owned(), docker, compose, private: None })
    }

    pub(in crate::lab) fn start_private(
        spec: StackSpec,
        docker: Docker,
        compose: Compose,
    ) -> Result<Self> {
        let holder = tempfile::Builder::new().prefix("vigie-stack-").tempdir();
        let holder = holder.context("cannot make a directory for the stack")?;
        // Compose names a project after its directory where nothing else says so.
        let dir = holder.path().join(&spec.project);
        let mut stack = Self::write(&dir, spec, docker, compose)?;
        stack.private = Some(holder);
        stack.up()?;
        Ok(stack)
    }

    /// The project directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The client of the engine it runs on.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// The Compose that started it.
    #[must_use]
    pub fn compose_tool(&self) -> &Compose {
        &self.compose
    }

    /// Runs compose in the project.
    ///
    /// # Errors
    /// When it fails, with its last lines.
    pub fn compose<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String> {
        self.compose.text(&self.dir, args)
    }

    /// `compose up -d`.
    ///
    /// # Errors
    /// As [`Stack::compose`].
    pub fn up(&self) -> Result<()> {
        self.compose(["up", "-d"]).map(drop)
    }

    /// `compose down -v`: containers, networks and named volumes.
    ///
    /// # Errors
    /// As [`Stack::compose`].
    pub fn down(&self) -> Result<()> {
        self.compose(["down", "--volumes", "--remove-orphans", "-t", STOP_SECONDS]).map(drop)
    }

    /// The host's pid of the game server process itself, past the init.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn game_pid(&self) -> Result<i32> {
        server_of(&self.docker, &self.spec.game_container)
    }

    /// The host's pid of the database process.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn database_pid(&self) -> Result<i32> {
        server_of(&self.docker, &self.spec.database_container)
    }

    /// `kill -9` of the game server process: a crash that nobody asked Docker for.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn crash_game(&self) -> Result<()> {
        send_signal(self.game_pid()?, Signal::KILL)
    }

    /// SIGSTOP of the game server process: running for Docker, dead for players from here on.
    ///
    /// # Errors
    /// When the container does not run, or the process does not stop.
    pub fn freeze_game(&self) -> Result<()> {
        freeze(self.game_pid()?)
    }

    /// SIGCONT after [`Stack::freeze_game`].
    ///
    /// # Errors
    /// When the container does not run.
    pub fn thaw_game(&self) -> Result<()> {
        send_signal(self.game_pid()?, Signal::CONT)
    }

    /// Waits until the console of the game shows `line`.
    ///
    /// # Errors
    /// When `limit` passes first; the error ends with what the console showed.
    pub fn wait_for_console(&self, line: &str, limit: Duration) -> Result<()> {
        let name = &self.spec.game_container;
        self.docker
            .wait(line, limit, |d| d.logs(name).is_ok_and(|logs| logs.contains(line)))
            .with_context(|| self.docker.logs(name).unwrap_or_default())
    }

    /// How often the console of the game has shown `line` since the container was made; its
    /// restarts included.
    ///
    /// # Errors
    /// When there is no container.
    pub fn seen_on_console(&self, line: &str) -> Result<usize> {
        Ok(self.docker.logs(&self.spec.game_container)?.matches(line).count())
    }

    /// Waits until Docker calls the database healthy.
    ///
    /// # Errors
    /// When `limit` passes first.
    pub fn wait_for_database(&self, limit: Duration) -> Result<()> {
        let name = &self.spec.database_container;
        let healthy = |d: &Docker| d.health(name).is_ok_and(|h| h == "healthy");
        self.docker.wait("a healthy database", limit, healthy)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.private.is_none() {
            return;
        }
        // A stopped process ignores SIGTERM, and a broken compose file cannot be taken down by
        // compose: remove what the project left by its names.
        let _ = self.thaw_game();
        if self.down().is_err() {
            let names = [&self.spec.game_container, &self.spec.database_container];
            for name in names {
                let _ = self.docker.text(["rm", "-f", "-v", name]);
            }
            let volume = format!("{}_gmod-server-data", self.spec.project);
            let _ = self.docker.text(["volume", "rm", "-f", &volume]);
            let _ = self.docker.text(["network", "rm", &format!("{}_default", self.spec.project)]);
        }
    }
}
