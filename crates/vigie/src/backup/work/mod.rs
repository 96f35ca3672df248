//! Does: one work on backups from its beginning to its end, whoever asked for it. A worker process does
//! it, so that what hangs can be ended and what panics hurts nobody.

mod back;
mod care;
mod making;

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vigie_backup::Meter;
use vigie_core::backup::Wanted;
use vigie_core::binlog::Target;

use super::{
    BackupError, Catalog, Drilled, Manifest, Moment, Restored, Sites, Way, log, unfinished,
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
    /// Bring assets back by a name, all of them and the whole stack where none is named, only to prove that
    /// they come back.
    Drill {
        /// Names; `stack` is the whole.
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
        /// The one restore point of all.
        #[serde(default)]
        point: Option<String>,
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

impl Job {
    /// Whether it puts something in the place of what is there.
    #[must_use]
    pub const fn exchanges(&self) -> bool {
        matches!(
            self,
            Self::Restore { way: Way::InPlace, .. } | Self::Moment { way: Some(Way::InPlace), .. }
        )
    }
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
    let held = Mutex::default();
    let work = Work { config, docker, sites: &sites, catalog: &catalog, tell, held };
    // Whoever exchanges something is alone from the safety copy to the end: a worker whose command was
    // killed may still be at it.
    let alone = job.exchanges() || matches!(job, Job::Run { .. });
    let _alone = alone.then(|| work.lock()).transpose()?;
    if alone {
        unfinished::tidy(&catalog, docker, tell).await?;
    }
    match job {
        Job::Init => work.init(),
        Job::Run { names, known } => work.run(names, *known).await,
        Job::Drill { names } => work.drill(names).await,
        Job::Copy { from, to } => work.copy(from, to),
        Job::Verify { site, read_data } => work.verify(site, *read_data),
        Job::Repair { site, from } => work.repair(site, from),
        Job::Restore { asset, at, point, site, way } => {
            work.restore(asset, *at, point.as_deref(), (site, way)).await
        }
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
    /// The lock, while this work has it: a part of a work may ask for what the whole holds.
    held: Mutex<Weak<File>>,
}

/// Between two looks whether it has.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a work waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(120);

impl Work<'_> {
    /// Waits until nobody else of this host writes.
    pub(in crate::backup) fn lock(&self) -> Result<Arc<File>, BackupError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = held.upgrade() {
            return Ok(lock);
        }
        let lock = Arc::new(self.patiently(|| self.catalog.lock())?);
        *held = Arc::downgrade(&lock);
        Ok(lock)
    }

    /// Waits until nobody else of this host drills.
    pub(in crate::backup) fn drill_lock(&self) -> Result<File, BackupError> {
        self.patiently(|| self.catalog.drill_lock())
    }

    fn patiently(&self, take: impl Fn() -> Result<File, BackupError>) -> Result<File, BackupError> {
        let began = Instant::now();
        loop {
            match take() {
                Err(BackupError::Busy) if began.elapsed() < PATIENCE => {}
                other => return other,
            }
            if began.elapsed() < PAUSE {
                self.tell.step("another vigie is at work; waiting for it");
            }
            std::thread::sleep(PAUSE);
        }
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
