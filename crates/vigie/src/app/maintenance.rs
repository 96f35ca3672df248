//! Does: declares the recurring maintenance windows of the configuration when they begin.

use std::time::Duration;

use chrono::{DateTime, Local};
use croner::Cron;
use vigie_core::event::Order;
use vigie_core::incident::Actor;

use crate::observe::Eyes;

const EVERY: Duration = Duration::from_secs(20);

/// Who declares these windows, in the journal.
pub const SCHEDULE: &str = "the schedule in vigie.toml";

pub(super) async fn watch(eyes: Eyes) {
    let windows: Vec<(Cron, Duration)> = eyes
        .config
        .file
        .maintenance
        .iter()
        .filter_map(|window| Some((window.cron.parse().ok()?, window.time)))
        .collect();
    if windows.is_empty() {
        return;
    }
    let mut beat = tokio::time::interval(EVERY);
    let mut declared = false;
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        let now = Local::now();
        let left = windows.iter().filter_map(|(cron, time)| left(cron, *time, &now)).max();
        if let (Some(left), false) = (left, declared) {
            let until = eyes.clock.now().plus(left);
            let by = Actor::Person(String::from(SCHEDULE));
            if eyes.handle.order(Order::Maintenance(Some(until), by)).await.is_err() {
                return;
            }
        }
        declared = left.is_some();
    }
}

/// What is left of a window that began within its length before `now`.
fn left(cron: &Cron, time: Duration, now: &DateTime<Local>) -> Option<Duration> {
    let began = cron.find_previous_occurrence(now, true).ok()?;
    let gone = (*now - began).to_std().ok()?;
    time.checked_sub(gone).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_window_lasts_from_its_beginning() {
        let cron: Cron = "0 5 * * *".parse().unwrap();
        let at = |hour, minute| Local.with_ymd_and_hms(2026, 3, 2, hour, minute, 0).unwrap();
        let half_an_hour = Duration::from_secs(1800);
        assert_eq!(left(&cron, half_an_hour, &at(5, 10)), Some(Duration::from_secs(1200)));
        assert_eq!(left(&cron, half_an_hour, &at(5, 31)), None);
        assert_eq!(left(&cron, half_an_hour, &at(4, 59)), None);
    }
}
