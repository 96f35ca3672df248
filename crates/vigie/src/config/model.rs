//! Does: the shape of `vigie.toml`. Unknown keys are errors. What each key means is commented in
//! the file that `vigie init` writes and in `docs/guide/configuration.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use vigie_core::incident::{Impact, Probability, Severity, risk};
use vigie_core::learn::risk::Risk;
use vigie_core::respond::Text;
use vigie_core::stack::{Mode, Role, WhenSpent};

use super::{
    BackupConfig, EscalationConfig, NotifyConfig, PostmortemConfig, Secret, SnapshotConfig,
};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The stack as a whole.
    pub stack: StackConfig,
    /// Its services by name.
    #[serde(default)]
    pub service: BTreeMap<String, ServiceConfig>,
    /// The restart budget.
    #[serde(default)]
    pub budget: BudgetConfig,
    /// Response targets.
    #[serde(default)]
    pub targets: TargetsConfig,
    /// Severities that differ from the defaults, by symptom.
    #[serde(default)]
    pub severity: BTreeMap<vigie_core::detect::SymptomKind, SeverityConfig>,
    /// Recurring maintenance.
    #[serde(default)]
    pub maintenance: Vec<MaintenanceConfig>,
    /// Who is told.
    #[serde(default)]
    pub notify: NotifyConfig,
    /// Who is told when nobody has an incident in hand in time.
    #[serde(default)]
    pub escalation: Vec<EscalationConfig>,
    /// What is called while the watch lives.
    #[serde(default)]
    pub heartbeat: Option<HeartbeatConfig>,
    /// The host.
    #[serde(default)]
    pub host: HostConfig,
    /// The journal.
    #[serde(default)]
    pub journal: JournalConfig,
    /// What is promised.
    #[serde(default)]
    pub slo: SloConfig,
    /// Risks beside, or in place of, the shipped ones.
    #[serde(default)]
    pub risk: Vec<Risk>,
    /// Restore points.
    #[serde(default)]
    pub snapshot: SnapshotConfig,
    /// Backups.
    #[serde(default)]
    pub backup: Option<BackupConfig>,
    /// Post-mortems and their corrective actions.
    #[serde(default)]
    pub postmortem: PostmortemConfig,
}

/// Which runtime runs the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeKind {
    /// Docker, with its Compose file.
    #[default]
    Docker,
    /// Processes that vigie starts itself.
    Process,
}

/// The language of reports and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Lang {
    /// A text in this language, in English where it has no other.
    #[must_use]
    pub fn of(self, text: &Text) -> &str {
        match (self, &text.fr) {
            (Self::Fr, Some(french)) => french,
            _ => &text.en,
        }
    }
}

/// `[stack]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackConfig {
    /// The name shown to people.
    pub name: String,
    /// The runtime.
    #[serde(default)]
    pub runtime: RuntimeKind,
    /// How far vigie may go by itself.
    #[serde(default)]
    pub mode: Mode,
    /// The language of reports.
    #[serde(default)]
    pub lang: Lang,
    /// Where the journal and the socket are, relative to the file.
    #[serde(default = "default_state")]
    pub state: PathBuf,
    /// The runbooks' directory, relative to the file.
    #[serde(default = "default_runbooks")]
    pub runbooks: PathBuf,
    /// The Compose file, relative to the file.
    #[serde(default)]
    pub compose: Option<PathBuf>,
    /// The Compose project's name, when it is not the directory's.
    #[serde(default)]
    pub project: Option<String>,
    /// The Docker engine's address; `DOCKER_HOST` or the usual socket without it.
    #[serde(default)]
    pub docker_host: Option<String>,
    /// How long a person has to approve a step.
    #[serde(default, with = "optional_span")]
    pub approve_timeout: Option<Duration>,
    /// A fault that comes back within this time belongs to the incident it had.
    #[serde(default, with = "optional_span")]
    pub reopen_within: Option<Duration>,
}

fn default_state() -> PathBuf {
    PathBuf::from(".vigie")
}

fn default_runbooks() -> PathBuf {
    PathBuf::from("runbooks")
}

