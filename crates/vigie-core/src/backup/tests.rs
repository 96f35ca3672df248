//! Decides nothing: names, retention, lateness and the table, each rule with what it must not do.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2026-11-26 00:00 UTC.
const NOW: i64 = 1_795_651_200_000;

fn asset(kind: Kind, service: Option<&str>, what: &str) -> Asset {
    Asset { kind, service: service.map(String::from), what: what.to_owned() }
}

#[test]
fn assets_have_names_that_people_can_shorten() {
    let database = asset(Kind::Database, Some("mysql"), "gmod_construction");
    assert_eq!(database.name(), "database:gmod_construction");
    for name in ["database", "gmod_construction", "database:gmod_construction"] {
        assert!(database.is_called(name), "{name}");
    }
    assert!(!database.is_called("") && !database.is_called("volume"));
    assert_eq!(asset(Kind::Image, Some("gmod"), "x/gmod-server").name(), "image:gmod");
    let project = asset(Kind::Project, None, "");
    assert_eq!(project.name(), "project");
    assert!(!project.is_called(""));
    let points = asset(Kind::Points, None, "");
    assert_eq!(points.name(), "points");
    assert!(points.is_called("points") && !points.is_called("") && !points.is_called("project"));
}

#[test]
fn what_is_wanted_has_an_asset_and_perhaps_a_time() {
    let wanted: Wanted = "database@2026-11-22 20:14:03".parse().unwrap();
    assert_eq!(wanted.asset, "database");
    assert_eq!(wanted.at.as_deref(), Some("2026-11-22 20:14:03"));
    assert_eq!("files:addons".parse::<Wanted>().unwrap().at, None);
    for wrong in ["", "@now", " @x"] {
        assert!(matches!(wrong.parse::<Wanted>(), Err(WantedError::NoAsset(_))), "{wrong}");
    }
    let odd: Wanted = "files:maps@v1@2026-11-22".parse().unwrap();
    assert_eq!((odd.asset.as_str(), odd.at.as_deref()), ("files:maps@v1", Some("2026-11-22")));
    assert!(matches!("database@ ".parse::<Wanted>(), Err(WantedError::NoTime(_))));
    let point: Wanted = "points:v2.3-vehicles@2026-11-22".parse().unwrap();
    assert_eq!((point.asset.as_str(), point.point.as_deref()), ("points", Some("v2.3-vehicles")));
    assert_eq!(point.at.as_deref(), Some("2026-11-22"));
    assert_eq!("points".parse::<Wanted>().unwrap().point, None);
    assert!(matches!("points:".parse::<Wanted>(), Err(WantedError::NoPoint(_))));
}

#[test]
fn the_newest_of_each_hour_day_and_month_stay() {
    // A backup each half an hour for 100 days.
    let made: Vec<i64> = (0..100 * 48).map(|half| NOW - half * HOUR / 2).collect();
    let gone = expire(&Retention::default(), &made);
    let stays: Vec<i64> =
        (0..made.len()).filter(|one| !gone.contains(one)).map(|one| made[one]).collect();
    // 24 hours; 7 days, of which one and a bit are among the hours; 3 months, one of them now.
    assert_eq!(stays.len(), 24 + 5 + 2, "{stays:?}");
    assert!(stays.contains(&NOW));
    let oldest = stays.iter().min().unwrap();
    // The last backup of September.
    assert_eq!((NOW - oldest) / DAY, 56, "{oldest}");
}

#[test]
fn rules_of_nothing_keep_the_newest() {
    let none = Retention { hourly: 0, daily: 0, monthly: 0 };
    assert_eq!(expire(&none, &[5, 9, 7]), [2, 0]);
    assert_eq!(expire(&none, &[]), Vec::<usize>::new());
}

proptest! {
    /// Whatever was made, the newest stays, no more stay than the rules say, and making another one
    /// never brings back one that went.
    #[test]
    fn retention_is_steady(
        made in prop::collection::vec(0_i64..400 * DAY, 1..80),
        rules in (0_usize..30, 0_usize..10, 0_usize..5),
    ) {
        let rules = Retention { hourly: rules.0, daily: rules.1, monthly: rules.2 };
        let gone = expire(&rules, &made);
        let newest = made.iter().max().unwrap();
        prop_assert!(gone.iter().all(|one| made[*one] < *newest || made.iter().filter(|at| *at == newest).count() > 1));
        prop_assert!(made.len() - gone.len() <= 1 + rules.hourly + rules.daily + rules.monthly);
        let left: Vec<i64> =
            (0..made.len()).filter(|one| !gone.contains(one)).map(|one| made[one]).collect();
        // What stays, stays when it is asked again.
        prop_assert!(expire(&rules, &left).is_empty());
    }
}

