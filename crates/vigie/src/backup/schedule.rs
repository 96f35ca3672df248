//! Does: the watch's own backups: each kind of work when it is due, one after the other, in a worker that
//! gets what the games leave; and what is late or does not come back, told to the engine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local, TimeZone as _};
use croner::Cron;
use vigie_backup::Meter;
use vigie_core::backup::{Due, Kind, late};
use vigie_core::observe::Fact;

use super::drill::STAGE;
use super::{
    Catalog, Class, Done, Job, Limits, State, Tell, assets, run, stack, unfinished, unkept,
};
use crate::config::{BackupConfig, Config, ScheduleConfig};
use crate::observe::Eyes;

/// Between two looks at the schedule.
const EVERY: Duration = Duration::from_secs(15);
/// A scheduled work that takes longer is ended, and is late.
const LIMIT: Duration = Duration::from_secs(8 * 3600);
/// Of a site's data that is read back each time.
const READ: u8 = 10;
/// What failed is tried again after this, then after twice as long each time.
const AGAIN: Duration = Duration::from_secs(5 * 60);
/// It is tried again after this at the latest.
const AGAIN_AT_MOST: Duration = Duration::from_secs(3600);
/// A backup that is this many milliseconds younger than the clock allows was made while one was wrong.
const AHEAD: i64 = 5 * 60 * 1_000;

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
            Kind::Volume | Kind::Files | Kind::Project => Self::Files,
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
                let kinds = [Kind::Volume, Kind::Files, Kind::Project];
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

/// What of a work failed, and when it is tried again.
#[derive(Debug)]
struct Left {
    jobs: Vec<Job>,
    /// When it failed first, in milliseconds since 1970.
    since: i64,
    /// When it failed last.
    last: Instant,
    pause: Duration,
}

