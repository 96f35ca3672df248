//! Decides what of a scheduled work is tried again, and when: what failed alone, and later each time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vigie_core::backup::Kind;

use super::{Done, Job, Work};
use crate::backup::points;
use crate::config::BackupConfig;

/// What failed is tried again after this, then after twice as long each time.
const AGAIN: Duration = Duration::from_secs(5 * 60);
/// It is tried again after this at the latest.
const AGAIN_AT_MOST: Duration = Duration::from_secs(3600);

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
pub(super) struct Again(BTreeMap<&'static str, Left>);

impl Again {
    /// What is to be tried again now, and since when it has failed.
    pub(super) fn of(&self, work: Work) -> Option<(Vec<Job>, i64)> {
        let left = self.0.get(work.word()).filter(|left| left.last.elapsed() >= left.pause)?;
        Some((left.jobs.clone(), left.since))
    }

    /// What is left of a work that was done; it is left alone for longer each time.
    pub(super) fn note(&mut self, work: Work, jobs: Vec<Job>) {
        let before = self.0.remove(work.word());
        if jobs.is_empty() {
            return;
        }
        let since = before.as_ref().map_or_else(crate::clock::wall_ms, |left| left.since);
        let pause = before.map_or(AGAIN, |left| (left.pause * 2).min(AGAIN_AT_MOST));
        self.0.insert(work.word(), Left { jobs, since, last: Instant::now(), pause });
    }
}

/// The assets that were not kept, as a job. A site that was away is caught up with the next backup.
pub(super) fn failed_of(done: &Done, backup: &BackupConfig) -> Option<Job> {
    let Done::Kept { failed, .. } = done else { return None };
    let is_asset = |name: &str| [Kind::Project, Kind::Points].iter().any(|one| one.word() == name);
    let is_site = |name: &str| backup.site.contains_key(name) && !is_asset(name);
    // A restore point that is broken does not heal by itself.
    let is_other = |name: &String| is_site(name) || points::is_failed_name(name);
    let names = failed.iter().map(|(name, _)| name.clone()).filter(|name| !is_other(name));
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then_some(Job::Run { names, known: true })
}

#[cfg(test)]
mod tests {
    use super::super::overdue::tests::config;
    use super::*;

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
        assert_eq!(done(&["files:a", "far", "points:v1.0-a"]), Some(job("files:a")));
    }
}
