//! Does: the watch's own backups: each kind of work when it is due, one after the other, in a worker that
//! gets what the games leave; and what is late or does not come back, told to the engine.

mod again;
mod overdue;

use std::time::Duration;

use chrono::{DateTime, Local, TimeZone as _};
use croner::Cron;
use vigie_backup::Meter;
use vigie_core::backup::Kind;
use vigie_core::observe::Fact;

use super::drill::STAGE;
use super::{
    Catalog, Class, Done, Job, Limits, State, Tell, assets, run, stack, unfinished, unkept,
};
use crate::config::{BackupConfig, ScheduleConfig};
use crate::observe::Eyes;
use again::{Again, failed_of};
use overdue::{note_unkept, overdue};

/// Between two looks at the schedule.
const EVERY: Duration = Duration::from_secs(15);
/// A scheduled work that takes longer is ended, and is late.
const LIMIT: Duration = Duration::from_secs(8 * 3600);
/// Of a site's data that is read back each time.
const READ: u8 = 10;

/// A kind of work that has a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Database,
    Files,
    Images,
    Prune,
    Verify,
    Drill,
}

const ALL: [Work; 6] =
    [Work::Database, Work::Files, Work::Images, Work::Prune, Work::Verify, Work::Drill];

impl Work {
    const fn word(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Files => "files",
            Self::Images => "images",
            Self::Prune => "prune",
            Self::Verify => "verify",
            Self::Drill => "drill",
        }
    }

    fn schedule(self, schedule: &ScheduleConfig) -> &str {
        match self {
            Self::Database => &schedule.database,
            Self::Files => &schedule.files,
            Self::Images => &schedule.images,
            Self::Prune => &schedule.prune,
            Self::Verify => &schedule.verify,
            Self::Drill => &schedule.drill,
        }
    }

    /// What keeps an asset.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Database | Kind::Binlog => Self::Database,
            Kind::Volume | Kind::Files | Kind::Project | Kind::Points => Self::Files,
            Kind::Image => Self::Images,
        }
    }

    /// What a worker does for it, one after the other.
    fn jobs(self, backup: &BackupConfig) -> Vec<Job> {
        let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.word().to_owned()).collect();
        let sites = || backup.site.iter();
        match self {
            Self::Database => vec![Job::Run { names: names(&[Kind::Database]), known: true }],
            Self::Files => {
                let kinds = [Kind::Volume, Kind::Files, Kind::Project, Kind::Points];
                vec![Job::Run { names: names(&kinds), known: true }]
            }
            Self::Images => vec![Job::Run { names: names(&[Kind::Image]), known: true }],
            Self::Prune => sites()
                .filter(|(_, site)| !site.append_only)
                .map(|(name, _)| Job::Prune { site: name.clone(), dry_run: false })
                .collect(),
            Self::Verify => sites()
                .map(|(name, _)| Job::Verify { site: name.clone(), read_data: READ })
                .collect(),
            Self::Drill => vec![Job::Drill { names: Vec::new() }],
        }
    }
}

/// Runs the schedule until the watch stops.
pub async fn watch(eyes: Eyes) {
    let Some(backup) = eyes.config.file.backup.clone() else { return };
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_swept = false;
    let mut again = Again::default();
    let begun = Local::now().timestamp_millis();
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let catalog = match Catalog::open(&eyes.config) {
            Ok(catalog) => catalog,
            Err(error) => {
                tracing::warn!(%error, "backups have no place for what is known of them");
                continue;
            }
        };
        is_swept = is_swept || swept(&eyes, &catalog).await;
        tidied(&eyes, &catalog).await;
        if tell(&eyes, &backup, &catalog, begun).await.is_none() {
            return;
        }
        for work in ALL {
            let due = is_due(work, &backup.schedule, &catalog.state(), Local::now());
            let (jobs, since) = match (due, again.of(work)) {
                (Some(due), _) => (work.jobs(&backup), due.since),
                (None, Some((jobs, since))) => (jobs, since),
                (None, None) => continue,
            };
            if waits(&eyes, &backup, since).await {
                continue;
            }
            let carried = carry_out(&eyes, &backup, &catalog, work, jobs, due.map(|due| due.last));
            match eyes.stop.run_until_cancelled(carried).await {
                None => return,
                Some(left) => again.note(work, left),
            }
            if tell(&eyes, &backup, &catalog, begun).await.is_none() {
                return;
            }
        }
    }
}

