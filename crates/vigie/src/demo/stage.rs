//! Does: one stage for one scenario: a directory, a configuration, the practice server and the
//! watch on it; everything is gone when the stage is.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::app::{App, StartError, process_runtime};
use crate::config::{Config, ConfigError};
use crate::observe::{RconLink, RconProblem};
use crate::runtime::process::Process;
use crate::runtime::{Runtime, RuntimeError};

const PASSWORD: &str = "practice-only";
const BOOT: &str = "1s";

/// What can keep the stage from being set.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The machine.
    #[error("the stage cannot be set: {0}")]
    Io(#[from] std::io::Error),
    /// The configuration, which is vigie's own.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The watch.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The practice server.
    #[error("the practice server: {0}")]
    Rcon(#[from] RconProblem),
    /// A person has had enough.
    #[error("interrupted; the practice server is stopped and nothing is left")]
    Interrupted,
    /// It never came up.
    #[error("the practice server did not become well within {limit} s; its console: {console}")]
    NotWell {
        /// Seconds waited.
        limit: u64,
        /// Its last lines.
        console: String,
    },
}

/// The stage, set and lit.
#[derive(Debug)]
pub struct Stage {
    /// The watch.
    pub app: App,
    process: Arc<Process>,
    address: String,
    directory: TempDir,
}

impl Stage {
    /// Sets the stage: starts the practice server, then the watch, and waits until it is well. It is
    /// struck again when that fails, or when `interrupted` comes first.
    ///
    /// # Errors
    /// See [`StageError`].
    pub async fn set(interrupted: impl Future<Output = ()>) -> Result<Self, StageError> {
        let directory = tempfile::Builder::new().prefix("vigie-demo-").tempdir()?;
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        std::fs::write(directory.path().join(".env"), format!("RCON_PASSWORD={PASSWORD}\n"))?;
        let path = directory.path().join("vigie.toml");
        std::fs::write(&path, configuration(&address, port)?)?;
        let config = Config::read(&path)?;
        let process = Arc::new(process_runtime(&config)?);
        let runtime: Arc<dyn Runtime> = Arc::clone(&process) as Arc<dyn Runtime>;
        let app = match App::start_on(config, runtime).await {
            Ok(app) => app,
            Err(error) => {
                process.shutdown().await;
                return Err(error.into());
            }
        };
        let stage = Self { app, process, address, directory };
        let light = async {
            stage.process.up("gmod", false).await?;
            stage.wait_well(Duration::from_secs(15)).await
        };
        let lit = tokio::select! {
            lit = light => lit,
            () = interrupted => Err(StageError::Interrupted),
        };
        match lit {
            Ok(()) => Ok(stage),
            Err(error) => {
                stage.strike().await;
                Err(error)
            }
        }
    }

    /// Waits until the watch sees the server well.
    ///
    /// # Errors
    /// When it does not become so in time.
    pub async fn wait_well(&self, limit: Duration) -> Result<(), StageError> {
        let well = async {
            loop {
                if let Ok(status) = self.app.handle().status().await
                    && status.services.iter().all(|service| service.health == "healthy")
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(limit, well).await.is_ok() {
            return Ok(());
        }
        let tail = self.process.tail("gmod", 3).await.unwrap_or_default();
        let tail: Vec<_> = tail.iter().map(|line| String::from_utf8_lossy(line)).collect();
        Err(StageError::NotWell { limit: limit.as_secs(), console: tail.join(" / ") })
    }

    /// Sends the practice server a command.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn rcon(&self, command: &str) -> Result<String, StageError> {
        let limit = Duration::from_secs(3);
        let mut link = RconLink::open(&self.address, PASSWORD, limit).await?;
        Ok(link.ask(command, limit).await?)
    }

    /// Stops the server as an operator would.
    ///
    /// # Errors
    /// When the runtime refuses.
    pub async fn operator_stop(&self) -> Result<(), StageError> {
        Ok(self.process.stop("gmod").await?)
    }

    /// Starts it as an operator would.
    ///
    /// # Errors
    /// When the runtime refuses.
    pub async fn operator_start(&self) -> Result<(), StageError> {
        Ok(self.process.up("gmod", false).await?)
    }

    /// Where the stage is, to play with.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Strikes the stage: the watch first, then the server.
    pub async fn strike(self) {
        self.app.stop().await;
        self.process.shutdown().await;
    }
}

/// A port that is free for both protocols now.
fn free_port() -> std::io::Result<u16> {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let port = udp.local_addr()?.port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(std::io::Error::other("no port is free for UDP and TCP at once"))
}

/// The demo's own configuration: the defaults' rules with shorter times, so that the tour is short.
fn configuration(address: &str, port: u16) -> std::io::Result<String> {
    let program = std::env::current_exe()?;
    let program = toml::Value::String(program.display().to_string());
    Ok(format!(
        r#"# The demo: the default rules, with shorter times so that the tour is short.
[stack]
name = "practice"
runtime = "process"

[service.gmod]
role = "game"
command = [{program}, "practice", "--bind", "127.0.0.1", "--port", "{port}", "--boot", "{BOOT}", "--players", "14", "--rcon-min-failures", "100"]
env = {{ RCON_PASSWORD = {{ env = "RCON_PASSWORD" }} }}
memory = "96MiB"
boot_grace = "20s"
a2s = {{ address = "{address}", every = "1s", timeout = "700ms" }}
rcon = {{ address = "{address}", password = {{ env = "RCON_PASSWORD" }}, every = "3s", timeout = "700ms" }}
limits = {{ exits_stable = "3s", lua_quiet = "4s", memory_for = "1s" }}

[budget]
backoff = "500ms"
"#
    ))
}
