//! Does: finds and reads the configuration, and makes the core's stack of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_core::stack::{Proofs, Role, Service, ServiceId, Settings, Stack, Thresholds};

use super::model::{EnvValue, File, LimitsConfig, ServiceConfig};
use super::{ConfigError, Secret, SiteConfig, Vault, check, load_runbooks};

/// The configuration, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it was read from.
    pub path: PathBuf,
    /// As written.
    pub file: File,
    /// As the core sees it.
    pub stack: Stack,
    /// Where the secrets are.
    pub vault: Vault,
}

impl Config {
    /// Whether the binary logs of the stack's databases are kept.
    #[must_use]
    pub fn keeps_log(&self) -> bool {
        self.file.backup.as_ref().is_some_and(|backup| backup.binlog)
    }

    /// Reads `path` and the runbooks beside it.
    ///
    /// # Errors
    /// What is wrong, where, and what to write instead.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = String::from("write one with `vigie init`, or name it with --config");
            ConfigError::whole(path, format!("cannot be read: {error}"), Some(hint))
        })?;
        Self::parse(path, &text)
    }

    /// Reads `text` as if it stood in `path`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let file: File =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
        let directory = parent(path);
        let runbooks = load_runbooks(&directory.join(&file.stack.runbooks))?;
        check::check(path, text, &file)?;
        let names: Vec<&String> = file.service.keys().collect();
        let id_of = |name: &String| {
            let at = names.iter().position(|known| *known == name);
            at.map(|at| ServiceId(u16::try_from(at).unwrap_or(u16::MAX)))
        };
        let services = file
            .service
            .iter()
            .map(|(name, config)| {
                let mut service = service(name, config);
                service.depends_on = config.depends_on.iter().filter_map(id_of).collect();
                service
            })
            .collect();
        let stack = Stack::new(&file.stack.name, services, settings(&file), runbooks);
        Ok(Self { path: path.to_owned(), vault: Vault::open(&directory), file, stack })
    }

    /// The directory that relative paths are relative to.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        let directory = parent(&self.path);
        // Absolute: programs are started from other directories.
        std::path::absolute(&directory).unwrap_or(directory)
    }

    /// Where the journal and the socket are.
    #[must_use]
    pub fn state_directory(&self) -> PathBuf {
        self.directory().join(&self.file.stack.state)
    }

    /// The control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.state_directory().join("vigie.sock")
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.state_directory().join("journal.db")
    }

    /// Every channel with its name.
    #[must_use]
    pub fn channels(&self) -> Vec<(String, super::ChannelConfig)> {
        super::channels::named(&self.file.notify)
    }

    /// Where every secret is, but for the password of the backups.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut found = Vec::new();
        for service in self.file.service.values() {
            found.extend(service.rcon.iter().map(|probe| probe.password.clone()));
            found.extend(service.database.iter().map(|probe| probe.password.clone()));
            found.extend(service.env.values().filter_map(|value| match value {
                EnvValue::Secret(secret) => Some(secret.clone()),
                EnvValue::Plain(_) => None,
            }));
        }
        found.extend(self.channels().iter().flat_map(|(_, channel)| channel.secrets()).cloned());
        let sites = self.file.backup.iter().flat_map(|backup| backup.site.values());
        found.extend(sites.flat_map(SiteConfig::secrets).cloned());
        found.extend(self.file.heartbeat.iter().map(|heartbeat| heartbeat.url.clone()));
        found
    }

    /// A service's part of the file.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&ServiceConfig> {
        self.file.service.get(&self.stack.service(id).name)
    }
}

