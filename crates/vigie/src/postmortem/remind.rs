//! Does: reminds people of the corrective actions that are open, on the schedule of the configuration,
//! once for each time of it, also when vigie was away at that time.

use std::time::Duration;

use chrono::{DateTime, Local, TimeZone};
use croner::Cron;
use vigie_core::event::Event;
use vigie_core::{Moment, Record};

use super::{Action, actions, directory, papers, today};
use crate::config::{Config, PostmortemConfig};
use crate::observe::Eyes;
use crate::text::cut;

const EVERY: Duration = Duration::from_secs(20);
/// Actions that are named; the rest are counted.
const NAMED: usize = 10;
/// Characters of an action that are told.
const WIDTH: usize = 120;

/// Watches the schedule. `reminded` is when people were last reminded.
pub(crate) async fn watch(eyes: Eyes, reminded: Option<Moment>) {
    let settings = &eyes.config.file.postmortem;
    let Some(cron) = schedule(settings) else { return };
    let since = reminded.and_then(|at| Local.timestamp_millis_opt(at.wall).single());
    let mut since = since.unwrap_or_else(Local::now);
    let mut beat = tokio::time::interval(EVERY);
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let now = Local::now();
        if !is_due(&cron, &since, &now) {
            continue;
        }
        since = now;
        let config = eyes.config.clone();
        let found = tokio::task::spawn_blocking(move || open(&config)).await;
        match found {
            Ok(Ok(open)) if !open.is_empty() => {
                if eyes.handle.event(Event::Recorded(record(&open))).await.is_err() {
                    return;
                }
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "open actions cannot be told"),
            Err(error) => tracing::warn!(%error, "open actions cannot be told"),
        }
    }
}

fn schedule(settings: &PostmortemConfig) -> Option<Cron> {
    (settings.remind != PostmortemConfig::NEVER).then(|| settings.remind.parse().ok())?
}

/// Whether a time of the schedule lies between `since` and `now`.
fn is_due(cron: &Cron, since: &DateTime<Local>, now: &DateTime<Local>) -> bool {
    cron.find_next_occurrence(since, false).is_ok_and(|next| next <= *now)
}

fn open(config: &Config) -> Result<Vec<Action>, super::FolderError> {
    let papers = papers(&directory(config))?;
    let mut open: Vec<_> = papers.iter().flat_map(actions).filter(|one| !one.done).collect();
    // What is due first is told first; what has no day comes last.
    open.sort_by_key(|one| (one.due.is_none(), one.due));
    Ok(open)
}

/// What is recorded and told of the `open` actions.
fn record(open: &[Action]) -> Record {
    let today = today();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = |one: &Action| {
        let who = one.owner.as_deref().unwrap_or("?");
        let due = one.due.map_or_else(|| String::from("?"), |due| due.to_string());
        format!("{} {} ({who}, {due})", one.id(), cut(&one.text, WIDTH))
    };
    Record::ActionsReminded {
        open: count(open.len()),
        late: count(open.iter().filter(|one| one.is_late(today)).count()),
        actions: open.iter().take(NAMED).map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_of_the_schedule_once_also_a_missed_one() {
        let cron: Cron = "0 18 * * 1".parse().unwrap();
        let at = |day, hour| Local.with_ymd_and_hms(2026, 11, day, hour, 0, 0).unwrap();
        // The 23rd is a Monday.
        assert!(!is_due(&cron, &at(23, 19), &at(30, 17)));
        assert!(is_due(&cron, &at(23, 19), &at(30, 18)));
        assert!(is_due(&cron, &at(20, 12), &at(25, 12)), "vigie was away on Monday");
        assert!(!is_due(&cron, &at(23, 18), &at(25, 12)), "that one was told");
    }

    #[test]
    fn open_ones_are_told_by_their_day() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vigie.toml");
        let text = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n";
        let config = Config::parse(&path, text).unwrap();
        let paper = "- [ ] later — owner: eve, due: 2999-01-01\n- [x] done\n- [ ] some day\n\
            - [ ] late — owner: TODO, due: 2020-01-01\n";
        super::super::write_new(&directory.path().join("postmortems/incident-3.md"), paper)
            .unwrap();
        let Record::ActionsReminded { open, late, actions } =
            record(&super::open(&config).unwrap())
        else {
            panic!("another record");
        };
        assert_eq!((open, late), (3, 1));
        let told =
            ["3.4 late (?, 2020-01-01)", "3.1 later (eve, 2999-01-01)", "3.3 some day (?, ?)"];
        assert_eq!(actions, told);
    }
}