/// `[service.NAME]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// What it is for.
    pub role: Role,
    /// Its container's name, when Compose's labels do not tell.
    #[serde(default)]
    pub container: Option<String>,
    /// Services without which it cannot work.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Names of files in what it has mounted that are compared with the last good state when an addon
    /// fails.
    #[serde(default = "config_files")]
    pub config_files: Vec<String>,
    /// How long a start may take until boots have been seen.
    #[serde(default, with = "optional_span")]
    pub boot_grace: Option<Duration>,
    /// The Source query.
    #[serde(default)]
    pub a2s: Option<A2sConfig>,
    /// RCON.
    #[serde(default)]
    pub rcon: Option<RconConfig>,
    /// A TCP connection.
    #[serde(default)]
    pub tcp: Option<TcpConfig>,
    /// A database login.
    #[serde(default)]
    pub database: Option<DatabaseConfig>,
    /// Limits of the detectors.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// `process` only: the program and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// `process` only: its environment.
    #[serde(default)]
    pub env: BTreeMap<String, EnvValue>,
    /// `process` only: its working directory.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// `process` only: memory above which it is killed, as a kernel would.
    #[serde(default, deserialize_with = "optional_size")]
    pub memory: Option<u64>,
}

/// What a DarkRP server is configured with.
fn config_files() -> Vec<String> {
    ["sh_config.lua", "jobs.lua", "entities.lua", "server.cfg"].map(String::from).to_vec()
}

/// A variable of a process: a plain value, or where its secret is.
#[derive(Debug, Clone)]
pub enum EnvValue {
    /// As written.
    Plain(String),
    /// As revealed when the process is started.
    Secret(Secret),
}

impl<'de> Deserialize<'de> for EnvValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = EnvValue;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text in quotes, or where a secret is: { env = \"NAME\" }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EnvValue, E> {
                Ok(EnvValue::Plain(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EnvValue, A::Error> {
                Secret::deserialize(MapAccessDeserializer::new(map)).map(EnvValue::Secret)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `a2s = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct A2sConfig {
    /// Host and UDP port.
    pub address: String,
    /// Time between looks.
    #[serde(default = "seconds::<5>", with = "vigie_core::span")]
    pub every: Duration,
    /// Time for an answer.
    #[serde(default = "millis::<1500>", with = "vigie_core::span")]
    pub timeout: Duration,
}

/// `rcon = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RconConfig {
    /// Host and TCP port.
    pub address: String,
    /// Where the password is.
    pub password: Secret,
    /// Time between looks; it is also asked whenever A2S fails.
    #[serde(default = "seconds::<15>", with = "vigie_core::span")]
    pub every: Duration,
    /// Time for an answer.
    #[serde(default = "seconds::<2>", with = "vigie_core::span")]
    pub timeout: Duration,
}

/// `tcp = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpConfig {
    /// Host and port.
    pub address: String,
    /// Time between looks.
    #[serde(default = "seconds::<5>", with = "vigie_core::span")]
    pub every: Duration,
    /// Time for a connection, and for the greeting where one is expected.
    #[serde(default = "seconds::<2>", with = "vigie_core::span")]
    pub timeout: Duration,
}

/// `database = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Host and port.
    pub address: String,
    /// The user.
    pub user: String,
    /// Where the password is.
    pub password: Secret,
    /// The schema.
    #[serde(default)]
    pub schema: Option<String>,
    /// How it is backed up.
    #[serde(default)]
    pub method: Method,
    /// Time between looks.
    #[serde(default = "seconds::<5>", with = "vigie_core::span")]
    pub every: Duration,
    /// Time for an answer.
    #[serde(default = "seconds::<5>", with = "vigie_core::span")]
    pub timeout: Duration,
}

/// How a database is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The statements that make the schema again.
    #[default]
    Dump,
    /// The server's own files, all of them.
    Physical,
}

/// `limits = { … }`: all optional, defaults as in the detectors' table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    pub failures: Option<u32>,
    pub exits: Option<usize>,
    #[serde(default, with = "optional_span")]
    pub exits_window: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub exits_stable: Option<Duration>,
    pub memory_pct: Option<f32>,
    pub memory_high_pct: Option<f32>,
    #[serde(default, with = "optional_span")]
    pub memory_for: Option<Duration>,
    pub cpu_pct: Option<f32>,
    #[serde(default, with = "optional_span")]
    pub cpu_for: Option<Duration>,
    pub lua_per_minute: Option<u32>,
    #[serde(default, with = "optional_span")]
    pub lua_quiet: Option<Duration>,
    pub abuse_per_minute: Option<u32>,
    #[serde(default, with = "optional_span")]
    pub database_slow: Option<Duration>,
    pub database_connections: Option<u32>,
    pub slow_queries_per_hour: Option<u32>,
    #[serde(default, with = "optional_span")]
    pub map_change: Option<Duration>,
}