/// Where the configuration is: `--config`, `VIGIE_CONFIG`, `./vigie.toml`, the user's and the
/// system's configuration directories.
#[must_use]
pub fn find(given: Option<&Path>) -> PathBuf {
    if let Some(path) = given {
        return path.to_owned();
    }
    let here = PathBuf::from("vigie.toml");
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let user = home.map(|home| home.join("vigie/vigie.toml"));
    let system = PathBuf::from("/etc/vigie/vigie.toml");
    let places = [Some(here.clone()), user, Some(system)];
    places.into_iter().flatten().find(|path| path.is_file()).unwrap_or(here)
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn service(name: &str, config: &ServiceConfig) -> Service {
    let mut service = Service::new(name, config.role);
    service.proofs = Proofs {
        a2s: config.a2s.is_some(),
        rcon: config.rcon.is_some(),
        tcp: config.tcp.is_some(),
        database: config.database.is_some(),
    };
    let grace = match config.role {
        Role::Game => 180,
        Role::Database | Role::Other => 60,
    };
    service.boot_grace = config.boot_grace.unwrap_or(Duration::from_secs(grace));
    service.thresholds = thresholds(&config.limits);
    service
}

fn thresholds(limits: &LimitsConfig) -> Thresholds {
    let default = Thresholds::default();
    Thresholds {
        failures: limits.failures.unwrap_or(default.failures).max(1),
        exits: limits.exits.unwrap_or(default.exits),
        exits_window: limits.exits_window.unwrap_or(default.exits_window),
        exits_stable: limits.exits_stable.unwrap_or(default.exits_stable),
        memory_pct: limits.memory_pct.unwrap_or(default.memory_pct),
        memory_high_pct: limits.memory_high_pct.unwrap_or(default.memory_high_pct),
        memory_for: limits.memory_for.unwrap_or(default.memory_for),
        cpu_pct: limits.cpu_pct.unwrap_or(default.cpu_pct),
        cpu_for: limits.cpu_for.unwrap_or(default.cpu_for),
        lua_per_minute: limits.lua_per_minute.unwrap_or(default.lua_per_minute),
        lua_quiet: limits.lua_quiet.unwrap_or(default.lua_quiet),
        abuse_per_minute: limits.abuse_per_minute.unwrap_or(default.abuse_per_minute),
        database_slow: limits.database_slow.unwrap_or(default.database_slow),
        database_connections: limits.database_connections.unwrap_or(default.database_connections),
        connections_for: default.connections_for,
        slow_queries_per_hour: limits
            .slow_queries_per_hour
            .unwrap_or(default.slow_queries_per_hour),
        map_change: limits.map_change.unwrap_or(default.map_change),
    }
}

fn settings(file: &File) -> Settings {
    let mut settings = Settings { mode: file.stack.mode, ..Settings::default() };
    let budget = &mut settings.budget;
    budget.restarts = file.budget.restarts.unwrap_or(budget.restarts);
    budget.per = file.budget.per.unwrap_or(budget.per);
    budget.backoff = file.budget.backoff.unwrap_or(budget.backoff);
    budget.backoff_max = file.budget.backoff_max.unwrap_or(budget.backoff_max);
    budget.reset_after = file.budget.reset_after.unwrap_or(budget.reset_after);
    budget.when_spent = file.budget.when_spent.unwrap_or(budget.when_spent);
    let targets = &mut settings.targets;
    targets.acknowledge = [
        file.targets.p1.unwrap_or(targets.acknowledge[0]),
        file.targets.p2.unwrap_or(targets.acknowledge[1]),
        file.targets.p3.unwrap_or(targets.acknowledge[2]),
    ];
    targets.p2_escalate = file.targets.p2_escalate.unwrap_or(targets.p2_escalate);
    settings.escalation = super::channels::levels(file);
    settings.severities = file.severity.iter().map(|(kind, config)| (*kind, config.0)).collect();
    settings.approve_timeout = file.stack.approve_timeout.unwrap_or(settings.approve_timeout);
    settings.reopen_within = file.stack.reopen_within.unwrap_or(settings.reopen_within);
    settings.host_memory_pct = file.host.memory_pct.unwrap_or(settings.host_memory_pct);
    settings
}
