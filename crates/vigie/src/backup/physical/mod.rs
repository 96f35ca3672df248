//! Does: a copy of a database server's own files, made while it runs, and its way back: for databases whose
//! dump takes too long to be played. The tools are those of the service's own image (`mariadb-backup`, or
//! `xtrabackup` for MySQL). It is a copy of the whole server, whatever schema the probe looks at.

mod back;
mod bench;
mod copy;
mod count;
mod home;
mod prove;
mod stream;

use serde::{Deserialize, Serialize};

use bench::Bench;
pub(super) use copy::copy;
use home::{answers, home};
pub(super) use prove::prove;

use super::database::Names;
use super::{BackupError, Manifest};
use crate::config::{Config, Method};

/// A copy's name in its snapshot.
pub(super) const COPY: &str = "server.xbstream";

/// Copies and prepares.
const TOOL: Names = ["mariadb-backup", "xtrabackup"];
/// Unpacks.
const UNPACK: Names = ["mbstream", "xbstream"];
/// Serves.
const SERVER: Names = ["mariadbd", "mysqld"];

/// Whether what a server has now can be kept before this is put in its place: a copy of a whole server
/// takes away what a dump of one schema would not bring back.
///
/// # Errors
/// It cannot.
pub(super) fn has_way_back(config: &Config, manifest: &Manifest) -> Result<(), BackupError> {
    let service = manifest.asset.service.as_deref().unwrap_or_default();
    let probe = config.file.service.get(service).and_then(|file| file.database.as_ref());
    if manifest.physical.is_none() || probe.is_some_and(|probe| probe.method == Method::Physical) {
        return Ok(());
    }
    Err(BackupError::Refused(format!(
        "this backup is of the whole server, and what is there now would be kept as a dump of {} alone; with \
         method = \"physical\" at the database of {service} it is kept whole, or bring the backup back \
         beside: --to DIR",
        manifest.asset.what
    )))
}

/// What a physical copy is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Physical {
    /// The tool that made it, with its version.
    pub tool: String,
    /// The server's version: an older one may not read it.
    pub server: String,
    /// Whether nothing was written meanwhile, so that the counted rows are exactly those of the copy.
    pub exact: bool,
}
