//! The `docker` client pointed at one engine. Only a caller of commands: what they mean is up to the
//! test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fmt, thread};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::run;

/// A client program, the address of an engine, and the configuration directory to use with it.
#[derive(Debug, Clone)]
pub struct Docker {
    cli: PathBuf,
    host: String,
    config: Option<PathBuf>,
}

impl Docker {
    /// Points at the engine that listens at `host` (`unix:///…`).
    #[must_use]
    pub fn new(cli: impl Into<PathBuf>, host: impl Into<String>) -> Self {
        Self { cli: cli.into(), host: host.into(), config: None }
    }

    /// Uses `config` as `DOCKER_CONFIG`, where compose v2 is found as a plugin.
    #[must_use]
    pub fn with_config(mut self, config: Option<PathBuf>) -> Self {
        self.config = config;
        self
    }

    /// The same client pointed at another engine.
    #[must_use]
    pub fn at(&self, host: impl Into<String>) -> Self {
        Self { host: host.into(), ..self.clone() }
    }

    /// The engine's address, as for `DOCKER_HOST`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The engine's socket when it listens on one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.host.strip_prefix("unix://").map(Path::new)
    }

    /// A `docker …` command, ready for arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.cli);
        self.point(&mut command);
        command
    }

    /// Sets the environment that points any program which uses Docker (compose, vigie) at this
    /// engine, and makes it find this client first.
    pub fn point(&self, command: &mut Command) {
        if let Some(dir) = self.cli.parent().filter(|dir| dir.is_absolute()) {
            let path = env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{path}", dir.display()));
        }
        command.env("DOCKER_HOST", &self.host).env_remove("DOCKER_CONTEXT");
        // The old builder is part of every engine; buildx is a package of its own.
        command.env("DOCKER_BUILDKIT", "0");
        if let Some(config) = &self.config {
            command.env("DOCKER_CONFIG", config);
        }
    }

    /// Runs `docker ARGS` and returns what it printed.
    ///
    /// # Errors
    /// When it fails, with its last lines.
    pub fn text<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String> {
        run::text(self.command().args(args))
    }

    /// Whether the engine answers.
    #[must_use]
    pub fn answers(&self) -> bool {
        run::succeeds(self.command().args(["version", "--format", "{{.Server.Version}}"]))
    }

    /// Whether the engine has this image.
    #[must_use]
    pub fn has_image(&self, image: &str) -> bool {
        run::succeeds(self.command().args(["image", "inspect", image]))
    }

    /// `docker inspect` of a container as JSON.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn inspect(&self, container: &str) -> Result<Value> {
        let text = self.text(["inspect", "--type", "container", container])?;
        let mut all: Value = serde_json::from_str(&text).context("docker inspect is not JSON")?;
        Ok(all[0].take())
    }

    /// `State.Status` of a container: `running`, `exited`, `restarting`, `paused`…
    ///
    /// # Errors
    /// When there is no such container.
    pub fn state(&self, container: &str) -> Result<String> {
        self.text(["inspect", "--format", "{{.State.Status}}", container])
    }

    /// `State.Health.Status` of a container, empty when it has no health check.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn health(&self, container: &str) -> Result<String> {
        let format = "{{if .State.Health}}{{.State.Health.Status}}{{end}}";
        self.text(["inspect", "--format", format, container])
    }

    /// Everything the container has printed so far, both streams.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn logs(&self, container: &str) -> Result<String> {
        let out = run::output(self.command().args(["logs", container]))?;
        if !out.status.success() {
            bail!("no logs of {container}: {}", String::from_utf8_lossy(&out.stderr).trim_end());
        }
        let both = [out.stdout, out.stderr].concat();
        Ok(String::from_utf8_lossy(&both).into_owned())
    }

    /// Asks `done` every 100 ms until it says yes.
    ///
    /// # Errors
    /// When `limit` passes first.
    pub fn wait(&self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() > limit {
                bail!("waited {limit:?} at {self} for: {what}");
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl fmt::Display for Docker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docker at {}", self.host)
    }
}
