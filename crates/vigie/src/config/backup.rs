//! Does: `[backup]`: what is backed up, where to, when, and how long it stays.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use vigie_core::backup::{Kind, Retention};

use super::Secret;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// `[backup]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupConfig {
    /// What every repository is encrypted with.
    pub password: Secret,
    /// Where backups live, by name.
    #[serde(default)]
    pub site: BTreeMap<String, SiteConfig>,
    /// The site that is written first; the others are copied from it. The nearest one without it.
    #[serde(default)]
    pub first: Option<String>,
    /// Assets that are left out, by a name.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// When (cron in this host's time zone), or `never`.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How long they stay.
    #[serde(default)]
    pub keep: Retention,
    /// What nobody has to keep here, and why.
    #[serde(default = "elsewhere")]
    pub elsewhere: BTreeMap<String, String>,
    /// How much may be lost.
    #[serde(default)]
    pub rpo: RpoConfig,
    /// How long it may take until it is back, the whole stack as each of its parts.
    #[serde(default = "half", with = "vigie_core::span")]
    pub rto: Duration,
    /// How old the last drill may be.
    #[serde(default = "week", with = "vigie_core::span")]
    pub drill_within: Duration,
    /// How long a backup may take until it counts as late.
    #[serde(default = "half", with = "vigie_core::span")]
    pub late_after: Duration,
    /// Scheduled backups wait while so many players play, for `wait_at_most`.
    #[serde(default)]
    pub busy_players: Option<u32>,
    /// How long they wait for it.
    #[serde(default = "hours", with = "vigie_core::span")]
    pub wait_at_most: Duration,
    /// Bytes a second that go to sites other than local ones.
    #[serde(default, deserialize_with = "super::model::optional_size")]
    pub bandwidth: Option<u64>,
    /// A command for the game's console before its volume is read: `save`.
    #[serde(default)]
    pub before: Option<String>,
    /// Whether the game is paused while its volume is read.
    #[serde(default)]
    pub pause: bool,
    /// Whether the database's binary log is kept continuously, for any moment between two dumps.
    #[serde(default = "yes")]
    pub binlog: bool,
}

fn elsewhere() -> BTreeMap<String, String> {
    BTreeMap::from([(String::from("player blueprints"), String::from("on the players' disks"))])
}

const fn week() -> Duration {
    Duration::from_secs(7 * 24 * 3600)
}

const fn half() -> Duration {
    Duration::from_secs(1800)
}

const fn hours() -> Duration {
    Duration::from_secs(2 * 3600)
}

const fn yes() -> bool {
    true
}

impl BackupConfig {
    /// The site that is written first.
    #[must_use]
    pub fn primary(&self) -> Option<&str> {
        if let Some(first) = &self.first {
            return Some(first);
        }
        // The nearest one: it is written fastest, and is there when the line is not.
        let nearest =
            self.site.iter().min_by_key(|(_, site)| (site.is_off_site(), site.local.is_none()));
        nearest.map(|(name, _)| name.as_str())
    }

    /// How much of an asset may be lost.
    #[must_use]
    pub const fn rpo_of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Database | Kind::Binlog => self.rpo.database,
            Kind::Volume | Kind::Files | Kind::Project | Kind::Points => self.rpo.files,
            Kind::Image => self.rpo.images,
        }
    }
}

/// `[backup.schedule]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Databases.
    pub database: String,
    /// Volumes, mounted directories, the project, restore points.
    pub files: String,
    /// Images.
    pub images: String,
    /// Removing what expired.
    pub prune: String,
    /// Reading back a part of every site.
    pub verify: String,
    /// Drills.
    pub drill: String,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        let text = String::from;
        Self {
            database: text("0 * * * *"),
            files: text("30 4 * * *"),
            images: text("30 5 * * *"),
            prune: text("0 6 * * *"),
            verify: text("30 6 * * *"),
            drill: text("0 7 * * 0"),
        }
    }
}