/// Puts in order what a killed worker has left: a game that is held still or was stopped, above all.
async fn tidied(eyes: &Eyes, catalog: &Catalog) {
    if !unfinished::is_left(&catalog.state()) {
        return;
    }
    // Whoever holds the lock is at it just now.
    let Ok(_lock) = catalog.lock() else { return };
    if let Err(error) = unfinished::tidy(catalog, eyes.runtime.docker(), &Log).await {
        tracing::warn!(%error, "what a killed work on the backups left cannot be put in order");
    }
}

/// Removes what a killed drill has left of a second stack; whether that is done.
async fn swept(eyes: &Eyes, catalog: &Catalog) -> bool {
    let Some(docker) = eyes.runtime.docker() else { return true };
    // Whoever holds the lock is drilling just now, and removes it itself.
    let Ok(_lock) = catalog.drill_lock() else { return false };
    let done = stack::sweep(&eyes.config, docker).await.and_then(|()| catalog.sweep(STAGE));
    if let Err(error) = &done {
        tracing::warn!(%error, "what a killed drill has left cannot be removed yet");
    }
    done.is_ok()
}

/// Moments at which a work was due that was not begun since, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pending {
    /// The first of them.
    since: i64,
    /// The last of them.
    last: i64,
}

/// When a work was due that was not begun since; it is caught up however long ago that was. What never
/// was begun, or by a clock that was wrong, is due at once.
fn is_due(
    work: Work,
    schedule: &ScheduleConfig,
    state: &State,
    now: DateTime<Local>,
) -> Option<Pending> {
    let last = last_due(work.schedule(schedule), now)?;
    let at_once = Some(Pending { since: last, last });
    match state.begun.get(work.word()) {
        Some(begun) if *begun > now.timestamp_millis() => at_once,
        Some(begun) if *begun < last => {
            let since = next_due(work.schedule(schedule), *begun).unwrap_or(last);
            Some(Pending { since, last })
        }
        Some(_) => None,
        // Drills, prunes and reads begin with what there is then.
        None => match work {
            Work::Database | Work::Files | Work::Images => at_once,
            Work::Prune | Work::Verify | Work::Drill => None,
        },
    }
}

/// The first moment after `after` that a schedule names.
fn next_due(schedule: &str, after: i64) -> Option<i64> {
    if schedule == ScheduleConfig::NEVER {
        return None;
    }
    let cron: Cron = schedule.parse().ok()?;
    let after = Local.timestamp_millis_opt(after).single()?;
    cron.find_next_occurrence(&after, false).ok().map(|due| due.timestamp_millis())
}

/// The last moment that a schedule names.
fn last_due(schedule: &str, now: DateTime<Local>) -> Option<i64> {
    if schedule == ScheduleConfig::NEVER {
        return None;
    }
    let cron: Cron = schedule.parse().ok()?;
    cron.find_previous_occurrence(&now, true).ok().map(|due| due.timestamp_millis())
}

/// Whether it is better to wait, because many play: not for ever.
async fn waits(eyes: &Eyes, backup: &BackupConfig, since: i64) -> bool {
    let Some(many) = backup.busy_players else { return false };
    let waited = jiff::Timestamp::now().as_millisecond().saturating_sub(since);
    let most = i64::try_from(backup.wait_at_most.as_millis()).unwrap_or(i64::MAX);
    if waited >= most {
        return false;
    }
    let mut players = 0;
    for service in eyes.config.file.service.values() {
        let Some(a2s) = &service.a2s else { continue };
        if let Ok(seen) = crate::observe::query_a2s(&a2s.address, a2s.timeout).await {
            players += u32::from(seen.players);
        }
    }
    players >= many
}

