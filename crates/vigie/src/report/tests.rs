//! The shapes that other programs rely on, whole: a change of one of them is seen here.

use vigie_core::Moment;
use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, IncidentId, Severity};
use vigie_core::moment::Bounds;
use vigie_core::respond::{Ending, Evidence, Rejected, RunId, Silence, Step, StepResult};
use vigie_core::stack::{Mode, Role};
use vigie_core::{Record, State};

use super::*;
use crate::store::IncidentRow;

fn at(ms: i64) -> Moment {
    Moment::from_ms(1_764_000_000_000 + ms)
}

/// An incident from its first sign to its end.
fn story() -> Vec<(Moment, Record)> {
    let (incident, run) = (IncidentId(3), RunId(7));
    let service = || String::from("gmod");
    let rejected = vec![Rejected { case: String::from("C"), why: String::from("not 125") }];
    let records = [
        Record::IncidentOpened {
            incident,
            service: service(),
            group: Group::Availability,
            severity: Severity::P1,
            title: String::from("gmod is exited, exit code 139"),
            players: None,
        },
        Record::SymptomBegan {
            incident,
            service: service(),
            kind: SymptomKind::Down,
            started: Bounds::between(Some(at(-200)), at(0)),
            detail: String::from("gmod is exited, exit code 139"),
        },
        Record::RunStarted {
            run,
            incident,
            service: service(),
            runbook: String::from("p1-unreachable"),
            by: Actor::Vigie,
        },
        Record::CaseChosen {
            run,
            evidence: Box::new(Evidence { taken: at(3), ..Evidence::default() }),
            case: Some(String::from("A")),
            rejected,
        },
        Record::Acknowledged { incident, by: Actor::Runbook(String::from("p1-unreachable")) },
        Record::StepIntended { run, step: Step::Up { recreate: false }, undo: false },
        Record::StepEnded { run, result: StepResult::Done },
        Record::VerifyBegan { run, until: at(180_000) },
        Record::SymptomEnded { incident, service: service(), kind: SymptomKind::Down },
        Record::RunEnded { run, ending: Ending::Verified, why: String::from("players can join") },
        Record::Restored { incident, at: at(8), view: String::from("0/24 on gm_construct") },
    ];
    records.into_iter().enumerate().map(|(index, record)| (at(index as i64), record)).collect()
}

fn row(records: usize) -> IncidentRow {
    let state = State::replay(story().into_iter().take(records));
    let incident = state.incidents[&IncidentId(3)].clone();
    IncidentRow { incident, runs: state.runs.into_values().collect() }
}

#[test]
fn an_incidents_json_is_as_documented() {
    let whole = [row(usize::MAX), row(2)];
    let whole: Vec<_> = whole.iter().map(incident_json).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&whole).unwrap());
}

#[test]
fn a_step_that_runs_says_so() {
    let value = serde_json::to_value(incident_json(&row(6))).unwrap();
    let step = &value["runs"][0]["steps"][0];
    assert_eq!((step["result"].as_str(), step["took_ms"].is_null()), (Some("running"), true));
}

#[test]
fn a_status_json_is_as_documented() {
    let status = Status {
        stack: String::from("lab"),
        mode: Mode::Auto,
        degraded: true,
        services: vec![ServiceStatus {
            name: String::from("gmod"),
            role: Role::Game,
            state: String::from("running"),
            health: String::from("healthy"),
            since: Some(rfc3339(at(0).wall)),
            players: Some(3),
            max_players: Some(16),
            map: Some(String::from("gm_construct")),
            latency_ms: Some(1.4),
            cpu_pct: None,
            mem_bytes: Some(1 << 20),
            mem_limit_bytes: None,
            restarts: 2,
            last_error: None,
            drift: vec![String::from("the variable MAP differs")],
        }],
        incidents_open: 1,
        approvals: vec![ApprovalStatus {
            run: 7,
            what: String::from("p1-unreachable case C on gmod"),
            until: rfc3339(at(600_000).wall),
            default: Silence::Approve,
        }],
        maintenance: None,
        runtime_reachable: true,
        journal_waiting: 0,
        channels: vec![ChannelStatus { name: String::from("discord"), waiting: 2, stopped: None }],
        heartbeat: Some(HeartbeatStatus {
            last: Some(rfc3339(at(0).wall)),
            failing_since: Some(rfc3339(at(1).wall)),
            why: Some(String::from("no answer in time")),
        }),
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&status).unwrap());
}

#[test]
fn who_decided_is_told_also_when_nobody_did() {
    let (run, until) = (RunId(7), at(600_000));
    let plan = vec![String::from("up gmod"), String::from("kill and restart gmod")];
    let asked = |silence| Record::ApprovalAsked { run, until, plan: plan.clone(), silence };
    let given = |by, granted, case: Option<&str>| Record::ApprovalGiven {
        run,
        by,
        granted,
        case: case.map(str::to_owned),
    };
    let records = [
        asked(Silence::Refuse),
        given(Actor::Vigie, false, None),
        asked(Silence::Approve),
        given(Actor::Vigie, true, Some("B")),
        given(Actor::Person(String::from("Ann (Telegram)")), true, None),
        given(Actor::Person(String::from("Ann (Telegram)")), false, None),
    ];
    let minute = minute(until.wall);
    let told = |lang| tell_all(records.iter(), lang).join("\n").replace(&minute, "20:14");
    insta::assert_snapshot!(format!("{}\n\n{}", told(Lang::En), told(Lang::Fr)));
}

#[test]
fn who_was_told_is_told_in_french_too() {
    for (occasion, french) in [
        ("opened", "discord prévenu : ouvert"),
        ("resolved in a digest", "discord prévenu : résolu, dans un résumé"),
        ("restored refused: 400: no", "discord prévenu : restored refusé : 400: no"),
    ] {
        let (channel, occasion) = (String::from("discord"), String::from(occasion));
        let record = Record::Notified { incident: IncidentId(3), channel, occasion };
        assert_eq!(tell(&record, None, Lang::Fr), french);
    }
}

#[test]
fn records_from_before_defaults_are_read() {
    let asked =
        r#"{"what":"approval_asked","run":7,"until":{"steady":1,"wall":2},"plan":["up gmod"]}"#;
    let given = r#"{"what":"approval_given","run":7,"by":"vigie","granted":false}"#;
    let asked: Record = serde_json::from_str(asked).unwrap();
    assert!(matches!(asked, Record::ApprovalAsked { silence: Silence::Refuse, .. }));
    let given: Record = serde_json::from_str(given).unwrap();
    assert_eq!(tell(&given, None, Lang::En), "nobody answered in time: refused by default");
}

#[test]
fn a_timeline_is_told_in_both_languages() {
    for lang in [Lang::En, Lang::Fr] {
        let records = story();
        let lines = tell_all(records.iter().map(|(_, record)| record), lang);
        insta::assert_snapshot!(format!("timeline_{lang:?}"), lines.join("\n"));
    }
}