impl ScheduleConfig {
    /// What a schedule says for never.
    pub const NEVER: &str = "never";

    /// All of them, with their keys.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("database", &self.database),
            ("files", &self.files),
            ("images", &self.images),
            ("prune", &self.prune),
            ("verify", &self.verify),
            ("drill", &self.drill),
        ]
    }

    /// When an asset is due.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Database | Kind::Binlog => &self.database,
            Kind::Volume | Kind::Files | Kind::Project | Kind::Points => &self.files,
            Kind::Image => &self.images,
        }
    }
}

/// `[backup.rpo]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RpoConfig {
    /// Databases.
    #[serde(with = "vigie_core::span")]
    pub database: Duration,
    /// Volumes, mounted directories, the project, restore points.
    #[serde(with = "vigie_core::span")]
    pub files: Duration,
    /// Images.
    #[serde(with = "vigie_core::span")]
    pub images: Duration,
}

impl Default for RpoConfig {
    fn default() -> Self {
        // An hour between two, and what a backup takes.
        Self { database: HOUR + HOUR / 2, files: DAY + 2 * HOUR, images: DAY + 2 * HOUR }
    }
}

/// `[backup.site.NAME]`: exactly one kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// A directory of this host.
    pub local: Option<PathBuf>,
    /// A bucket.
    pub s3: Option<S3Config>,
    /// A directory of another host.
    pub sftp: Option<SftpConfig>,
    /// A directory of a WebDAV server.
    pub webdav: Option<ServerConfig>,
    /// A server of restic's REST protocol.
    pub rest: Option<ServerConfig>,
    /// A remote of rclone's.
    pub rclone: Option<RcloneConfig>,
    /// Whether it survives the loss of this host; all but local ones do without it.
    pub off_site: Option<bool>,
    /// Whether its key can only add: nothing is forgotten or pruned there.
    pub append_only: bool,
}

impl SiteConfig {
    /// How many kinds it names.
    #[must_use]
    pub fn kinds(&self) -> usize {
        [
            self.local.is_some(),
            self.s3.is_some(),
            self.sftp.is_some(),
            self.webdav.is_some(),
            self.rest.is_some(),
            self.rclone.is_some(),
        ]
        .into_iter()
        .filter(|named| *named)
        .count()
    }

    /// Whether it survives the loss of this host.
    #[must_use]
    pub fn is_off_site(&self) -> bool {
        self.off_site.unwrap_or(self.local.is_none())
    }

    /// Where its secrets are.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Secret> {
        let s3 = self.s3.iter().map(|one| &one.secret_key);
        let servers = self.webdav.iter().chain(&self.rest).filter_map(|one| one.password.as_ref());
        s3.chain(servers).collect()
    }
}

/// `s3 = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// The server's address.
    pub endpoint: String,
    /// Its region.
    #[serde(default)]
    pub region: String,
    /// A path in the bucket.
    #[serde(default)]
    pub prefix: String,
    /// Which key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
}

/// `sftp = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SftpConfig {
    /// The host.
    pub host: String,
    /// Its port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Who logs in.
    #[serde(default)]
    pub user: String,
    /// The file of the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The directory there.
    pub path: String,
    /// The file of known hosts; the user's own without it.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
    /// Whether a host that was never seen is trusted the first time; a changed key never is.
    #[serde(default)]
    pub trust_first: bool,
}

/// `webdav = { … }` and `rest = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The server's address.
    pub url: String,
    /// WebDAV: the directory below it.
    #[serde(default)]
    pub path: String,
    /// Who logs in.
    #[serde(default)]
    pub user: String,
    /// With which password.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// `rclone = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RcloneConfig {
    /// The remote and its path: `drive:vigie`.
    pub remote: String,
    /// The file of rclone's own configuration.
    #[serde(default)]
    pub config: Option<PathBuf>,
}
