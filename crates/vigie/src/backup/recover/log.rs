//! Decides how far the binary log at the site brings a database beyond its dump, and which dump that takes;
//! what keeps it from coming all the way is a note. Never plans across a gap.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use vigie_backup::Repository;
use vigie_core::backup::Kind;
use vigie_core::binlog::{Dump, Plan, Refusal, Short, furthest};

use super::RecoverError;
use super::picks::{Pick, Picks};
use crate::backup::Manifest;
use crate::backup::binlog::explain;
use crate::backup::log::{Listed, listed};
use crate::report::rfc3339;

/// The log that is played after a dump.
#[derive(Debug, Clone)]
pub(super) struct Follow {
    /// The snapshot with the log.
    pub(super) id: String,
    /// The pieces, and where they end.
    pub(super) plan: Plan,
    /// Everything that was acknowledged before this moment is back, in milliseconds since 1970.
    pub(super) until: i64,
}

/// As of when it shall come back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct When {
    /// The backups that count, in milliseconds since 1970; all of them without it.
    pub(super) until: Option<i64>,
    /// The second, since 1970, at whose beginning databases are wished for; the latest without it.
    pub(super) second: Option<i64>,
}

/// Looks at the logs of the databases among `picks`, takes older dumps where they come further, and says
/// what is played after which, by the databases' names. Blocks.
pub(super) fn follow(
    repository: &Repository,
    site: &str,
    picks: &mut Picks,
    when: When,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Follow>, RecoverError> {
    let mut found = BTreeMap::new();
    let logs: Vec<Pick> = picks.of(Kind::Binlog).cloned().collect();
    for newest in picks.of(Kind::Database).cloned().collect::<Vec<_>>() {
        let asset = &newest.manifest.asset;
        let name = asset.name();
        let is_mine = |log: &&Pick| log.manifest.asset.service == asset.service;
        let Some(log) = logs.iter().find(is_mine) else {
            notes.extend(when.second.map(|_| alone(&newest.manifest, "no log of it is kept here")));
            continue;
        };
        // The very moment of a backup means that backup.
        if when.until == Some(newest.manifest.at) {
            continue;
        }
        let listed = listed(repository, site, &log.id)?;
        let older = picks.older.iter().filter(|one| one.manifest.asset == *asset);
        let all: Vec<&Pick> = std::iter::once(&newest).chain(older).collect();
        let manifests: Vec<&Manifest> = all.iter().map(|one| &one.manifest).collect();
        let Some((index, plan, until)) = decide(&manifests, &listed, when.second, notes)? else {
            continue;
        };
        let taken = all[index].clone();
        found.insert(name, Follow { id: log.id.clone(), plan, until });
        picks.exchange(taken);
    }
    Ok(found)
}

/// Which of `manifests`, the newest first, and what after it; nothing where the newest by itself is best.
fn decide(
    manifests: &[&Manifest],
    log: &Listed,
    second: Option<i64>,
    notes: &mut Vec<String>,
) -> Result<Option<(usize, Plan, i64)>, RecoverError> {
    let Some(newest) = manifests.first() else { return Ok(None) };
    let name = newest.asset.name();
    let dumps: Vec<Dump> = manifests.iter().filter_map(|one| one.place.clone()).collect();
    let found = match furthest(&dumps, &log.segments, log.covered.as_ref(), second) {
        Ok(found) => found,
        Err(Refusal::NoDump) => {
            notes.push(alone(newest, "its dumps do not say where the log stood"));
            return Ok(None);
        }
        Err(Refusal::NoLog(_)) => {
            notes.push(alone(newest, "the log that goes on from it is not kept"));
            return Ok(None);
        }
        Err(refusal) => {
            let why = explain(&refusal, &TimeZone::system());
            return Err(RecoverError::Refused(format!(
                "{name}: {why}; to take the newest dump until then alone: --dump-only"
            )));
        }
    };
    let until = found.until.saturating_mul(1_000);
    let id = &found.plan.dump.id;
    let index = manifests.iter().position(|one| Manifest::tag(one.at) == *id).unwrap_or(0);
    // One that was made after the second shows what is not wished for.
    let is_before = second.is_none_or(|second| newest.at <= second.saturating_mul(1_000));
    if index > 0 && newest.at > until && is_before {
        notes.push(alone(newest, "the log ends before it"));
        return Ok(None);
    }
    let until = until.max(manifests[index].at);
    let back = format!("{name} comes back as of {}", rfc3339(until));
    match &found.short {
        None => {
            let pieces = found.plan.pieces.len();
            notes.push(format!("{back}: its dump, then {pieces} pieces of its log"));
        }
        Some(Short::Ends) => notes.push(format!("{back}, where its log ends: before that moment")),
        Some(Short::Gap(at)) => notes.push(format!(
            "{back}: its log has a gap after {at}, and no dump is kept from behind it; what was written \
             later is lost"
        )),
    }
    Ok(Some((index, found.plan, until)))
}

fn alone(manifest: &Manifest, why: &str) -> String {
    let (name, at) = (manifest.asset.name(), rfc3339(manifest.at));
    format!("{name} comes back as of its dump of {at}: {why}")
}

#[cfg(test)]
mod tests {
    use vigie_core::backup::Asset;
    use vigie_core::binlog::{Position, Segment};

    use super::*;

    fn segment(chain: u32, first: u64, last: u64, times: [i64; 2]) -> Segment {
        let follows =
            (first > 4).then(|| serde_json::json!({ "file": "log.000001", "offset": first }));
        let text = serde_json::json!({
            "server": 1, "chain": chain, "file": "log.000001", "first": first, "last": last, "head": 4,
            "size": last, "sha256": "", "follows": follows, "checksummed": true, "groups": 1,
            "first_gtid": null, "last_gtid": null, "first_time": times[0], "last_time": times[1],
            "latest": times[1], "tail": { "offset": 0, "size": 0, "print": 0 }, "sealed": 0,
        });
        serde_json::from_value(text).unwrap()
    }

    fn manifest(at: i64, offset: Option<u64>) -> Manifest {
        let asset =
            Asset { kind: Kind::Database, service: Some("mysql".into()), what: "town".into() };
        let place = offset.map(|offset| Dump {
            id: Manifest::tag(at),
            server: 1,
            at: Position::new("log.000001", offset),
            gtids: None,
            taken: at.div_euclid(1_000),
        });
        let text = serde_json::json!({
            "asset": asset, "at": at, "took_ms": 0, "files": 0, "bytes": 0, "added": 0, "place": place,
            "stack": "town", "version": "0",
        });
        serde_json::from_value(text).unwrap()
    }

    /// The dump that is taken and until when; and what is said.
    fn decided(
        manifests: &[Manifest],
        segments: &[Segment],
        second: Option<i64>,
    ) -> Result<(Option<(usize, i64)>, String), String> {
        let log = Listed { segments: segments.to_vec(), covered: None };
        let mut notes = Vec::new();
        let all: Vec<&Manifest> = manifests.iter().collect();
        let found = decide(&all, &log, second, &mut notes).map_err(|error| error.to_string())?;
        Ok((found.map(|(index, _, until)| (index, until)), notes.join("; ")))
    }

    #[test]
    fn the_log_is_played_as_far_as_it_goes() {
        let segments = [segment(0, 4, 200, [100, 150]), segment(0, 200, 300, [160, 190])];
        let dumps = [manifest(120_000, Some(100)), manifest(90_000, Some(4))];
        let (found, said) = decided(&dumps, &segments, None).unwrap();
        assert_eq!(found, Some((0, 190_000)));
        assert!(said.contains("then 2 pieces of its log"), "{said}");
        let (found, said) = decided(&dumps, &segments, Some(110)).unwrap();
        assert_eq!(found, Some((1, 110_000)), "the dump before that second: {said}");
        let (found, said) = decided(&dumps, &segments, Some(500)).unwrap();
        assert_eq!(found, Some((0, 190_000)));
        assert!(said.contains("where its log ends"), "{said}");
    }

    #[test]
    fn a_gap_is_a_note_and_a_moment_behind_it_is_refused() {
        let segments = [segment(0, 4, 200, [100, 150]), segment(1, 250, 300, [260, 290])];
        let dumps = [manifest(120_000, Some(100))];
        let (found, said) = decided(&dumps, &segments, None).unwrap();
        assert_eq!(found, Some((0, 150_000)));
        assert!(said.contains("a gap after log.000001:200"), "{said}");
        let refused = decided(&dumps, &segments, Some(200)).unwrap_err();
        assert!(refused.contains("no dump behind it; the nearest moment is"), "{refused}");
        assert!(refused.ends_with("--dump-only"), "{refused}");
    }

    #[test]
    fn the_newest_dump_alone_is_taken_where_no_log_comes_further() {
        let segments = [segment(0, 4, 200, [100, 150])];
        let placed = manifest(120_000, Some(100));
        for (newest, why) in [
            (manifest(180_000, None), "the log ends before it"),
            (manifest(180_000, Some(900)), "the log ends before it"),
        ] {
            let (found, said) = decided(&[newest, placed.clone()], &segments, None).unwrap();
            assert_eq!(found, None);
            assert!(said.contains("as of its dump of") && said.contains(why), "{said}");
        }
        let (found, said) = decided(&[manifest(180_000, None)], &segments, None).unwrap();
        assert_eq!((found, said.contains("do not say where")), (None, true), "{said}");
        let (found, said) = decided(&[manifest(1_000, Some(900))], &[], None).unwrap();
        assert_eq!((found, said.contains("is not kept")), (None, true), "{said}");
        // A dump without its place is left for one that comes further.
        let (found, _) = decided(&[manifest(130_000, None), placed], &segments, None).unwrap();
        assert_eq!(found, Some((1, 150_000)));
    }
}
