//! Does: a database brought to a moment between two dumps: the newest dump before it, then the log up to
//! it. In place, the games stand meanwhile and what was there is dumped first. Never plays across a gap.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use vigie_backup::Repository;
use vigie_core::binlog::{Target, pick};
use vigie_core::stack::Role;

use super::{begin_anew, dumps, pieces};
use crate::backup::binlog::{self, Archive, Cut, cut, explain, replay, save};
use crate::backup::keep::{client, tools};
use crate::backup::physical::has_way_back;
use crate::backup::restore::Bringer;
use crate::backup::work::{Done, Work};
use crate::backup::{BackupError, Manifest, Restored, Way};
use crate::runtime::Runtime as _;

/// How the directories begin into which a log is brought.
const STAGE: &str = ".moment-";
/// One that is older was left by a killed work: nobody reads a log for so long.
const OLD: Duration = Duration::from_secs(24 * 3600);
/// The cut log's name beside its dump.
const LOG: &str = "log.binlog";

/// What brings a database to a moment, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moment {
    /// When the dump was begun, in milliseconds since 1970.
    pub dump: i64,
    /// Whether it is the server's own files instead.
    #[serde(default)]
    pub physical: bool,
    /// Pieces of the log after it.
    pub pieces: u64,
    /// Transactions in them up to the moment.
    pub groups: u64,
    /// Where the replay ends in the server's log; nothing when nothing is played.
    pub ends: Option<String>,
    /// The second, since 1970, of the last transaction that is played.
    pub last: Option<i64>,
    /// What was done; nothing when it was only asked.
    pub restored: Option<Restored>,
}

/// Brings `asset` to `target`, or only says how.
///
/// # Errors
/// Why it is not possible, with the nearest moment that is, or what failed.
pub(in crate::backup) async fn restore(
    work: &Work<'_>,
    asset: &str,
    target: &Target,
    site: &str,
    way: Option<&Way>,
) -> Result<Done, BackupError> {
    let began = Instant::now();
    let backups = work.catalog.backups(work.sites, site)?;
    let known = backups.iter().find(|one| one.asset.name() == asset);
    let none = || BackupError::NoBackup(asset.to_owned(), format!(" at {site}"));
    let database = known.ok_or_else(none)?.asset.clone();
    let service = database.service.clone().unwrap_or_default();
    let place = work.catalog.directory();
    sweep(place);
    let stage = tempfile::Builder::new().prefix(STAGE).tempdir_in(place);
    let stage = stage.map_err(|error| BackupError::File(place.to_owned(), error))?;
    let log = stage.path().join("log");
    work.tell.step("read the binary log");
    pieces(work, site, &backups, &service, &log).await?;
    let archive = Archive::open(&log)?;
    let (segments, covered) = (archive.segments()?, archive.covered()?);
    let plan = pick(&dumps(&backups, &database), &segments, covered.as_ref(), target);
    let plan = plan.map_err(|refusal| {
        let why = explain(&refusal, &TimeZone::system());
        BackupError::Refused(format!("{asset}: {why}; to take a dump alone: --dump-only"))
    })?;
    let is_it = |one: &&Manifest| one.asset == database && Manifest::tag(one.at) == plan.dump.id;
    let manifest = backups.iter().find(is_it).ok_or_else(none)?;
    let (only, count) = (only_of(manifest), plan.pieces.len() as u64);
    let cut = tokio::task::spawn_blocking(move || cut(&archive, &plan, only.as_deref()));
    let cut = cut.await.map_err(|error| BackupError::Worker(error.to_string()))??;
    let mut done = Moment {
        dump: manifest.at,
        physical: manifest.physical.is_some(),
        pieces: count,
        groups: cut.groups,
        ends: cut.ends.as_ref().map(ToString::to_string),
        last: cut.last.as_ref().map(|group| group.time),
        restored: None,
    };
    let Some(way) = way else { return Ok(Done::Moment(done)) };
    let repository = work.sites.open(site)?;
    let (config, docker, tell) = (work.config, work.docker, work.tell);
    let catalog = Some(work.catalog);
    let bringer = Bringer { config, docker, repository, site, tell, catalog, point: None };
    let play = Play { work, bringer, manifest, cut: &cut };
    let mut restored = match way {
        Way::To(directory) => {
            let restored = play.bringer.bring(manifest, way, None).await?;
            let (cut, path) = (cut.clone(), directory.join(LOG));
            if !cut.is_empty() {
                let saved = tokio::task::spawn_blocking(move || save(&cut, &path));
                saved.await.map_err(|error| BackupError::Worker(error.to_string()))??;
            }
            restored
        }
        Way::InPlace => play.in_place(&service).await?,
    };
    restored.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    done.restored = Some(restored);
    Ok(Done::Moment(done))
}

