//! Decides what of the backups is late or does not work, a line each, for the incident about them.

use chrono::{DateTime, Local};
use vigie_core::backup::{Due, Kind, late};

use super::{State, Work, last_due, next_due, unkept};
use crate::backup::points;
use crate::config::{BackupConfig, Config};

/// A backup that is this many milliseconds younger than the clock allows was made while one was wrong.
const AHEAD: i64 = 5 * 60 * 1_000;

/// What is late, a line each. Nothing could be made before `begun`, when the watch began.
pub(super) fn overdue(
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
        let due = match (last, state.unkept.get(name)) {
            (Some(since), _) | (None, Some(&since)) => next_due(schedule, since),
            (None, None) => last_due(schedule, now),
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
    let has_points = names.iter().any(|(_, kind)| *kind == Kind::Points);
    let points = state.failed.iter().filter(|(name, _)| has_points && points::is_failed_name(name));
    told.extend(points.map(|(name, why)| redactor.clean(&format!("{name}: {why}"))));
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

/// Notes since when assets of these names have no backup, and says whether that is anything new.
pub(super) fn note_unkept(
    state: &mut State,
    backup: &BackupConfig,
    names: &[(String, Kind)],
    now: i64,
) -> bool {
    let first = backup.primary().unwrap_or_default();
    let newest = state.sites.get(first).map(|site| &site.newest);
    let is_kept = |name: &str| newest.is_some_and(|newest| newest.contains_key(name));
    let unkept = names.iter().map(|(name, _)| name).filter(|name| !is_kept(name));
    let since = |name: &String| (name.clone(), state.unkept.get(name).copied().unwrap_or(now));
    let unkept = unkept.map(since).collect();
    let is_new = unkept != state.unkept;
    state.unkept = unkept;
    is_new
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::at;
    use super::*;

    pub(in super::super) fn config() -> Config {
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
    fn what_has_no_backup_is_remembered_until_it_has_one() {
        let config = config();
        let backup = config.file.backup.as_ref().unwrap();
        let names = ["points", "volume:data"].map(|name| (name.to_owned(), Kind::Volume));
        let mut state = State::default();
        assert!(note_unkept(&mut state, backup, &names[..1], 5));
        assert!(!note_unkept(&mut state, backup, &names[..1], 6));
        assert!(note_unkept(&mut state, backup, &names, 7));
        assert_eq!(state.unkept.values().collect::<Vec<_>>(), [&5, &7]);
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("points"), 8);
        assert!(note_unkept(&mut state, backup, &names, 9));
        assert_eq!(state.unkept.keys().collect::<Vec<_>>(), ["volume:data"]);
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
        // So may one that came into the stack a moment ago; one that was never made does not get younger.
        state.unkept.insert(String::from("database:x"), at(10, 20).timestamp_millis());
        assert!(late(&state).is_empty());
        let later = overdue(&config, backup, &state, &names, at(12, 10), 0);
        assert_eq!(later, ["database:x"]);
        state.unkept.clear();
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
        // A restore point that could not be kept is said, however new the backup of the others is.
        state.failed.insert(String::from("points:v1.0-a"), String::from("it has lost its image"));
        let both = [names[0].clone(), (String::from("points"), Kind::Points)];
        let near = state.sites.entry(String::from("near")).or_default();
        near.newest.insert(String::from("points"), at(10, 1).timestamp_millis());
        let told = overdue(&config, backup, &state, &both, at(10, 40), 0);
        assert_eq!(told, ["points:v1.0-a: it has lost its image"]);
        assert!(late(&state).is_empty(), "restore points are left out by now");
        state.failed.clear();
        // A server that keeps no log has failed at nothing.
        state.failed.insert(crate::backup::log::no_log("mysql"), String::from("no binary log"));
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
