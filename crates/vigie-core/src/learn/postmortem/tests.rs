//! What follows from a record, and what does not.

use super::*;
use crate::detect::SymptomKind;
use crate::incident::{Actor, Group, IncidentId, Severity};
use crate::moment::Bounds;
use crate::respond::{Commit, Ending, Evidence, LuaFinding, RunId};
use crate::state::State;

const ONE: IncidentId = IncidentId(1);
const RUN: RunId = RunId(1);

fn s(seconds: i64) -> Moment {
    Moment::from_ms(seconds * 1_000)
}

fn opened(players: Option<u32>) -> Record {
    Record::IncidentOpened {
        incident: ONE,
        service: String::from("gmod"),
        group: Group::Availability,
        severity: Severity::P1,
        title: String::from("gmod is exited"),
        players,
    }
}

fn began(earliest: i64, latest: i64) -> Record {
    Record::SymptomBegan {
        incident: ONE,
        service: String::from("gmod"),
        kind: SymptomKind::Down,
        started: Bounds { earliest: s(earliest), latest: s(latest) },
        detail: String::from("gmod is exited"),
    }
}

fn ended() -> Record {
    let (incident, service) = (ONE, String::from("gmod"));
    Record::SymptomEnded { incident, service, kind: SymptomKind::Down }
}

fn restored(at: i64) -> Record {
    Record::Restored { incident: ONE, at: s(at), view: String::from("12/32 players") }
}

fn run_started() -> Record {
    Record::RunStarted {
        run: RUN,
        incident: ONE,
        service: String::from("gmod"),
        runbook: String::from("game-down"),
        by: Actor::Vigie,
    }
}

fn chosen(evidence: Evidence) -> Record {
    let (case, rejected) = (Some(String::from("A")), Vec::new());
    Record::CaseChosen { run: RUN, evidence: Box::new(evidence), case, rejected }
}

fn run_ended(ending: Ending) -> Record {
    Record::RunEnded { run: RUN, ending, why: String::new() }
}

fn review(records: Vec<(i64, Record)>) -> Review {
    let timeline: Vec<_> = records.into_iter().map(|(at, record)| (s(at), record)).collect();
    let state = State::replay(timeline.clone());
    let runs: Vec<_> = state.runs.values().cloned().collect();
    let targets = Targets::default();
    Review::of(&Case {
        incident: &state.incidents[&ONE],
        runs: &runs,
        timeline: &timeline,
        targets: &targets,
    })
}

fn seconds(length: Option<Length>) -> Option<(u64, u64)> {
    length.map(|(least, most)| (least.as_secs(), most.as_secs()))
}

#[test]
fn a_repaired_crash_is_told_within_bounds() {
    let by = Actor::Runbook(String::from("game-down"));
    let told = Record::Notified {
        incident: ONE,
        channel: String::from("discord"),
        occasion: String::from("opened"),
    };
    let review = review(vec![
        (100, opened(Some(12))),
        (100, began(95, 99)),
        (101, run_started()),
        (101, Record::Acknowledged { incident: ONE, by }),
        (102, told),
        (103, chosen(Evidence::default())),
        (140, ended()),
        (150, run_ended(Ending::Verified)),
        (150, restored(140)),
    ]);
    assert_eq!(seconds(review.detected_in), Some((1, 5)));
    assert_eq!(seconds(review.in_hand_in), Some((2, 6)));
    assert_eq!(seconds(review.lasted), Some((41, 45)));
    assert_eq!(seconds(review.player_time), Some((41 * 12, 45 * 12)));
    let well: Vec<_> = review.side(Side::Well).cloned().collect();
    assert_eq!(
        well,
        [
            Lesson::SeenFast((Duration::from_secs(1), Duration::from_secs(5))),
            Lesson::InHand { runbook: String::from("game-down"), after: Duration::from_secs(1) },
            Lesson::HelpedAtOnce { runbook: String::from("game-down"), case: String::from("A") },
            Lesson::Proved { view: String::from("12/32 players") },
            Lesson::Told { channel: String::from("discord"), after: Duration::from_secs(2) },
        ]
    );
    assert_eq!((review.side(Side::Badly).count(), review.side(Side::Luck).count()), (0, 0));
    assert_eq!(review.proposals, [Proposal::FindCause]);
}

#[test]
fn the_good_time_before_a_relapse_is_no_down_time() {
    let review = review(vec![
        (10, opened(None)),
        (10, began(8, 10)),
        (30, ended()),
        (40, restored(30)),
        (130, Record::Relapsed { incident: ONE }),
        (130, began(125, 130)),
        (150, ended()),
        (160, restored(150)),
    ]);
    // 20..22 s, then 20..25 s.
    assert_eq!(seconds(review.lasted), Some((40, 47)));
    assert_eq!((review.players, review.player_time), (None, None));
    assert!(review.lessons.contains(&Lesson::CameBack { times: 1 }));
    assert!(review.lessons.contains(&Lesson::WentByItself), "no run of it was verified");
}

#[test]
fn what_went_badly_asks_for_something() {
    let evidence = Evidence {
        lua: Some(LuaFinding { file: String::from("a.lua"), line: 3, message: String::from("x") }),
        commits: vec![Commit {
            hash: String::from("abc"),
            subject: String::from("5 minutes ago, x: y"),
        }],
        missing: vec![String::from("the console: no answer in time")],
        ..Evidence::default()
    };
    let review = review(vec![
        (100, opened(Some(0))),
        (100, began(10, 100)),
        (101, run_started()),
        (103, chosen(evidence)),
        (150, run_ended(Ending::Failed)),
        (151, Record::Escalated { incident: ONE, why: String::from("no further case") }),
        (1_100, Record::Overdue { incident: ONE }),
        (1_200, Record::Resolved { incident: ONE, by: Actor::Person(String::from("eve")) }),
    ]);
    assert_eq!(seconds(review.lasted), Some((1_100, 1_190)));
    let badly: Vec<_> = review.side(Side::Badly).map(std::mem::discriminant).collect();
    assert_eq!(badly.len(), 5, "{:?}", review.lessons);
    assert!(review.side(Side::Luck).eq([&Lesson::NobodyOnline]));
    let wanted = [
        Proposal::FindCause,
        Proposal::MendLua { file: String::from("a.lua"), line: 3, message: String::from("x") },
        Proposal::LookAtCommit {
            hash: String::from("abc"),
            subject: String::from("5 minutes ago, x: y"),
        },
        Proposal::LetItBeSeen,
        Proposal::ReachSomebody,
        Proposal::MendCase { runbook: String::from("game-down"), case: String::from("A") },
        Proposal::MakeAvailable { what: String::from("the console: no answer in time") },
    ];
    assert_eq!(review.proposals, wanted);
}

#[test]
fn what_lasts_has_no_length_and_an_old_commit_is_no_suspect() {
    let commit =
        Commit { hash: String::from("abc"), subject: String::from("3 weeks ago, x: the hour") };
    let evidence = Evidence { commits: vec![commit], ..Evidence::default() };
    let review = review(vec![
        (100, opened(Some(4))),
        (100, began(99, 100)),
        (101, run_started()),
        (103, chosen(evidence)),
    ]);
    assert_eq!((review.lasted, review.player_time), (None, None));
    assert_eq!(review.proposals, [Proposal::FindCause]);
}
