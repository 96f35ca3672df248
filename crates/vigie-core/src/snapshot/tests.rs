//! Names, what may go, and the order of a way back.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> PointName {
    text.parse().unwrap()
}

fn tree(name: &str, service: &str, at: &str) -> TreePart {
    TreePart {
        name: name.to_owned(),
        mounted: vec![(service.to_owned(), at.to_owned())],
        snapshot: format!("snapshot of {name}"),
        root: None,
        files: 3,
        size: 100,
        added: 10,
    }
}

fn point(text: &str, made: i64) -> Point {
    Point {
        players: Some(3),
        took_ms: 1,
        images: vec![ImagePart {
            service: String::from("gmod"),
            repository: String::from("projet/gmod"),
            tag: text.to_owned(),
            id: String::from("sha256:1"),
            layers: Vec::new(),
            size: 1_000,
            added: 50,
            changes: Vec::new(),
            off_site: None,
        }],
        volumes: vec![tree("gmod-data", "gmod", "/home/gmod/server"), tree("other", "web", "/srv")],
        databases: vec![DatabasePart {
            service: String::from("mysql"),
            schema: String::from("town"),
            snapshot: String::from("snapshot of town"),
            size: 7,
            added: 7,
        }],
        project: Some(tree("project", "", "")),
        ..Point::new(name(text), made)
    }
}

#[test]
fn the_seeds_names_are_names_and_nonsense_says_why() {
    for text in
        ["v1.0-base", "v1.1-mysql", "v2-stable", "v2.1-stable", "v2.2-vehicles", "v10.12-a_b.c"]
    {
        assert_eq!(name(text).to_string(), text);
    }
    for (text, why) in [
        ("jour2-stable", "begins with no v"),
        ("v2", "no description"),
        ("v2-", "its description"),
        ("v2.-x", "no number"),
        ("v02-x", "no number"),
        ("v2.3.4-x", "no number"),
        ("v2-Été", "a-z"),
        ("v2--x", "letter or a number"),
        ("v99999999999-x", "no number"),
    ] {
        let error = text.parse::<PointName>().unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("v2.3-vehicles"), "{text}: {error}");
    }
}

#[test]
fn a_bump_goes_on_from_the_highest() {
    let known = ["v1.9-a", "v2-stable", "v1.10-b"].map(name);
    let next = |bump| PointName::next(&known, bump, "new").unwrap().to_string();
    assert_eq!(next(Bump::Minor), "v2.1-new");
    assert_eq!(next(Bump::Major), "v3.0-new");
    assert_eq!(PointName::next([], Bump::Minor, "base").unwrap().to_string(), "v1.0-base");
    assert!(PointName::next(&known, Bump::Minor, "No Good").is_err());
}

#[test]
fn what_runs_and_what_is_good_never_goes() {
    const DAY: i64 = 86_400_000;
    let names = ["v1.0-a", "v1.1-stable", "v1.2-b", "v1.3-c", "v1.4-d", "v1.5-e"];
    let points: Vec<_> = (0_i64..).zip(names).map(|(day, text)| point(text, day * DAY)).collect();
    let rules = Rules {
        keep_last: 1,
        keep_min_age: Duration::from_secs(3 * 86_400 / 2),
        ..Rules::default()
    };
    let verdicts = prune(&points, &rules, Some(&name("v1.0-a")), Some(&name("v1.2-b")), 6 * DAY);
    let told: Vec<_> = verdicts.iter().map(|one| (one.name.to_string(), one.kept)).collect();
    let wanted = [
        ("v1.5-e", Some(Kept::Last)),
        ("v1.4-d", None),
        ("v1.3-c", None),
        ("v1.2-b", Some(Kept::LastGood)),
        ("v1.1-stable", Some(Kept::Tagged)),
        ("v1.0-a", Some(Kept::Running)),
    ];
    assert_eq!(told, wanted.map(|(text, kept)| (text.to_owned(), kept)));
    let young = prune(&points, &rules, None, None, 5 * DAY + DAY / 4);
    assert_eq!(young[1].kept, Some(Kept::Young));
}

#[test]
fn a_tag_given_by_hand_has_an_equivalent() {
    let known = [("v1.0-base", 10), ("v2.1-stable", 30)].map(|(text, made)| (name(text), made));
    let called =
        |tag: &str, made, known: &[_]| PointName::equivalent(tag, made, known).unwrap().to_string();
    for (tag, made, wanted) in [
        // The seed's own names stay.
        ("v2.2-vehicles", 40, "v2.2-vehicles"),
        ("v2-stable", 5, "v2-stable"),
        // Younger than all: it goes on. Older than one: it is from before.
        ("jour2-stable", 40, "v2.2-jour2-stable"),
        ("jour2-stable", 20, "v0.1-jour2-stable"),
        // Numbers in front are kept.
        ("V3_Stable", 20, "v3-stable"),
        ("1.4-Avant_Mysql", 20, "v1.4-avant_mysql"),
        ("2.3.1", 20, "v2.3-1"),
        ("v2.4", 20, "v2.4-legacy"),
        ("v02.01-x", 20, "v2.1-x"),
        ("2fort-map", 20, "v0.1-2fort-map"),
        ("_", 20, "v0.1-legacy"),
        ("latest", 40, "v2.2-latest"),
    ] {
        assert_eq!(called(tag, made, &known), wanted, "{tag}");
    }
    assert_eq!(called("jour2-stable", 0, &[]), "v1.0-jour2-stable");
    let one = [(name("v1.0-base"), 10), (name("v0.3-jour1"), 5)];
    assert_eq!(called("jour0", 1, &one), "v0.4-jour0");
}

