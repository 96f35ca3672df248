//! Does: the watch's part: one stream for each database server, and every minute what was sealed to the
//! sites. What does not pass by itself is said once, and tried again slowly.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_backup::Meter;
use vigie_core::backup::Asset;

use super::{Begin, asset, kept_of, no_log, services, source, stream_of, wish_of};
use crate::backup::binlog::{Archive, BinlogError, Note, Start, Wish, breaks, seed, stream};
use crate::backup::{BackupError, Catalog, Class, Done, Job, Limits, Tell, run};
use crate::config::Config;
use crate::observe::Eyes;

/// Between two looks at what does not pass by itself.
const AGAIN: Duration = Duration::from_secs(120);
/// Between two looks whether a new chain is wanted.
const LOOK: Duration = Duration::from_secs(2);
/// Between two backups of what was sealed.
const EVERY: Duration = Duration::from_secs(60);
/// A server that is idle seals nothing; that it was idle is kept as often, in seconds.
const IDLE: i64 = 600;
/// A backup of the log that takes longer is ended.
const LIMIT: Duration = Duration::from_secs(3600);

/// How a stream does.
#[derive(Debug, Default)]
struct Gauge {
    /// The server sends its log.
    connected: AtomicBool,
    /// Something was sealed that is at no site yet.
    sealed: AtomicBool,
    /// Until when the log is whole, in seconds since 1970.
    covered: AtomicI64,
}

/// Keeps the logs until the watch stops.
pub async fn watch(eyes: Eyes) {
    let mut tasks = JoinSet::new();
    for (service, database) in services(&eyes.config) {
        tasks.spawn(one(eyes.clone(), service, database));
    }
    while tasks.join_next().await.is_some() {}
}

async fn one(eyes: Eyes, service: String, database: Asset) {
    let catalog = loop {
        match Catalog::open(&eyes.config) {
            Ok(catalog) => break catalog,
            Err(error) => tracing::warn!(%error, "the binary log has no place"),
        }
        if eyes.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
            return;
        }
    };
    let gauge = Gauge::default();
    // What was sealed before may be at no site.
    gauge.sealed.store(true, Ordering::Relaxed);
    let log = Log { eyes: &eyes, service: &service, database: &database, catalog, gauge };
    tokio::join!(log.follow(), log.keep());
}

/// The log of one server.
struct Log<'a> {
    eyes: &'a Eyes,
    service: &'a str,
    database: &'a Asset,
    catalog: Catalog,
    gauge: Gauge,
}

