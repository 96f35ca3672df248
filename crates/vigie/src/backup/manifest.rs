//! Decides what is written beside the data of a backup, so that it can be found, brought back and
//! proved without anything else: by vigie on another host, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vigie_core::backup::Asset;
use vigie_core::binlog::Dump;
use vigie_core::snapshot::PointName;

use super::database::Count;
use super::log::Span;
use super::physical::Physical;
use super::{image, points};

/// The manifest's name in its snapshot.
pub(super) const FILE: &str = "manifest.json";
/// The tag of manifests.
const TAG: &str = "manifest";
/// A dump's name in its snapshot.
pub(super) const DUMP: &str = "dump.sql";

/// Mode, owner and group of a directory, which its snapshot does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Its mode.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// One backup of one asset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Of what.
    pub asset: Asset,
    /// When it was begun, in milliseconds since 1970.
    pub at: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Files in it.
    pub files: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Bytes that it added to the repository that was written first.
    pub added: u64,
    /// The directory itself, for trees.
    #[serde(default)]
    pub root: Option<Root>,
    /// What is in the dump: rows and checksums by table.
    #[serde(default)]
    pub tables: BTreeMap<String, Count>,
    /// What the copy is, where the server's own files were copied: then only rows are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical: Option<Physical>,
    /// Where the binary log stood.
    #[serde(default)]
    pub place: Option<Dump>,
    /// For a log: which moments it makes possible, by database.
    #[serde(default)]
    pub moments: BTreeMap<String, Span>,
    /// The image: its digest.
    #[serde(default)]
    pub image: Option<String>,
    /// The layers of the image, lowest first, which are kept once for all backups; none where the image
    /// is one archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// The restore points, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointName>,
    /// The contents of restore points, which are kept once for all backups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Where it is mounted, and by which service.
    #[serde(default)]
    pub mounted: Vec<(String, String)>,
    /// Restore points that are not in it, and why.
    #[serde(skip)]
    pub troubles: Vec<(String, String)>,
    /// The stack.
    pub stack: String,
    /// The vigie that made it.
    pub version: String,
}

impl Manifest {
    /// The labels of what it shares with other backups: layers of images, contents of restore points.
    pub(super) fn shared(&self) -> impl Iterator<Item = String> {
        let layers = self.layers.iter().map(|layer| image::label(layer));
        layers.chain(self.parts.iter().map(|part| points::label(part)))
    }

    /// The tag that data and manifest share.
    #[must_use]
    pub fn tag(at: i64) -> String {
        format!("at-{at}")
    }

    /// The tags of a manifest's snapshot.
    #[must_use]
    pub(super) fn tags(at: i64) -> String {
        format!("{TAG},{}", Self::tag(at))
    }

    /// Whether a snapshot with these tags is a manifest.
    pub(super) fn is_one(tags: &[String]) -> bool {
        tags.iter().any(|tag| tag == TAG)
    }

    /// When the backup was begun that a snapshot with these tags belongs to.
    pub(super) fn moment(tags: &[String]) -> Option<i64> {
        tags.iter().find_map(|tag| tag.strip_prefix("at-")?.parse().ok())
    }
}