#[test]
fn an_image_that_was_taken_over_is_an_image_alone() {
    let adopted = Point {
        volumes: Vec::new(),
        databases: Vec::new(),
        project: None,
        adopted: Some(String::from("projet/gmod:jour2-stable")),
        ..point("v1.0-jour2-stable", 0)
    };
    let plan = Plan::to(&adopted, Parts::of(None), &order(), |_| None);
    let gmod = || String::from("gmod");
    assert_eq!(
        plan.acts,
        [Act::Stop(gmod()), Act::Image(gmod()), Act::Up(gmod()), Act::Verify(gmod())]
    );
    assert!(!adopted.can_be_good() && point("v1.0-a", 0).can_be_good());
    // Its new name goes with it, the old one never does, also where they are the same.
    assert_eq!(adopted.tags().collect::<Vec<_>>(), ["projet/gmod:v1.0-jour2-stable"]);
    let same = Point { adopted: Some(String::from("projet/gmod:v1.0-a")), ..point("v1.0-a", 0) };
    assert_eq!(same.tags().count(), 0);
}

fn order() -> Vec<String> {
    ["mysql", "gmod", "web"].map(String::from).to_vec()
}

fn plan(only: Option<Only>) -> Plan {
    let content = |_: &str| Some(String::from("/home/gmod/server"));
    Plan::to(&point("v1.0-a", 0), Parts::of(only), &order(), content)
}

#[test]
fn a_whole_way_back_stops_before_it_exchanges_and_looks_at_the_end() {
    let told: Vec<_> = plan(None).acts.iter().map(|act| format!("{act:?}")).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_image_behind_a_volume_takes_the_volume_with_it() {
    let plan = plan(Some(Only::Image));
    assert_eq!(plan.masking, ["gmod-data"]);
    let acts = [
        Act::Stop(String::from("gmod")),
        Act::Image(String::from("gmod")),
        Act::Volume(String::from("gmod-data")),
        Act::Up(String::from("gmod")),
        Act::Verify(String::from("gmod")),
    ];
    assert_eq!(plan.acts, acts);
    let data = |_: &str| Some(String::from("/opt/game"));
    let clear = Plan::to(&point("v1.0-a", 0), Parts::of(Some(Only::Image)), &order(), data);
    assert_eq!(clear.masking, Vec::<String>::new());
}

#[test]
fn a_database_is_played_back_while_nobody_plays() {
    let acts = plan(Some(Only::Database)).acts;
    let told: Vec<_> = acts.iter().map(|act| format!("{act:?}")).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn sizes_are_added_up() {
    let one = point("v1.0-a", 0);
    assert_eq!((one.size(), one.added()), (1_000 + 300 + 7, 50 + 30 + 7));
    assert_eq!(one.snapshots().count(), 4);
    assert_eq!(one.trees().count() + one.databases.len(), 4);
    let mut other = one.clone();
    let called = |label: &str, snapshot: &str| Ok::<_, ()>(format!("{label}={snapshot}"));
    other.call_parts(called).unwrap();
    for ((label, before), (same, after)) in one.parts().zip(other.parts()) {
        assert_eq!((after, &label), (format!("{label}={before}").as_str(), &same));
    }
    let refused =
        other.call_parts(
            |label, _| if label == PROJECT_LABEL { Err(label.len()) } else { Ok(String::new()) },
        );
    assert_eq!(refused, Err(PROJECT_LABEL.len()));
    assert!(!one.is_off_site());
}

proptest! {
    #[test]
    fn whatever_is_a_name_is_written_as_it_was_read(text in "v?[0-9]{0,3}\\.?[0-9]{0,3}-?[a-z0-9._-]{0,8}") {
        if let Ok(name) = text.parse::<PointName>() {
            prop_assert_eq!(name.to_string(), text);
        }
    }

    /// Whatever an engine takes for a tag has an equivalent.
    #[test]
    fn every_tag_has_an_equivalent(tag in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", made in 0_i64..3) {
        let known = [(name("v1.0-base"), 1)];
        let found = PointName::equivalent(&tag, made, &known).unwrap();
        prop_assert_eq!(found.to_string().parse::<PointName>().unwrap(), found);
    }

    /// Whatever goes back: nothing is exchanged while a service that has it runs, and every service
    /// that was stopped comes up again and is looked at.
    #[test]
    fn no_act_is_done_under_a_running_service(
        only in proptest::sample::select(vec![
            None, Some(Only::Image), Some(Only::Volumes), Some(Only::Database), Some(Only::Config),
        ]),
    ) {
        let plan = plan(only);
        let mut stopped: Vec<&str> = Vec::new();
        let mut looked = Vec::new();
        for act in &plan.acts {
            match act {
                Act::Stop(service) => stopped.push(service),
                Act::Up(service) => stopped.retain(|one| one != service),
                Act::Image(service) => prop_assert!(stopped.contains(&service.as_str())),
                Act::Volume(name) => {
                    let by = if name == "other" { "web" } else { "gmod" };
                    prop_assert!(stopped.contains(&by), "{:?}", plan.acts);
                }
                Act::Database(_) => prop_assert!(stopped.contains(&"gmod")),
                Act::Project => prop_assert_eq!(stopped.len(), 3),
                Act::Verify(service) => looked.push(service.clone()),
            }
        }
        prop_assert!(stopped.is_empty(), "{stopped:?} stay down");
        for act in &plan.acts {
            if let Act::Stop(service) = act {
                prop_assert!(looked.contains(service));
            }
        }
    }
}
