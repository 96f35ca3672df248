//! Does: what was sealed of a log, put into the repository and copied to every site. The newest backup of
//! a log has everything that is needed, so the ones before it are forgotten.

use std::path::Path;
use std::time::Duration;

use vigie_core::backup::Kind;

use super::{asset, kept_of, stream_of};
use crate::backup::binlog::{contents, gather, release, trim};
use crate::backup::keep::Keeper;
use crate::backup::work::{Done, Work};
use crate::backup::{BackupError, Catalog, Manifest};

/// How long a piece stays that is older than the oldest dump, in milliseconds: clocks differ.
const SLACK: i64 = 3_600_000;

/// Puts the log of `service` into the repository, and copies it.
///
/// # Errors
/// Why it is not there.
pub(in crate::backup) async fn keep(work: &Work<'_>, service: &str) -> Result<Done, BackupError> {
    let _lock = work.lock()?;
    let site = work.sites.primary()?;
    let repository = work.sites.open(site)?;
    let backups = work.catalog.backups_in(&repository, site)?;
    let log = asset(service);
    let (from, to) = (stream_of(work.config, service), kept_of(work.config, service));
    if !to.exists() {
        // Another host may have kept it.
        fetch(&repository, site, &backups, service, &to)?;
    }
    let mine = |one: &&Manifest| one.asset.kind == Kind::Database;
    let mine = backups.iter().filter(mine).filter(|one| one.asset.service == log.service);
    let oldest = mine.filter_map(|one| one.place.as_ref()).map(|place| place.taken).min();
    let sealed = tokio::task::spawn_blocking(move || {
        if from.exists() {
            gather(&from, &to)?;
            release(&from, &to)?;
        }
        if !to.exists() {
            return Ok(false);
        }
        if let Some(oldest) = oldest {
            trim(&to, oldest.saturating_mul(1_000).saturating_sub(SLACK))?;
        }
        contents(&to).map(|(segments, _)| !segments.is_empty())
    });
    let sealed = sealed.await.map_err(|error| BackupError::Worker(error.to_string()))??;
    if !sealed {
        return Ok(Done::Kept { kept: Vec::new(), failed: Vec::new() });
    }
    let (config, docker, catalog, tell) = (work.config, work.docker, work.catalog, work.tell);
    let keeper = Keeper { config, docker, catalog, repository, site, tell };
    let manifest = keeper.keep(&log).await?;
    let mut failed = Vec::new();
    let before: Vec<i64> =
        backups.iter().filter(|one| one.asset == log).map(|one| one.at).collect();
    forget(work, &keeper.repository, site, &log.name(), &before, &mut failed);
    for other in work.sites.others() {
        // Where nothing is forgotten, a log each minute would grow for ever: it comes with the dumps.
        if work.sites.site(other)?.append_only {
            continue;
        }
        let copied = work.copied(&keeper.repository, site, other);
        match copied.and_then(|_| work.sites.open(other)) {
            Ok(there) => forget(work, &there, other, &log.name(), &before, &mut failed),
            Err(error) => failed.push((other.to_owned(), error.to_string())),
        }
    }
    Ok(Done::Kept { kept: vec![manifest], failed })
}

/// The ones before are in the new one.
fn forget(
    work: &Work<'_>,
    repository: &vigie_backup::Repository,
    site: &str,
    name: &str,
    before: &[i64],
    failed: &mut Vec<(String, String)>,
) {
    if work.sites.site(site).is_ok_and(|site| site.append_only) {
        return;
    }
    let old = |label: &str, tags: &[String]| {
        label == name && Manifest::moment(tags).is_some_and(|at| before.contains(&at))
    };
    let done = repository.snapshots().and_then(|all| {
        let old = all.into_iter().filter(|(_, label, tags)| old(label, tags));
        let ids: Vec<_> = old.map(|(id, ..)| id).collect();
        if ids.is_empty() { Ok(()) } else { tidy(repository, &ids) }
    });
    if let Err(error) = done {
        failed.push((site.to_owned(), error.to_string()));
    }
}

/// Forgets what is not needed any more. Whoever works there is neither waited for nor a fault: the log is
/// kept, and these go with the next one, or with the next prune of that site.
fn tidy(repository: &vigie_backup::Repository, ids: &[String]) -> Result<(), vigie_backup::Error> {
    match repository.with_patience(Duration::ZERO).forget(ids) {
        Err(vigie_backup::Error::Locked { .. }) => Ok(()),
        done => done,
    }
}

/// Brings the newest log of `service` at a site into the directory `to`, which is not there yet; whether
/// there is one.
fn fetch(
    repository: &vigie_backup::Repository,
    site: &str,
    backups: &[Manifest],
    service: &str,
    to: &Path,
) -> Result<bool, BackupError> {
    let log = asset(service);
    let newest = backups.iter().filter(|one| one.asset == log).max_by_key(|one| one.at);
    let Some(newest) = newest else { return Ok(false) };
    let id = Catalog::snapshot(repository, site, &log, newest.at)?;
    let fresh = to.with_extension("part");
    let failed = |error| BackupError::File(to.to_owned(), error);
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).map_err(failed)?;
    }
    let got = repository.get_tree(&id, &fresh);
    got.map_err(|error| BackupError::Site(site.to_owned(), error))?;
    std::fs::rename(&fresh, to).map_err(failed)?;
    Ok(true)
}

/// Brings everything that there is of the log of `service` into the directory `to`, which is not there
/// yet: what the site has, and what was sealed on this host since; whether there is anything.
///
/// # Errors
/// The site, a file.
pub(in crate::backup) async fn pieces(
    work: &Work<'_>,
    site: &str,
    backups: &[Manifest],
    service: &str,
    to: &Path,
) -> Result<bool, BackupError> {
    let repository = work.sites.open(site)?;
    let mut any = fetch(&repository, site, backups, service, to)?;
    for here in [kept_of(work.config, service), stream_of(work.config, service)] {
        if !here.exists() {
            continue;
        }
        let to = to.to_owned();
        let gathered = tokio::task::spawn_blocking(move || gather(&here, &to));
        gathered.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        any = true;
    }
    Ok(any)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_somebody_works_on_is_forgotten_the_next_time() {
        let directory = tempfile::tempdir().unwrap();
        let site = directory.path().join("site");
        let repository = vigie_backup::Repository::create(&site, "a password").unwrap();
        let log = std::io::Cursor::new(b"log");
        let old = repository.put_stream("binlog:mysql", "one", "log", log, || Ok(())).unwrap();
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::thread::scope(|scope| {
            let putting =
                scope.spawn(|| repository.put_stream("other", "one", "file", reader, || Ok(())));
            // A pipe has no room for so much: it is being read, and the lock is held.
            writer.write_all(&[7; 1 << 20]).unwrap();
            tidy(&repository, std::slice::from_ref(&old.id)).unwrap();
            assert_eq!(repository.snapshots().unwrap().len(), 1);
            drop(writer);
            putting.join().unwrap().unwrap();
        });
        assert_eq!(repository.snapshots().unwrap().len(), 2);
        tidy(&repository, &[old.id]).unwrap();
        assert_eq!(repository.snapshots().unwrap().len(), 1);
    }
}
