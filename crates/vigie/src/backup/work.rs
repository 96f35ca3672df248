//! Does: one work on backups from its beginning to its end, whoever asked for it. A worker process does
//! it, so that what hangs can be ended and what panics hurts nobody.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vigie_backup::Meter;
use vigie_core::backup::{Asset, Kind, Retention, Wanted, expire};
use vigie_core::binlog::Target;

use super::drill::Drill;
use super::keep::Keeper;
use super::restore::Bringer;
use super::{
    BackupError, Catalog, Drilled, Manifest, Moment, Restored, Sites, Way, assets, image, log,
};
use crate::config::Config;
use crate::runtime::docker::Docker;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Make the repositories that are not there yet.
    Init,
    /// Back up assets by a name, all of them where none is named; then copy to the other sites.
    Run {
        /// Names.
        names: Vec<String>,
        /// Whether a name of which there is nothing is no fault, as in a schedule.
        #[serde(default)]
        known: bool,
    },
    /// Bring assets back by a name, all of them where none is named, only to prove that they come back.
    Drill {
        /// Names.
        names: Vec<String>,
    },
    /// Copy what one site has to another.
    Copy {
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// Read a site back; as many percent of its data.
    Verify {
        /// The site.
        site: String,
        /// Percent.
        read_data: u8,
    },
    /// Heal a site from another one.
    Repair {
        /// The site.
        site: String,
        /// From.
        from: String,
    },
    /// Bring a backup back.
    Restore {
        /// The asset's own name.
        asset: String,
        /// When it was begun.
        at: i64,
        /// From this site.
        site: String,
        /// Where to.
        way: Way,
    },
    /// Put what was sealed of a binary log to the sites.
    Log {
        /// The database's service.
        service: String,
    },
    /// Bring a database to a moment between two dumps, or say how.
    Moment {
        /// The database's own name.
        asset: String,
        /// What it is brought to.
        target: Target,
        /// From this site.
        site: String,
        /// Where to; nothing when it is only asked.
        way: Option<Way>,
    },
    /// Forget what expired at a site, and free its space.
    Prune {
        /// The site.
        site: String,
        /// Whether it is only said.
        dry_run: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Repositories were made at these sites.
    Made(Vec<String>),
    /// Backups were made; sites and assets that failed, and why.
    Kept {
        /// The backups.
        kept: Vec<Manifest>,
        /// What failed: an asset or a site, and why.
        failed: Vec<(String, String)>,
    },
    /// So many snapshots were copied, and so many were there already.
    Copied {
        /// Copied.
        copied: u64,
        /// There already.
        known: u64,
    },
    /// What was found, one line each; nothing where all is sound.
    Verified {
        /// Bytes read.
        bytes: u64,
        /// What is damaged.
        damaged: Vec<String>,
    },
    /// What was healed, and what could not be.
    Repaired {
        /// Healed.
        healed: u64,
        /// Not healed.
        left: Vec<String>,
    },
    /// Brought back.
    Restored(Restored),
    /// What brings a database to a moment, and whether it was.
    Moment(Moment),
    /// The drills, by asset.
    Drilled(Vec<(String, Drilled)>),
    /// What was forgotten, and bytes that are free.
    Pruned {
        /// Backups: asset and moment.
        gone: Vec<(String, i64)>,
        /// Bytes.
        freed: u64,
    },
}

/// Hears how a work goes.
pub trait Tell: Send + Sync {
    /// Something new begins.
    fn step(&self, text: &str);
}

/// Does `job`.
///
/// # Errors
/// Why it could not be done.
pub async fn perform(
    config: &Config,
    docker: Option<&Docker>,
    job: &Job,
    tell: &dyn Tell,
    meter: Arc<dyn Meter>,
) -> Result<Done, BackupError> {
    let sites = Sites::of(config)?.with_meter(meter);
    let catalog = Catalog::open(config)?;
    let work = Work { config, docker, sites: &sites, catalog: &catalog, tell };
    match job {
        Job::Init => work.init(),
        Job::Run { names, known } => work.run(names, *known).await,
        Job::Drill { names } => work.drill(names).await,
        Job::Copy { from, to } => work.copy(from, to),
        Job::Verify { site, read_data } => work.verify(site, *read_data),
        Job::Repair { site, from } => work.repair(site, from),
        Job::Restore { asset, at, site, way } => work.restore(asset, *at, site, way).await,
        Job::Log { service } => log::keep(&work, service).await,
        Job::Moment { asset, target, site, way } => {
            log::restore(&work, asset, target, site, way.as_ref()).await
        }
        Job::Prune { site, dry_run } => work.prune(site, *dry_run),
    }
}

/// What a work is done with.
pub(super) struct Work<'a> {
    pub(super) config: &'a Config,
    pub(super) docker: Option<&'a Docker>,
    pub(super) sites: &'a Sites<'a>,
    pub(super) catalog: &'a Catalog,
    pub(super) tell: &'a dyn Tell,
}