/// What is left of each kind of work.
#[derive(Debug, Default)]
struct Again(BTreeMap<&'static str, Left>);

impl Again {
    /// What is to be tried again now, and since when it has failed.
    fn of(&self, work: Work) -> Option<(Vec<Job>, i64)> {
        let left = self.0.get(work.word()).filter(|left| left.last.elapsed() >= left.pause)?;
        Some((left.jobs.clone(), left.since))
    }

    /// What is left of a work that was done; it is left alone for longer each time.
    fn note(&mut self, work: Work, jobs: Vec<Job>) {
        let before = self.0.remove(work.word());
        if jobs.is_empty() {
            return;
        }
        let since = before.as_ref().map_or_else(crate::clock::wall_ms, |left| left.since);
        let pause = before.map_or(AGAIN, |left| (left.pause * 2).min(AGAIN_AT_MOST));
        self.0.insert(work.word(), Left { jobs, since, last: Instant::now(), pause });
    }
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

/// The assets that were not kept, as a job. A site that was away is caught up with the next backup.
fn failed_of(done: &Done, backup: &BackupConfig) -> Option<Job> {
    let Done::Kept { failed, .. } = done else { return None };
    let is_site = |name: &str| backup.site.contains_key(name) && name != Kind::Project.word();
    let names = failed.iter().map(|(name, _)| name.clone()).filter(|name| !is_site(name));
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then_some(Job::Run { names, known: true })
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
    let state = catalog.state();
    let late = overdue(&eyes.config, backup, &state, &names, now, begun);
    let drills = state
        .drills
        .iter()
        .filter_map(|(name, drill)| Some(format!("{name}: {}", drill.failed.as_ref()?)))
        .collect();
    let fact = Fact::Backups { late, drills };
    eyes.handle.saw(&eyes.clock, eyes.config.stack.host(), fact).await.ok()
}

/// What is late, a line each. Nothing could be made before `begun`, when the watch began.
fn overdue(
    config: &Config,
    backup: &BackupConfig,
    state: &State,
    names: &[(String, Kind)],
    now: DateTime<Local>,
    begun: i64,
) -> Vec<String> {
    let redactor = crate::respond::Redactor::of(config);
    let first = backup.primary().unwrap_or_default();
    let newest = |name: &str| state.sites.get(first)?.newest.get(name).copied();
    let why_of = |name: &str, kind: Kind| {
        let why = state.failed.get(name).or_else(|| state.failed.get(Work::of(kind).word()));
        why.map_or_else(String::new, |why| format!(" ({why})"))
    };
    let mut told = Vec::new();
    for (name, kind) in names {
        let (schedule, last) = (backup.schedule.of(*kind), newest(name));
        if let Some(ahead) = last.filter(|last| *last > now.timestamp_millis() + AHEAD) {
            let why = why_of(name, *kind);
            told.push(redactor.clean(&format!(
                "{name}: its newest backup is of {}, which is not yet: a clock was wrong when it was made; \
                 remove it with restic forget{why}",
                crate::report::rfc3339(ahead)
            )));
            continue;
        }
        // What is missing is due since the first moment at which it could have been made.
        let due = match last {
            Some(last) => next_due(schedule, last),
            None => last_due(schedule, now),
        };
        let due = due.map(|due| due.max(state.since.unwrap_or(due)).max(begun));
        let asset = Due { due, last, grace: backup.late_after };
        if late(asset, now.timestamp_millis()).is_some() {
            let why = why_of(name, *kind);
            told.push(redactor.clean(&format!("{name}{why}")));
        }
    }
    for work in [Work::Prune, Work::Verify, Work::Drill] {
        if let Some(why) = state.failed.get(work.word()) {
            told.push(redactor.clean(&format!("{} ({why})", work.word())));
        }
    }
    told.extend(state.half.iter().map(|(name, before)| {
        format!(
            "{name} is half restored: a restore was killed; what was there before: vigie backup restore \
             {before} --in-place"
        )
    }));
    let logs = state.failed.iter().filter(|(name, _)| backup.binlog && name.starts_with("binlog:"));
    told.extend(logs.map(|(name, why)| redactor.clean(&format!("{name}: {why}"))));
    told.extend(unkept(config).into_iter().map(|service| {
        format!("{service} is in no backup: no `schema` in its `database`, nor in `exclude`")
    }));
    let patience = i64::try_from(backup.late_after.as_millis()).unwrap_or(i64::MAX);
    for (name, site) in &state.sites {
        let Some(trouble) = &site.trouble else { continue };
        if !backup.site.contains_key(name) {
            continue;
        }
        let gone = site.reached.map_or(i64::MAX, |at| now.timestamp_millis().saturating_sub(at));
        if gone > patience || site.is_damaged() {
            told.push(redactor.clean(&format!("site {name}: {trouble}")));
        }
    }
    told
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
mod tests {
    use super::*;

    fn at(hour: u32, minute: u32) -> DateTime<Local> {
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

    #[test]
    fn what_failed_is_tried_again_alone_and_later_each_time() {
        let mut again = Again::default();
        let job = |name: &str| Job::Run { names: vec![name.to_owned()], known: true };
        let mut seen = Vec::new();
        for _ in 0..6 {
            again.note(Work::Files, vec![job("files:a")]);
            assert_eq!(again.of(Work::Files), None, "not yet");
            seen.push(again.0[Work::Files.word()].pause.as_secs() / 60);
        }
        assert_eq!(seen, [5, 10, 20, 40, 60, 60]);
        again.0.get_mut(Work::Files.word()).unwrap().pause = Duration::ZERO;
        assert_eq!(again.of(Work::Files).unwrap().0, [job("files:a")]);
        assert_eq!(again.of(Work::Images), None);
        again.note(Work::Files, Vec::new());
        assert_eq!(again.of(Work::Files), None);

        let config = config();
        let done = |names: &[&str]| {
            let failed = names.iter().map(|name| ((*name).to_owned(), String::from("why")));
            let done = Done::Kept { kept: Vec::new(), failed: failed.collect() };
            failed_of(&done, config.file.backup.as_ref().unwrap())
        };
        assert_eq!(done(&[]), None);
        assert_eq!(done(&["far"]), None, "a site is caught up by itself");
        assert_eq!(done(&["files:a", "far"]), Some(job("files:a")));
    }

    fn config() -> Config {
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n[backup]\n\
                    password = { env = \"P\" }\n[backup.site.near]\nlocal = \"near\"\n\
                    [backup.site.far]\nlocal = \"far\"\noff_site = true\n";
        Config::parse(std::path::Path::new("/srv/x/vigie.toml"), text).unwrap()
    }

    #[test]
    fn a_database_that_nobody_can_back_up_is_said() {
        let text = "[stack]\nname = \"x\"\n[service.pg]\nrole = \"database\"\n[backup]\n\
                    password = { env = \"P\" }\n[backup.site.near]\nlocal = \"near\"\n";
        let read =
            |text: &str| Config::parse(std::path::Path::new("/srv/x/vigie.toml"), text).unwrap();
        let told = |config: &Config| {
            let backup = config.file.backup.as_ref().unwrap();
            overdue(config, backup, &State::default(), &[], at(10, 40), 0)
        };
        let said = told(&read(text));
        assert_eq!(said, ["pg is in no backup: no `schema` in its `database`, nor in `exclude`"]);
        let excluded = text.replace("[backup.site", "exclude = [\"pg\"]\n[backup.site");
        assert!(told(&read(&excluded)).is_empty());
    }

    #[test]
    fn what_is_late_is_said_with_its_reason() {
        let config = config();
        let backup = config.file.backup.as_ref().unwrap();
        assert_eq!(backup.primary(), Some("near"));
        let names = [(String::from("database:x"), Kind::Database)];
        let mut state = State::default();
        let late = |state: &State| overdue(&config, backup, state, &names, at(10, 40), 0);
        assert_eq!(late(&state), ["database:x"]);
        // The schedule is followed since a moment ago: it may still be made.
        state.since = Some(at(10, 35).timestamp_millis());
        assert!(late(&state).is_empty());
        state.since = Some(at(9, 0).timestamp_millis());
        state.failed.insert(String::from("database:x"), String::from("no space"));
        assert_eq!(late(&state), ["database:x (no space)"]);
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("database:x"), at(8, 50).timestamp_millis());
        assert_eq!(late(&state), ["database:x (no space)"]);
        // It stays late when the next one is due; a watch that was not there has time to catch up.
        let since = |hour, minute| {
            let (now, begun) = (at(11, 5), at(hour, minute).timestamp_millis());
            overdue(&config, backup, &state, &names, now, begun)
        };
        assert_eq!(since(9, 0), ["database:x (no space)"]);
        assert!(since(11, 0).is_empty());
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("database:x"), at(10, 1).timestamp_millis());
        assert!(late(&state).is_empty());
        // One that was made while the clock was wrong is said, and keeps nothing in time.
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("database:x"), at(22, 0).timestamp_millis());
        assert!(late(&state)[0].contains("a clock was wrong"), "{:?}", late(&state));
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("database:x"), at(10, 1).timestamp_millis());
        assert!(late(&state).is_empty());
        // A read, a clean-up or a drill that could not be done is said as well.
        state.failed.insert(String::from("drill"), String::from("no engine"));
        assert_eq!(late(&state), ["drill (no engine)"]);
        state.failed.clear();
        // A server that keeps no log has failed at nothing.
        state.failed.insert(super::super::log::no_log("mysql"), String::from("no binary log"));
        assert!(late(&state).is_empty());
        state.failed.clear();
        // A site that is away has the patience of the schedule, one that is damaged has none.
        let far = state.sites.entry(String::from("far")).or_default();
        far.reached = Some(at(10, 30).timestamp_millis());
        far.trouble = Some(String::from("unreachable"));
        assert!(late(&state).is_empty());
        state.sites.entry(String::from("far")).or_default().trouble =
            Some(String::from("damaged: data 00"));
        assert_eq!(late(&state), ["site far: damaged: data 00"]);
    }
}