/// Does `jobs` of a work, which was `due` unless it is tried again; what of them is left.
async fn carry_out(
    eyes: &Eyes,
    backup: &BackupConfig,
    catalog: &Catalog,
    work: Work,
    jobs: Vec<Job>,
    due: Option<i64>,
) -> Vec<Job> {
    let limits = Limits { time: LIMIT, idle: true };
    let (mut left, mut refused) = (Vec::new(), Vec::new());
    let count = jobs.len();
    for job in jobs {
        match run(&eyes.config.path, &job, limits, &Log, &Log).await {
            Ok(done) => left.extend(failed_of(&done, backup)),
            // Somebody is at work.
            Err(error) if error.class() == Class::Refused => {
                tracing::info!(work = work.word(), %error, "a backup waits");
                refused.push(job);
            }
            Err(error) => {
                tracing::warn!(work = work.word(), %error, "a scheduled work on the backups failed");
                let (word, why) = (work.word().to_owned(), error.to_string());
                let noted = catalog.remember(|state| {
                    state.failed.insert(word, why);
                });
                if let Err(error) = noted {
                    tracing::warn!(%error, "that could not be noted");
                }
                left.push(job);
            }
        }
    }
    if !refused.is_empty() && refused.len() == count {
        // The next look tries again: what was due still is.
        return if due.is_some() { Vec::new() } else { refused };
    }
    left.extend(refused);
    let noted = catalog.remember(|state| {
        if left.is_empty() {
            state.failed.remove(work.word());
        }
        let Some(due) = due else { return };
        state.begun.insert(work.word().to_owned(), due);
        for other in [Work::Prune, Work::Verify, Work::Drill] {
            // From now on there is something to prune, read and try.
            state.begun.entry(other.word().to_owned()).or_insert(due);
        }
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "it will be done again, because it could not be noted");
    }
    // A drill says by itself what does not come back, and is too much to be done each hour.
    left.retain(|job| !matches!(job, Job::Drill { .. }));
    left
}

/// Tells the engine how backups do; nothing when it is gone. `begun` is when the watch began.
async fn tell(eyes: &Eyes, backup: &BackupConfig, catalog: &Catalog, begun: i64) -> Option<()> {
    let found = assets(&eyes.config, eyes.runtime.docker()).await;
    let names: Vec<(String, Kind)> = match found {
        Ok(found) => found.into_iter().map(|asset| (asset.name(), asset.kind)).collect(),
        // The engine is away: what is known stays said.
        Err(_) => return Some(()),
    };
    let now = Local::now();
    if catalog.state().since.is_none() {
        let noted = catalog.remember(|state| state.since = Some(now.timestamp_millis()));
        if let Err(error) = noted {
            tracing::warn!(%error, "what is known of backups cannot be written");
        }
    }
    let mut state = catalog.state();
    if note_unkept(&mut state, backup, &names, now.timestamp_millis()) {
        let unkept = state.unkept.clone();
        if let Err(error) = catalog.remember(|state| state.unkept = unkept) {
            tracing::warn!(%error, "what is known of backups cannot be written");
        }
    }
    let late = overdue(&eyes.config, backup, &state, &names, now, begun);
    let drills = state
        .drills
        .iter()
        .filter_map(|(name, drill)| Some(format!("{name}: {}", drill.failed.as_ref()?)))
        .collect();
    let fact = Fact::Backups { late, drills };
    eyes.handle.saw(&eyes.clock, eyes.config.stack.host(), fact).await.ok()
}

/// Where a scheduled work says how it goes.
#[derive(Debug)]
struct Log;

impl Tell for Log {
    fn step(&self, text: &str) {
        tracing::debug!("backup: {text}");
    }
}

impl Meter for Log {
    fn total(&self, _: u64) {}

    fn more(&self, _: u64) {}
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn at(hour: u32, minute: u32) -> DateTime<Local> {
        Local.with_ymd_and_hms(2026, 11, 26, hour, minute, 0).unwrap()
    }

    #[test]
    fn a_work_is_due_once_and_caught_up_after_a_sleep() {
        let schedule = ScheduleConfig::default();
        let mut state = State::default();
        let due = is_due(Work::Database, &schedule, &state, at(10, 20)).unwrap();
        assert_eq!((due.since, due.last), (at(10, 0).timestamp_millis(), due.since));
        state.begun.insert(String::from("database"), due.last);
        assert_eq!(is_due(Work::Database, &schedule, &state, at(10, 59)), None);
        // Asleep until the afternoon: once, for all that were missed.
        let due = is_due(Work::Database, &schedule, &state, at(15, 30)).unwrap();
        assert_eq!(due.last, at(15, 0).timestamp_millis());
        // Whoever waits for players has waited since the first of them.
        assert_eq!(due.since, at(11, 0).timestamp_millis());
        // A clock that was wrong keeps nothing from being done.
        state.begun.insert(String::from("database"), at(20, 0).timestamp_millis());
        let due = is_due(Work::Database, &schedule, &state, at(15, 30)).unwrap();
        assert_eq!(due.last, at(15, 0).timestamp_millis());
        // There is nothing to try before something was kept.
        assert_eq!(is_due(Work::Drill, &schedule, &state, at(10, 20)), None);
        let never = ScheduleConfig { database: String::from("never"), ..schedule };
        assert_eq!(is_due(Work::Database, &never, &State::default(), at(10, 20)), None);
    }
}