/// Removes what killed works left; what cannot be removed is in nobody's way.
fn sweep(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|seen| seen.modified()).map(|at| at.elapsed());
        let is_old = matches!(age, Ok(Ok(age)) if age > OLD);
        if is_old && entry.file_name().to_string_lossy().starts_with(STAGE) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Which schema is played: that of a dump, and every one after a copy of the whole server.
pub(in crate::backup) fn only_of(manifest: &Manifest) -> Option<String> {
    manifest.physical.is_none().then(|| manifest.asset.what.clone())
}

/// A dump and the log after it.
struct Play<'a> {
    work: &'a Work<'a>,
    bringer: Bringer<'a>,
    manifest: &'a Manifest,
    cut: &'a Cut,
}

impl Play<'_> {
    /// Into the living server. The games stand meanwhile: what they wrote between would not fit.
    async fn in_place(&self, service: &str) -> Result<Restored, BackupError> {
        has_way_back(self.work.config, self.manifest)?;
        let site = self.work.sites.primary()?;
        let first = self.work.sites.open(site)?;
        let mut stopped = Vec::new();
        let done = self.under_silence(service, &first, &mut stopped).await;
        let mut up = Ok(());
        for game in stopped {
            self.work.tell.step(&format!("start {game}"));
            let Some(docker) = self.work.docker else { continue };
            let started = docker.up(&game, false).await.map_err(BackupError::from);
            let started = started.and_then(|()| {
                self.work.catalog.remember(|state| {
                    state.stopped.remove(&game);
                })
            });
            up = up.and(started);
        }
        // The other sites get the dumps now: nobody waits for a slow one with the games stopped.
        for (other, why) in self.work.copied_to_all(&first) {
            self.work.tell.step(&format!("{other} has no copy yet: {why}"));
        }
        // That it did not come back says more than that a game did not start either.
        done.and_then(|done| up.map(|()| done))
    }

    async fn under_silence(
        &self,
        service: &str,
        first: &Repository,
        stopped: &mut Vec<String>,
    ) -> Result<Restored, BackupError> {
        let games = self.work.config.stack.services().filter(|(_, one)| one.role == Role::Game);
        for (_, game) in games {
            let Some(docker) = self.work.docker else { continue };
            if docker.container(&game.name).await?.is_some_and(|container| container.runs) {
                self.work.tell.step(&format!("stop {}", game.name));
                stopped.push(game.name.clone());
                self.work.catalog.remember(|state| {
                    state.stopped.insert(game.name.clone());
                })?;
                docker.stop(&game.name).await?;
            }
        }
        let name = self.manifest.asset.name();
        // One that was killed before has the way back to what was whole.
        let half = self.work.catalog.state().half.get(&name).cloned();
        let kept = self.dumped(first).await.map_err(|why| {
            BackupError::Refused(format!(
                "what is there now could not be kept first ({why}), so nothing was touched; bring it \
                 back beside: --to DIR"
            ))
        })?;
        let was_whole = half.is_none();
        let before = half.unwrap_or_else(|| format!("{name}@{}", crate::report::rfc3339(kept.at)));
        let (broken, touched) = match self.played(service, &name, &before).await {
            Ok(restored) => {
                self.new_history(service, first).await?;
                return Ok(restored);
            }
            Err(broken) => broken,
        };
        if was_whole && !touched {
            let said = format!("{broken}; nothing was touched");
            return Err(BackupError::Said(broken.class(), said));
        }
        self.work.tell.step(&format!("{broken}; bring back what was there"));
        let undone = if was_whole {
            self.undo(&kept, &before, first).await
        } else {
            Err(String::from("it was not whole"))
        };
        if let Err(why) = undone {
            return Err(BackupError::Damaged(format!(
                "{broken}; the database is neither as it was ({why}) nor as it shall be: vigie backup \
                 restore {before} --in-place"
            )));
        }
        self.work.catalog.remember(|state| drop(state.half.remove(&name)))?;
        self.new_history(service, first).await?;
        let said = format!("{broken}; the database is again what it was");
        Err(BackupError::Said(broken.class(), said))
    }

    /// The dump, and the log after it; or why not, and whether the database was touched.
    async fn played(
        &self,
        service: &str,
        name: &str,
        before: &str,
    ) -> Result<Restored, (BackupError, bool)> {
        let way = Some(before.to_owned());
        let restored = self.bringer.bring(self.manifest, &Way::InPlace, way).await;
        // Whoever brings it notes that it is half restored before anything is changed.
        let is_half = |error| (error, self.work.catalog.state().half.contains_key(name));
        let restored = restored.map_err(is_half)?;
        let touched = |error| (error, true);
        let noted = self.work.catalog.remember(|state| {
            state.half.insert(name.to_owned(), before.to_owned());
        });
        noted.map_err(touched)?;
        self.play(service).await.map_err(touched)?;
        let noted = self.work.catalog.remember(|state| drop(state.half.remove(name)));
        noted.map_err(touched)?;
        Ok(restored)
    }

    /// Brings back what was there, from the site where it was kept first.
    async fn undo(&self, kept: &Manifest, before: &str, first: &Repository) -> Result<(), String> {
        let said = |error: BackupError| error.to_string();
        let (site, repository) = (self.work.sites.primary().map_err(said)?, first.clone());
        let bringer = Bringer { repository, site, ..self.bringer };
        let way = Some(before.to_owned());
        bringer.bring(kept, &Way::InPlace, way).await.map(drop).map_err(said)
    }

    /// What comes from now on is another history.
    async fn new_history(&self, service: &str, first: &Repository) -> Result<(), BackupError> {
        let config = self.work.config;
        match self.dumped(first).await {
            Ok(after) => begin_anew(config, service, after.place.map(|place| place.at)),
            Err(why) => {
                self.work.tell.step(&format!("the new dump failed, make one: {why}"));
                begin_anew(config, service, None)
            }
        }
    }

    async fn play(&self, service: &str) -> Result<(), BackupError> {
        self.work.tell.step(&format!("play {} transactions", self.cut.groups));
        let client = client(self.work.config, service)?;
        let tools = tools(self.work.docker, service);
        // The server's own log goes on, for its replicas.
        let way = binlog::Way { only: only_of(self.manifest), logged: true };
        Ok(replay(&tools, &client, self.cut, &way).await?)
    }

    /// A dump of what is there now.
    async fn dumped(&self, first: &Repository) -> Result<Manifest, String> {
        let name = self.manifest.asset.name();
        let done = self.work.kept_at(first, std::slice::from_ref(&name), false).await;
        let (kept, failed) = done.map_err(|error| error.to_string())?;
        if let Some((_, why)) = failed.into_iter().find(|(what, _)| *what == name) {
            return Err(why);
        }
        let found = kept.into_iter().find(|one| one.asset.name() == name);
        found.ok_or_else(|| String::from("no dump was made"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_one_left_goes_when_nobody_can_be_at_it() {
        let place = tempfile::tempdir().unwrap();
        let old = std::time::SystemTime::now() - OLD * 2;
        for (name, is_old) in [(".moment-old", true), (".moment-new", false), ("state", true)] {
            let at = place.path().join(name);
            std::fs::create_dir(&at).unwrap();
            std::fs::write(at.join("log"), "x").unwrap();
            if is_old {
                std::fs::File::open(&at).unwrap().set_modified(old).unwrap();
            }
        }
        sweep(place.path());
        let there = |name: &str| place.path().join(name).exists();
        assert!(!there(".moment-old") && there(".moment-new") && there("state"));
    }
}
