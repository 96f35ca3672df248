//! Does: a database's binary log kept by the watch, from the server into an archive of this host, and from
//! there to every site; and a database brought back to a moment between two dumps. How a log is read and
//! which pieces are needed is not decided here.

mod drill;
mod keep;
mod moment;
mod site;
mod stream;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vigie_core::backup::{Asset, Kind};
use vigie_core::binlog::{Covered, Dump, Position, Refusal, Segment, Target, pick};

use super::binlog::{Source, contents};
use super::{BackupError, Manifest};
use crate::config::Config;

pub(super) use drill::proved;
pub(super) use keep::keep;
use keep::pieces;
pub use moment::Moment;
pub(super) use moment::{only_of, restore};
pub(super) use site::{Listed, bring, listed};
pub use stream::watch;

/// Which moments a log makes possible, in seconds since 1970: all of them in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub since: i64,
    /// The last.
    pub until: i64,
}

/// Under which name it is remembered that the server of `service` is not set up to give its log.
pub(super) fn no_log(service: &str) -> String {
    format!("no-log:{service}")
}

/// The log of a service as an asset.
pub(super) fn asset(service: &str) -> Asset {
    Asset { kind: Kind::Binlog, service: Some(service.to_owned()), what: service.to_owned() }
}

/// Where the stream of a service's log is written.
fn stream_of(config: &Config, service: &str) -> PathBuf {
    config.state_directory().join("backup/binlog").join(service)
}

/// Where what was sealed is kept for long, as it is at the sites.
pub(super) fn kept_of(config: &Config, service: &str) -> PathBuf {
    config.state_directory().join("backup/binlog-kept").join(service)
}

/// Where a new chain has to begin, written by whoever brought the database back.
fn wish_of(config: &Config, service: &str) -> PathBuf {
    config.state_directory().join("backup").join(format!("binlog-{service}.begin"))
}

/// The services whose log is kept: each that has a database which is backed up.
fn services(config: &Config) -> Vec<(String, Asset)> {
    let Some(backup) = config.file.backup.as_ref().filter(|backup| backup.binlog) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, file) in &config.file.service {
        let Some(what) = file.database.as_ref().and_then(|probe| probe.schema.clone()) else {
            continue;
        };
        let database = Asset { kind: Kind::Database, service: Some(name.clone()), what };
        let log = asset(name);
        let is_out = |out: &String| database.is_called(out) || log.is_called(out);
        if !backup.exclude.iter().any(is_out) {
            found.push((name.clone(), database));
        }
    }
    found
}

/// Who reads the log of `service`: whoever the probe logs in as, where the probe looks.
fn source(config: &Config, service: &str) -> Result<Source, BackupError> {
    let client = super::keep::client(config, service)?;
    let probe = config.file.service.get(service).and_then(|file| file.database.as_ref());
    let address = super::keep::address(service, probe.map_or("", |probe| &probe.address))?;
    Ok(Source { address, user: client.user, password: client.password })
}

/// The dumps among `backups` after which a log can be played: those of `database`.
fn dumps(backups: &[Manifest], database: &Asset) -> Vec<Dump> {
    let mine = backups.iter().filter(|one| one.asset == *database);
    mine.filter_map(|one| one.place.clone()).collect()
}

/// Which moments are possible up to the latest one; nothing where no dump has a log after it.
fn span(dumps: &[Dump], segments: &[Segment], covered: Option<&Covered>) -> Option<Span> {
    let newest = dumps.iter().max_by_key(|dump| dump.taken)?;
    let last = Target::Moment(i64::MAX);
    let until = match pick(std::slice::from_ref(newest), segments, covered, &last) {
        Err(Refusal::TooLate(until)) => until,
        _ => return None,
    };
    // A second that is played in full up to there by an older dump is possible, and all after it.
    let reaches = |dump: &&Dump| {
        let one = std::slice::from_ref(*dump);
        until > dump.taken && pick(one, segments, covered, &Target::Moment(until)).is_ok()
    };
    let oldest = dumps.iter().filter(reaches).map(|dump| dump.taken).min()?;
    Some(Span { since: oldest + 1, until })
}

/// Which moments the log of `service` makes possible, by database.
pub(super) fn moments(
    config: &Config,
    service: &str,
    backups: &[Manifest],
) -> Result<BTreeMap<String, Span>, BackupError> {
    let (segments, covered) = contents(&kept_of(config, service))?;
    Ok(span_of(config, service, backups, &segments, covered.as_ref()))
}

/// The same of these pieces.
fn span_of(
    config: &Config,
    service: &str,
    backups: &[Manifest],
    segments: &[Segment],
    covered: Option<&Covered>,
) -> BTreeMap<String, Span> {
    let mut found = BTreeMap::new();
    for (_, database) in services(config).into_iter().filter(|(name, _)| name == service) {
        if let Some(span) = span(&dumps(backups, &database), segments, covered) {
            found.insert(database.name(), span);
        }
    }
    found
}

/// The logs that are kept.
pub(super) fn assets(config: &Config) -> Vec<Asset> {
    services(config).iter().map(|(service, _)| asset(service)).collect()
}

/// Asks the watch for a new chain, from `at` on: the server has another history now than the one that was
/// kept.
///
/// # Errors
/// It cannot be written.
pub(super) fn begin_anew(
    config: &Config,
    service: &str,
    at: Option<Position>,
) -> Result<(), BackupError> {
    let path = wish_of(config, service);
    let text = serde_json::to_vec(&Begin { at });
    let text = text.map_err(|error| BackupError::Damaged(error.to_string()))?;
    let part = path.with_extension("part");
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &path));
    written.map_err(|error| BackupError::File(path, error))
}

/// What is asked for instead of going on with a chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Begin {
    /// Where; with the oldest that the server has without it.
    at: Option<Position>,
}
