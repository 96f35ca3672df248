//! What a stack is made of, before anything is written or started.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use crate::lab::{ComposeVersion, free_port};

/// Docker's restart policy of the game service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// `no`: only vigie brings it back.
    No,
    /// `unless-stopped`, as in the reference stack.
    UnlessStopped,
    /// `always`.
    Always,
    /// `on-failure`.
    OnFailure,
}

impl Restart {
    pub(super) fn yaml(self) -> &'static str {
        match self {
            // Quoted: a bare `no` is a boolean.
            Self::No => "\"no\"",
            Self::UnlessStopped => "unless-stopped",
            Self::Always => "always",
            Self::OnFailure => "on-failure",
        }
    }
}

/// The host ports of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// 27015 in the container, UDP (queries) and TCP (RCON).
    pub game: u16,
    /// 3306 in the database's container.
    pub database: u16,
}

/// A compose project to write. Fields may be set directly or through the methods.
#[derive(Debug, Clone)]
pub struct StackSpec {
    /// Compose's project name; also the prefix of container names when it is private.
    pub project: String,
    /// Whether `.env` must carry the project's name because the directory is called otherwise.
    pub names_project: bool,
    /// Container name of the game.
    pub game_container: String,
    /// Container name of the database.
    pub database_container: String,
    /// Image of the game.
    pub game_image: String,
    /// Image of the database; `None` leaves the service out.
    pub database_image: Option<String>,
    /// Host ports.
    pub ports: Ports,
    /// Publish on all interfaces, as the reference stack does, and not on 127.0.0.1 alone.
    pub public: bool,
    /// Restart policy of the game.
    pub restart: Restart,
    /// How long the practice server takes to boot, such as `2s`.
    pub boot: String,
    /// Memory limit of the game, such as `3g`.
    pub memory: String,
    /// CPU limit of the game, such as `2`.
    pub cpus: String,
    /// More environment of the game.
    pub game_env: Vec<(String, String)>,
    /// Health check of the game, as the words of a `CMD`; the reference stack has none.
    pub game_healthcheck: Option<Vec<String>>,
    /// Time between the game's health checks, and the failures that count.
    pub game_health_rhythm: (String, u32),
    /// Wait for the database's health (`service_healthy`) and not only for its start.
    pub waits_for_health: bool,
    /// Health check of the database.
    pub database_healthcheck: bool,
    /// More words for the database's command line.
    pub database_words: Vec<String>,
    /// Run an init as process 1, so that SIGTERM ends a server which does not handle it.
    pub init: bool,
    /// Make the project a git repository with a short history.
    pub git: bool,
    /// The Compose that starts it.
    pub compose: ComposeVersion,
}

impl StackSpec {
    /// The reference stack. With an offset, ports are shifted by it and every name gets `labN`.
    #[must_use]
    pub fn reference(offset: u16, database_image: &str) -> Self {
        let prefix = if offset == 0 { String::new() } else { format!("lab{offset}-") };
        Self {
            project: if offset == 0 { String::new() } else { format!("lab{offset}") },
            names_project: offset != 0,
            game_container: format!("{prefix}gmod-server"),
            database_container: format!("{prefix}gmod-mysql"),
            game_image: "projetfilrouge/gmod-server:v1.0-base".into(),
            database_image: Some(database_image.into()),
            ports: Ports {
                game: 27015_u16.saturating_add(offset),
                database: 3306_u16.saturating_add(offset),
            },
            public: false,
            restart: Restart::UnlessStopped,
            boot: "2s".into(),
            memory: "3g".into(),
            cpus: "2".into(),
            game_env: Vec::new(),
            game_healthcheck: None,
            game_health_rhythm: ("1s".into(), 2),
            waits_for_health: false,
            database_healthcheck: true,
            database_words: Vec::new(),
            init: true,
            git: true,
            compose: ComposeVersion::V2,
        }
    }

    /// A private stack for a test: the game alone, free ports, unique names, a fast boot, and no
    /// restart by Docker, so that only what is tested brings it back.
    ///
    /// # Errors
    /// When no port is free.
    pub fn private(name: &str, game_image: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let project = format!("{name}-{}-{count}", process::id());
        Ok(Self {
            names_project: true,
            game_container: format!("{project}-gmod-server"),
            database_container: format!("{project}-gmod-mysql"),
            game_image: game_image.into(),
            database_image: None,
            ports: Ports { game: free_port()?, database: free_port()? },
            restart: Restart::No,
            boot: "200ms".into(),
            memory: "256m".into(),
            cpus: "1".into(),
            git: false,
            project,
            ..Self::reference(0, "")
        })
    }

    /// Adds the database, with that image.
    #[must_use]
    pub fn database(mut self, image: &str) -> Self {
        self.database_image = Some(image.into());
        self
    }

    /// Has the database keep a binary log, as vigie asks for it.
    #[must_use]
    pub fn binlog(mut self) -> Self {
        let words = ["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW"];
        self.database_words = words.map(str::to_owned).into();
        self
    }

    /// Sets how long the practice server boots.
    #[must_use]
    pub fn boot(mut self, time: &str) -> Self {
        self.boot = time.into();
        self
    }

    /// Sets Docker's restart policy of the game.
    #[must_use]
    pub fn restart(mut self, policy: Restart) -> Self {
        self.restart = policy;
        self
    }

    /// Sets the game's memory limit.
    #[must_use]
    pub fn memory(mut self, limit: &str) -> Self {
        self.memory = limit.into();
        self
    }

    /// Adds a variable to the game's environment.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.game_env.push((key.into(), value.into()));
        self
    }

    /// Gives the game a health check: the words of a `CMD`.
    #[must_use]
    pub fn game_healthcheck(mut self, words: &[&str]) -> Self {
        self.game_healthcheck = Some(words.iter().map(|w| (*w).to_owned()).collect());
        self
    }

    /// Sets how often the game's health check asks and how many failures count.
    #[must_use]
    pub fn health_rhythm(mut self, every: &str, retries: u32) -> Self {
        self.game_health_rhythm = (every.into(), retries);
        self
    }

    /// Starts it with that Compose.
    #[must_use]
    pub fn compose(mut self, version: ComposeVersion) -> Self {
        self.compose = version;
        self
    }
}
