//! Decides what is backed up, and how people name it.

use serde::{Deserialize, Serialize};

/// What an asset is, which decides how it is kept and brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A database: a consistent dump.
    Database,
    /// What a database server wrote into its binary log since its oldest dump that is kept.
    Binlog,
    /// A named volume.
    Volume,
    /// A directory of this host that a service has mounted.
    Files,
    /// An image that a service runs.
    Image,
    /// The compose project's own files, vigie's configuration, runbooks and journal.
    Project,
    /// Every restore point of the stack.
    Points,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Database,
        Self::Binlog,
        Self::Volume,
        Self::Files,
        Self::Image,
        Self::Project,
        Self::Points,
    ];

    /// The word used in names, configuration and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Binlog => "binlog",
            Self::Volume => "volume",
            Self::Files => "files",
            Self::Image => "image",
            Self::Project => "project",
            Self::Points => "points",
        }
    }
}

/// Something that is backed up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asset {
    /// What it is.
    pub kind: Kind,
    /// The service that it belongs to; none for the project and its restore points.
    pub service: Option<String>,
    /// The schema, the database's service for its log, the volume's name, the directory relative to the project or absolute, the image's
    /// repository; empty for the project and its restore points.
    pub what: String,
}

impl Asset {
    /// Its name: `database:gmod_construction`, `binlog:mysql`, `volume:gmod_gmod-server-data`, `files:addons`,
    /// `image:gmod`, `project`, `points`.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.kind, &self.service) {
            (Kind::Project | Kind::Points, _) => self.kind.word().to_owned(),
            (Kind::Image, Some(service)) => format!("image:{service}"),
            (kind, _) => format!("{}:{}", kind.word(), self.what),
        }
    }

    /// Whether people mean it by `name`: its own name, its kind, or what stands behind the kind.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        name == self.name() || name == self.kind.word() || name == self.what && !name.is_empty()
    }
}

/// What somebody wants back: assets by a name, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name as written, without the restore point.
    pub asset: String,
    /// The one restore point of all, as written behind `points:`.
    pub point: Option<String>,
    /// As written behind the `@`: a time, or a GTID; the newest without it.
    pub at: Option<String>,
}

/// Why that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// Nothing before the `@`.
    #[error(
        "`{0}` names no asset; write ASSET or ASSET@TIME, such as database@\"2026-11-22 20:14:03\""
    )]
    NoAsset(String),
    /// Nothing behind it.
    #[error(
        "`{0}` has nothing behind the @; write a time, such as database@\"2026-11-22 20:14:03\""
    )]
    NoTime(String),
    /// Nothing behind `points:`.
    #[error("`{0}` names no restore point; write points for all, or points:NAME")]
    NoPoint(String),
}

impl std::str::FromStr for Wanted {
    type Err = WantedError;

    fn from_str(text: &str) -> Result<Self, WantedError> {
        let (asset, at) = match text.rsplit_once('@') {
            None => (text, None),
            Some((asset, at)) => (asset, Some(at.trim())),
        };
        if asset.trim().is_empty() {
            return Err(WantedError::NoAsset(text.to_owned()));
        }
        if at.is_some_and(str::is_empty) {
            return Err(WantedError::NoTime(text.to_owned()));
        }
        let (asset, point) = match asset.trim().split_once(':') {
            Some((kind, "")) if kind == Kind::Points.word() => {
                return Err(WantedError::NoPoint(text.to_owned()));
            }
            Some((kind, name)) if kind == Kind::Points.word() => (kind, Some(name.to_owned())),
            _ => (asset.trim(), None),
        };
        Ok(Self { asset: asset.to_owned(), point, at: at.map(ToOwned::to_owned) })
    }
}