#[test]
fn it_is_late_when_it_was_due_and_nothing_was_made() {
    let grace = Duration::from_secs(1800);
    let due = Due { due: Some(NOW), last: Some(NOW - HOUR), grace };
    assert_eq!(late(due, NOW + HOUR / 4), None, "it may still be under way");
    assert_eq!(late(due, NOW + HOUR), Some(Duration::from_secs(3600)));
    assert_eq!(late(Due { last: Some(NOW), ..due }, NOW + HOUR), None);
    assert_eq!(late(Due { due: None, ..due }, NOW + HOUR), None);
    assert_eq!(late(Due { last: None, ..due }, NOW + HOUR), Some(Duration::from_secs(3600)));
    assert_eq!(late(due, NOW - HOUR), None, "the clock was put back");
}

fn here() -> Copied {
    Copied {
        place: String::from("this host"),
        medium: Medium::Disk(String::from("253:0")),
        off_site: false,
        age: Duration::ZERO,
    }
}

fn away(name: &str, hours: u64) -> Copied {
    Copied {
        place: name.to_owned(),
        medium: Medium::Remote(name.to_owned()),
        off_site: true,
        age: Duration::from_secs(hours * 3600),
    }
}

fn facts(copies: Vec<Copied>) -> Facts {
    Facts {
        asset: String::from("database:x"),
        copies,
        rpo: Duration::from_secs(2 * 3600),
        drilled: Some(Duration::from_secs(3600)),
        drill_every: Some(Duration::from_secs(7 * 24 * 3600)),
        drill_failed: false,
        out_of_scope: None,
        by_git: false,
    }
}

#[test]
fn high_needs_three_copies_two_media_one_off_site_and_a_drill() {
    let all = || vec![here(), here(), away("s3", 1)];
    let row = judge(facts(all()));
    assert_eq!((row.level, row.fresh, row.raise), (Level::High, 3, Vec::new()));
    // Each alone is missed, and said.
    let old = judge(facts(vec![here(), here(), away("s3", 3)]));
    assert_eq!(old.level, Level::Low, "the only one elsewhere is too old");
    assert_eq!(old.raise[0], "the copy at s3 is 3h old, and 2h is what may be lost");
    let two = judge(facts(vec![here(), away("s3", 1)]));
    assert_eq!(two.level, Level::Medium);
    assert_eq!(two.raise, ["1 more copy: another site in [backup.site]"]);
    let undrilled = judge(Facts { drilled: None, ..facts(all()) });
    assert_eq!(undrilled.level, Level::Medium);
    assert_eq!(undrilled.raise, ["nobody has proved that it comes back: vigie backup drill"]);
    let late = Facts { drilled: Some(Duration::from_secs(30 * 24 * 3600)), ..facts(all()) };
    assert_eq!(judge(late).level, Level::Medium);
    let failed = judge(Facts { drill_failed: true, ..facts(all()) });
    assert_eq!(failed.level, Level::Low, "what does not come back is no copy");
}

#[test]
fn one_disk_is_low_however_many_copies_are_on_it() {
    let row = judge(facts(vec![here(), here(), here(), here()]));
    assert_eq!(row.level, Level::Low);
    assert_eq!(
        row.raise,
        ["a copy on another medium: all are on one disk", "a copy off-site: all are on this host"]
    );
}

#[test]
fn what_git_keeps_needs_no_drill_and_what_players_keep_no_copy() {
    let code =
        Facts { drilled: None, drill_every: None, ..facts(vec![here(), here(), away("git", 0)]) };
    assert_eq!(judge(code).level, Level::High);
    let alone = Facts { by_git: true, drill_every: None, ..facts(vec![here()]) };
    assert_eq!(judge(alone).raise[0], "2 more copies: a git remote, and `git push` to it");
    let why = Some(String::from("on the players' disks"));
    let blueprints = Facts { out_of_scope: why, ..facts(Vec::new()) };
    assert_eq!(judge(blueprints).level, Level::OutOfScope);
}