impl Log<'_> {
    fn config(&self) -> &Config {
        &self.eyes.config
    }

    /// Says what is wrong with it, once.
    fn say(&self, name: String, why: Option<String>) {
        let known = self.catalog.state().failed.get(&name).cloned();
        if known == why {
            return;
        }
        if let Some(why) = &why {
            tracing::warn!(service = self.service, "the binary log is not kept: {why}");
        }
        let noted = self.catalog.remember(|state| {
            match why {
                Some(why) => state.failed.insert(name, why),
                None => state.failed.remove(&name),
            };
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "that could not be noted");
        }
    }

    async fn follow(&self) {
        let mut last_gap: Option<Instant> = None;
        while !self.eyes.stop.is_cancelled() {
            let done = self.stream().await;
            self.gauge.connected.store(false, Ordering::Relaxed);
            let again = match done {
                Ok(()) => continue,
                Err(BackupError::Binlog(BinlogError::Gap(_))) => {
                    // The next chain begins at once, unless it ends at once too.
                    last_gap.replace(Instant::now()).is_some_and(|at| at.elapsed() < AGAIN)
                }
                // The place for backups is made by a person; it is said when a dump is late.
                Err(BackupError::Said(Class::Usage | Class::Refused, why)) => {
                    tracing::info!(service = self.service, "the binary log waits: {why}");
                    true
                }
                Err(BackupError::Binlog(error)) if error.is_not_set_up() => {
                    self.say(no_log(self.service), Some(error.to_string()));
                    true
                }
                Err(error) => {
                    self.say(asset(self.service).name(), Some(error.to_string()));
                    true
                }
            };
            if again {
                let _ = self.eyes.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
            }
        }
    }

    /// Streams until the watch stops or a new chain is wanted.
    async fn stream(&self) -> Result<(), BackupError> {
        let at = stream_of(self.config(), self.service);
        if !at.exists() {
            let kept = kept_of(self.config(), self.service);
            if !kept.exists() {
                self.put().await?;
            }
            if kept.exists() {
                seed(&kept, &at)?;
            }
        }
        let archive = Archive::open(&at)?;
        let mut wish = Wish::default();
        let wanted = wish_of(self.config(), self.service);
        if let Some(begin) = begin(&wanted) {
            archive.begin_anew("the database was brought back", crate::clock::wall_ms())?;
            let removed = std::fs::remove_file(&wanted);
            removed.map_err(|error| BackupError::File(wanted.clone(), error))?;
            wish.start = begin.at.map_or(Start::Oldest, Start::At);
        }
        let source = source(self.config(), self.service)?;
        let stop = CancellationToken::new();
        let tell = |note: Note<'_>| self.hear(&note);
        let look = async {
            let asked = async {
                while !wanted.exists() {
                    tokio::time::sleep(LOOK).await;
                }
            };
            let _ = self.eyes.stop.run_until_cancelled(asked).await;
            stop.cancel();
            // The stream ends in order.
            std::future::pending::<()>().await;
        };
        let done = tokio::select! {
            done = stream(&source, &archive, &wish, &stop, &tell) => done,
            () = look => Ok(()),
        };
        if let Err(BinlogError::Gap(gap)) = &done {
            archive.break_chain(gap, crate::clock::wall_ms())?;
            let why = done.as_ref().err().map(ToString::to_string);
            self.say(asset(self.service).name(), why);
            // A new chain is worth nothing without a dump in it.
            self.catalog.remember(|state| {
                state.begun.remove("database");
            })?;
        }
        Ok(done?)
    }

    fn hear(&self, note: &Note<'_>) {
        match note {
            Note::Connected(facts) => {
                tracing::info!(service = self.service, version = facts.version, "the log comes");
                self.gauge.connected.store(true, Ordering::Relaxed);
            }
            Note::Sealed(_) => self.gauge.sealed.store(true, Ordering::Relaxed),
            Note::Covered(covered) => self.gauge.covered.store(covered.until, Ordering::Relaxed),
            Note::Lost(error, pause) => {
                self.gauge.connected.store(false, Ordering::Relaxed);
                tracing::info!(service = self.service, %error, ?pause, "the log stopped");
            }
        }
    }

    /// Every minute: what was sealed goes to the sites, and what is over is no longer said.
    async fn keep(&self) {
        let mut since: Option<Instant> = None;
        let mut until = 0;
        while self.eyes.stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            if self.gauge.connected.load(Ordering::Relaxed) && self.is_mended() {
                self.say(asset(self.service).name(), None);
                self.say(no_log(self.service), None);
            }
            let covered = self.gauge.covered.load(Ordering::Relaxed);
            let is_new = self.gauge.sealed.swap(false, Ordering::Relaxed);
            if !is_new && covered - until < IDLE {
                continue;
            }
            let put = self.eyes.stop.run_until_cancelled(self.put()).await;
            let Some(put) = put else { return };
            let name = format!("{} at the sites", asset(self.service).name());
            match put {
                Ok(()) => {
                    (since, until) = (None, covered);
                    self.say(name, None);
                }
                Err(error) => {
                    self.gauge.sealed.store(true, Ordering::Relaxed);
                    let since = *since.get_or_insert_with(Instant::now);
                    let patience = self.config().file.backup.as_ref().map(|one| one.late_after);
                    if patience.is_some_and(|patience| since.elapsed() > patience) {
                        self.say(name, Some(error.to_string()));
                    }
                }
            }
        }
    }

    /// Whether there is a dump behind the last gap.
    fn is_mended(&self) -> bool {
        let found = breaks(&stream_of(self.config(), self.service)).unwrap_or_default();
        let found = found.last().map_or(0, |last| last.found);
        let first = self.config().file.backup.as_ref().and_then(|backup| backup.primary());
        let state = self.catalog.state();
        let site = first.and_then(|first| state.sites.get(first));
        let dump = site.and_then(|site| site.newest.get(&self.database.name()).copied());
        found == 0 || dump.is_some_and(|dump| dump > found)
    }

    /// Has a worker put it to the sites.
    async fn put(&self) -> Result<(), BackupError> {
        let job = Job::Log { service: self.service.to_owned() };
        let limits = Limits { time: LIMIT, idle: true };
        let done = run(&self.config().path, &job, limits, &Quiet, &Quiet).await?;
        let Done::Kept { failed, .. } = done else { return Ok(()) };
        match failed.into_iter().next() {
            None => Ok(()),
            Some((site, why)) => Err(BackupError::Worker(format!("{site}: {why}"))),
        }
    }
}

fn begin(path: &Path) -> Option<Begin> {
    let text = std::fs::read(path).ok()?;
    // One that does not read asks for no place.
    Some(serde_json::from_slice(&text).unwrap_or(Begin { at: None }))
}

/// Where a worker says how it goes.
#[derive(Debug)]
struct Quiet;

impl Tell for Quiet {
    fn step(&self, text: &str) {
        tracing::debug!("binary log: {text}");
    }
}

impl Meter for Quiet {
    fn total(&self, _: u64) {}

    fn more(&self, _: u64) {}
}