/// `[budget]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetConfig {
    pub restarts: Option<usize>,
    #[serde(default, with = "optional_span")]
    pub per: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub backoff: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub backoff_max: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub reset_after: Option<Duration>,
    pub when_spent: Option<WhenSpent>,
}

/// `[targets]`: time until an incident is acknowledged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetsConfig {
    #[serde(default, with = "optional_span")]
    pub p1: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub p2: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub p2_escalate: Option<Duration>,
    #[serde(default, with = "optional_span")]
    pub p3: Option<Duration>,
}

/// A severity: `"P2"`, or the one of a place in the risk matrix,
/// `{ probability = "low", impact = "critical" }`.
#[derive(Debug, Clone, Copy)]
pub struct SeverityConfig(pub Severity);

impl<'de> Deserialize<'de> for SeverityConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Matrix {
            probability: Probability,
            impact: Impact,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Severity;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"P1\" to \"P4\", or { probability = …, impact = … }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Severity, E> {
                Severity::deserialize(text.into_deserializer())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Severity, A::Error> {
                let at = Matrix::deserialize(MapAccessDeserializer::new(map))?;
                Ok(risk(at.probability, at.impact))
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

/// `[[maintenance]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// When it begins: five cron fields, in the host's time zone.
    pub cron: String,
    /// How long it lasts.
    #[serde(rename = "for", with = "vigie_core::span")]
    pub time: Duration,
}

/// `[host]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostConfig {
    /// Mount points or directories whose disks matter.
    #[serde(default = "root")]
    pub disks: Vec<PathBuf>,
    /// Addresses that show, when they answer on TCP, that our own network works.
    #[serde(default)]
    pub network: Vec<String>,
    /// Percent of memory available below which the host is short of it.
    #[serde(default)]
    pub memory_pct: Option<f32>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { disks: root(), network: Vec::new(), memory_pct: None }
    }
}

fn root() -> Vec<PathBuf> {
    vec![PathBuf::from("/")]
}

/// `[heartbeat]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// The address, which is its own password.
    pub url: Secret,
    /// Time between two calls.
    #[serde(default = "seconds::<60>", with = "vigie_core::span")]
    pub every: Duration,
}

/// `[journal]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// How long records are kept.
    #[serde(default = "days::<90>", with = "vigie_core::span")]
    pub keep: Duration,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { keep: days::<90>() }
    }
}

/// `[slo]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SloConfig {
    /// Percent of each month that the game servers are to be reachable.
    #[serde(default = "promised")]
    pub availability: f64,
}

impl Default for SloConfig {
    fn default() -> Self {
        Self { availability: promised() }
    }
}

const fn promised() -> f64 {
    99.0
}

const fn seconds<const N: u64>() -> Duration {
    Duration::from_secs(N)
}

const fn millis<const N: u64>() -> Duration {
    Duration::from_millis(N)
}

const fn days<const N: u64>() -> Duration {
    Duration::from_secs(N * 86_400)
}

mod optional_span {
    //! Does: reads a length of time that may be missing.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        vigie_core::span::parse(&text).map(Some).map_err(serde::de::Error::custom)
    }
}

pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_size(&text).map_err(serde::de::Error::custom)
}

pub(super) fn optional_size<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_size(&text).map(Some).map_err(serde::de::Error::custom)
}

/// Reads `"512MiB"`, `"3g"`, `"1048576"`; the units are powers of 1024.
///
/// # Errors
/// A sentence that says what a size looks like.
fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; write one like \"512MiB\" or \"3GiB\"");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).ok_or_else(wrong)
}
