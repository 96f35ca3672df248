//! Does: proves of a log that came back that it can be played: every event with its checksum, no gap that
//! nobody noted, and as far as was recorded when it was kept. Never plays it.

use std::path::Path;

use super::span_of;
use crate::backup::binlog::{Archive, prove};
use crate::backup::{BackupError, Manifest};
use crate::config::Config;

/// Proves the log in `directory`, which is `manifest`'s; `backups` are those of the site. Blocks.
///
/// # Errors
/// What is wrong with it.
pub(in crate::backup) fn proved(
    config: &Config,
    directory: &Path,
    manifest: &Manifest,
    backups: &[Manifest],
) -> Result<String, BackupError> {
    let archive = Archive::open(directory)?;
    let proof = prove(&archive)?;
    let (segments, covered) = (archive.segments()?, archive.covered()?);
    // What was recorded was recorded of the dumps of that time.
    let dumps: Vec<Manifest> =
        backups.iter().filter(|one| one.at <= manifest.at).cloned().collect();
    let found = span_of(config, &manifest.asset.what, &dumps, &segments, covered.as_ref());
    for (database, recorded) in &manifest.moments {
        // Its dumps may be gone by now.
        let Some(found) = found.get(database) else { continue };
        if found.until < recorded.until {
            return Err(BackupError::Damaged(format!(
                "{database} could go to second {}, and comes only to {}",
                recorded.until, found.until
            )));
        }
    }
    let gaps = match proof.gaps {
        0 => String::from("no gap"),
        1 => String::from("one gap, which is known"),
        many => format!("{many} gaps, which are known"),
    };
    let ends = proof.ends.map_or_else(String::new, |at| format!(" up to {at}"));
    let (pieces, groups) = (proof.pieces, proof.groups);
    Ok(format!(
        "{pieces} pieces with {groups} transactions{ends}: every event has its checksum, {gaps}, and they go \
         as far as was recorded"
    ))
}