/// Between two looks whether it has.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a work waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(120);

impl Work<'_> {
    /// Waits until nobody else of this host writes.
    fn lock(&self) -> Result<File, BackupError> {
        let began = Instant::now();
        loop {
            match self.catalog.lock() {
                Err(BackupError::Busy) if began.elapsed() < PATIENCE => {}
                other => return other,
            }
            if began.elapsed() < PAUSE {
                self.tell.step("another vigie is at work; waiting for it");
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn init(&self) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let first = self.sites.primary()?;
        let mut made = Vec::new();
        let like = self.begun(first, None, &mut made)?;
        for site in self.sites.others() {
            self.begun(site, Some(&like), &mut made)?;
        }
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            for site in self.sites.names() {
                state.sites.entry(site.to_owned()).or_default().reached.get_or_insert(now);
            }
        })?;
        Ok(Done::Made(made))
    }

    /// Opens a site's repository, and makes it where there is none.
    fn begun(
        &self,
        site: &str,
        like: Option<&vigie_backup::Repository>,
        made: &mut Vec<String>,
    ) -> Result<vigie_backup::Repository, BackupError> {
        match self.sites.open(site) {
            Err(BackupError::NoRepository(..)) => {
                self.tell.step(&format!("a repository at {site}"));
                let new = self.sites.create(site, like)?;
                made.push(site.to_owned());
                Ok(new)
            }
            other => other,
        }
    }

    pub(super) async fn run(&self, names: &[String], known: bool) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let wanted = self.wanted(names, known).await?;
        let site = self.sites.primary()?;
        // A disk that is not mounted must not get a new repository beside the old one.
        let repository = self.sites.open(site)?;
        let keeper = Keeper {
            config: self.config,
            docker: self.docker,
            catalog: self.catalog,
            repository,
            site,
            tell: self.tell,
        };
        let (mut kept, mut failed) = (Vec::new(), Vec::new());
        for asset in &wanted {
            match keeper.keep(asset).await {
                Ok(manifest) => kept.push(manifest),
                Err(error) => {
                    let (name, why) = (asset.name(), error.to_string());
                    self.catalog.remember(|state| {
                        state.failed.insert(name.clone(), why.clone());
                    })?;
                    failed.push((name, why));
                    // A site that is away is away for all of them.
                    if matches!(error, BackupError::Site(..)) && self.sites.open(site).is_err() {
                        break;
                    }
                }
            }
        }
        for other in self.sites.others() {
            if let Err(error) = self.copied(&keeper.repository, site, other) {
                failed.push((other.to_owned(), error.to_string()));
            }
        }
        Ok(Done::Kept { kept, failed })
    }

    /// The assets that people mean.
    async fn wanted(&self, names: &[String], known: bool) -> Result<Vec<Asset>, BackupError> {
        let all = assets(self.config, self.docker).await?;
        for name in names {
            if !known && !all.iter().any(|asset| asset.is_called(name)) {
                let known = all.iter().map(Asset::name).collect::<Vec<_>>().join(", ");
                return Err(BackupError::NoAsset(name.clone(), known));
            }
        }
        let is_wanted =
            |asset: &Asset| names.is_empty() || names.iter().any(|name| asset.is_called(name));
        Ok(all.into_iter().filter(is_wanted).collect())
    }

    fn copy(&self, from: &str, to: &str) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        self.sites.site(to)?;
        if from == to {
            return Err(BackupError::Refused(format!("{from} is the site itself")));
        }
        let source = self.sites.open(from)?;
        let (copied, known) = self.copied(&source, from, to)?;
        Ok(Done::Copied { copied, known })
    }

    /// Brings a site up to date. One that is away is caught up the next time.
    pub(super) fn copied(
        &self,
        from: &vigie_backup::Repository,
        name: &str,
        to: &str,
    ) -> Result<(u64, u64), BackupError> {
        self.tell.step(&format!("copy to {to}"));
        let work = || {
            let known = self.catalog.state().sites.get(to).is_some_and(|one| one.reached.is_some());
            // One that was written before is not made anew: its disk may not be mounted.
            let target = if known {
                self.sites.open(to)?
            } else {
                self.begun(to, Some(from), &mut Vec::new())?
            };
            let done = from.copy_to(&target);
            let done = done.map_err(|error| BackupError::Site(to.to_owned(), error))?;
            let backups = self.catalog.backups_in(&target, to)?;
            Ok((done, backups))
        };
        let done: Result<_, BackupError> = work();
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            let site = state.sites.entry(to.to_owned()).or_default();
            match &done {
                Ok((_, backups)) => {
                    site.newest = backups.iter().map(|one| (one.asset.name(), one.at)).collect();
                    site.written(None, now);
                }
                Err(error) => site.written(Some(error.to_string()), now),
            }
        })?;
        let (done, _) = done.map_err(|error| match error {
            error @ (BackupError::Site(..) | BackupError::NoRepository(..)) => error,
            other => BackupError::Damaged(format!("copying from {name} to {to}: {other}")),
        })?;
        Ok((done.snapshots, done.known))
    }

    fn verify(&self, site: &str, read_data: u8) -> Result<Done, BackupError> {
        self.sites.site(site)?;
        self.tell.step(&format!("read {site} back"));
        let repository = self.sites.open(site)?;
        let found = repository.verify(read_data);
        let found = found.map_err(|error| BackupError::Site(site.to_owned(), error))?;
        let mut damaged = Vec::new();
        for one in &found.damaged {
            let how = if one.missing { "missing" } else { "damaged" };
            damaged.push(format!("{how}: {} {}", part(one.part), one.name));
        }
        for one in &found.concerned {
            let when = Manifest::moment(&one.tags)
                .map_or_else(String::new, |at| format!(" of {}", crate::report::rfc3339(at)));
            let paths = one.paths.iter().take(5).map(|path| path.display().to_string());
            let paths = paths.collect::<Vec<_>>().join(", ");
            damaged.push(format!("concerns {}{when}: {paths}", one.label));
        }
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            let site = state.sites.entry(site.to_owned()).or_default();
            // A part that is sound says nothing of the rest.
            if damaged.is_empty() && (read_data == 100 || !site.is_damaged()) {
                site.read(None);
            } else if let Some(first) = damaged.first() {
                site.read(Some(first));
            }
            if damaged.is_empty() {
                site.verified = Some((now, read_data));
            }
        })?;
        Ok(Done::Verified { bytes: found.bytes_read, damaged })
    }

    fn repair(&self, site: &str, from: &str) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        self.tell.step(&format!("heal {site} from {from}"));
        let (sick, sound) = (self.sites.open(site)?, self.sites.open(from)?);
        let done = sick.repair_from(&sound, self.sites.password());
        let done = done.map_err(|error| BackupError::Site(site.to_owned(), error))?;
        let left = done.after.damaged.iter();
        let mut left: Vec<_> = left.map(|one| format!("{} {}", part(one.part), one.name)).collect();
        // What nobody has any more is gone from the list of the damaged, and not from the snapshots.
        left.extend(done.after.concerned.iter().map(|one| {
            let when = Manifest::moment(&one.tags)
                .map_or_else(String::new, |at| format!(" of {}", crate::report::rfc3339(at)));
            format!("{}{when} does not come back whole", one.label)
        }));
        let sound = done.after.is_sound();
        self.catalog.remember(|state| {
            let site = state.sites.entry(site.to_owned()).or_default();
            if sound {
                site.read(None);
            }
        })?;
        Ok(Done::Repaired { healed: done.brought + done.saved, left })
    }

    async fn restore(
        &self,
        asset: &str,
        at: i64,
        site: &str,
        way: &Way,
    ) -> Result<Done, BackupError> {
        let known = self.catalog.backups(self.sites, site)?;
        let manifest = known.iter().find(|one| one.asset.name() == asset && one.at == at);
        let manifest = manifest
            .ok_or_else(|| BackupError::NoBackup(asset.to_owned(), format!(" at {site}")))?;
        let mut before = None;
        if *way == Way::InPlace && self.replaces(manifest).await? {
            // What is there now is kept first, whatever is wrong with it.
            let kept = self.run(&[asset.to_owned()], false).await?;
            if let Done::Kept { kept, failed } = kept {
                if let Some((_, why)) = failed.iter().find(|(name, _)| name == asset) {
                    return Err(BackupError::Refused(format!(
                        "what is there now could not be kept first ({why}), so nothing was touched; bring \
                         it back beside: --to DIR"
                    )));
                }
                let now = kept.iter().find(|one| one.asset.name() == asset);
                before = now.map(|one| format!("{asset}@{}", crate::report::rfc3339(one.at)));
            }
        }
        let bringer = Bringer {
            config: self.config,
            docker: self.docker,
            repository: self.sites.open(site)?,
            site,
            tell: self.tell,
        };
        let way_back = before.clone();
        let done = bringer.bring(manifest, way, before).await;
        done.map(Done::Restored).map_err(|error| match way_back {
            None => error,
            Some(before) => BackupError::Said(
                error.class(),
                format!(
                    "{error}; what was there before is in {before}: vigie backup restore {before} --in-place"
                ),
            ),
        })
    }

    async fn drill(&self, names: &[String]) -> Result<Done, BackupError> {
        let site = self.sites.primary()?;
        let backups = self.catalog.backups(self.sites, site)?;
        // What the stack does not have any more has no service to be tried with.
        let current: Vec<String> =
            assets(self.config, self.docker).await?.iter().map(Asset::name).collect();
        let mut newest: BTreeMap<String, &Manifest> = BTreeMap::new();
        for one in &backups {
            let is_wanted = names.is_empty() || names.iter().any(|name| one.asset.is_called(name));
            if is_wanted && current.contains(&one.asset.name()) {
                newest.insert(one.asset.name(), one);
            }
        }
        if newest.is_empty() {
            let what = names.first().map_or("anything", String::as_str);
            return Err(BackupError::NoBackup(what.to_owned(), String::new()));
        }
        let repository = self.sites.open(site)?;
        let mut done = Vec::new();
        for (name, manifest) in newest {
            self.tell.step(&format!("drill {name}"));
            let drill = Drill {
                bringer: Bringer {
                    config: self.config,
                    docker: self.docker,
                    repository: repository.clone(),
                    site,
                    tell: self.tell,
                },
                catalog: self.catalog,
            };
            let drilled = drill.prove(manifest).await;
            self.catalog.remember(|state| {
                state.drills.retain(|name, _| current.contains(name));
                state.drills.insert(name.clone(), drilled.clone());
            })?;
            done.push((name, drilled));
        }
        Ok(Done::Drilled(done))
    }

    /// Whether something is there now in whose place the backup goes. An image that the engine does not
    /// have, or has as it was, replaces nothing.
    async fn replaces(&self, manifest: &Manifest) -> Result<bool, BackupError> {
        let (Kind::Image, Some(docker)) = (manifest.asset.kind, self.docker) else {
            return Ok(true);
        };
        let there = docker.image(&manifest.asset.what).await?;
        Ok(there.is_some_and(|image| Some(image.id) != manifest.image))
    }

    fn prune(&self, site: &str, dry_run: bool) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let known = self.sites.site(site)?;
        if known.append_only {
            return Err(BackupError::Refused(format!(
                "the site {site} only grows (append_only): nothing is forgotten there from here"
            )));
        }
        let repository = self.sites.open(site)?;
        let failed = |error| BackupError::Site(site.to_owned(), error);
        let rules = self.sites.backup().keep;
        let backups = self.catalog.backups_in(&repository, site)?;
        let mut gone: Vec<(String, i64)> = Vec::new();
        // Another stack may use the same repository: its backups are not ours to forget.
        let ours = || backups.iter().filter(|one| one.stack == self.config.stack.name);
        let mut names: Vec<String> = ours().map(|one| one.asset.name()).collect();
        names.sort();
        names.dedup();
        // The newest log has everything that is needed.
        let only_newest = Retention { hourly: 0, daily: 0, monthly: 0 };
        let is_log = |name: &str| {
            backups.iter().any(|one| one.asset.kind == Kind::Binlog && one.asset.name() == name)
        };
        for name in names {
            let mine: Vec<i64> =
                ours().filter(|one| one.asset.name() == name).map(|one| one.at).collect();
            let rules = if is_log(&name) { &only_newest } else { &rules };
            gone.extend(expire(rules, &mine).into_iter().map(|index| (name.clone(), mine[index])));
        }
        gone.sort();
        let snapshots = repository.snapshots().map_err(failed)?;
        let whole = |label: &str, at: i64| {
            backups.iter().any(|one| one.at == at && one.asset.name() == label)
        };
        let is_gone = |one: &Manifest| gone.contains(&(one.asset.name(), one.at));
        let needed = image::needed(backups.iter().filter(|one| !is_gone(one)));
        let goes = |label: &str, tags: &[String]| {
            if let Some(layer) = image::layer_of(label) {
                return !needed.contains(layer);
            }
            let Some(at) = Manifest::moment(tags) else { return false };
            // Data without a manifest is what a killed work left.
            gone.contains(&(label.to_owned(), at)) || !whole(label, at)
        };
        let ids: Vec<_> = snapshots
            .into_iter()
            .filter(|(_, label, tags)| goes(label, tags))
            .map(|(id, ..)| id)
            .collect();
        if dry_run {
            let freed = repository.would_prune(vigie_backup::Writers::Locking).map_err(failed)?;
            return Ok(Done::Pruned { gone, freed: freed.bytes });
        }
        repository.forget(&ids).map_err(failed)?;
        self.tell.step(&format!("free the space at {site}"));
        let freed = repository.prune_with(vigie_backup::Writers::Locking).map_err(failed)?;
        Ok(Done::Pruned { gone, freed: freed.bytes })
    }
}

const fn part(part: vigie_backup::Part) -> &'static str {
    match part {
        vigie_backup::Part::Config => "the repository's",
        vigie_backup::Part::Key => "key",
        vigie_backup::Part::Snapshot => "snapshot",
        vigie_backup::Part::Index => "index",
        vigie_backup::Part::Pack => "data",
    }
}

/// The newest backup of `asset` that was begun at `until` or before.
#[must_use]
pub fn newest<'a>(
    backups: &'a [Manifest],
    wanted: &Wanted,
    until: Option<i64>,
) -> Option<&'a Manifest> {
    let mine = backups.iter().filter(|one| one.asset.is_called(&wanted.asset));
    mine.filter(|one| until.is_none_or(|until| one.at <= until)).max_by_key(|one| one.at)
}
