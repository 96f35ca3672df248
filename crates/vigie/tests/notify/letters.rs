//! Letters to send: one incident as it goes on.

use jiff::tz::TimeZone;
use vigie::notify::{Choice, Fact, Letter, Message, Reader, Value};
use vigie::report::{Lang, incident_json};
use vigie::store::IncidentRow;
use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Group, IncidentId, Severity};
use vigie_core::moment::Bounds;
use vigie_core::notify::{Notice, NoticeId, Occasion, Outcome};
use vigie_core::respond::RunId;
use vigie_core::{Moment, Record, State};

pub(crate) fn reader() -> Reader {
    Reader { lang: Lang::En, zone: TimeZone::UTC }
}

pub(crate) fn at() -> Moment {
    Moment::from_ms(1_764_000_000_000)
}

pub(crate) fn approval() -> Occasion {
    Occasion::Approval { run: RunId(7) }
}

pub(crate) fn fact(name: &str, value: Value) -> Fact {
    Fact { name: name.to_owned(), value }
}

/// A letter about incident 3; with the message that stands for it already, or without.
pub(crate) fn letter(id: u64, occasion: Occasion, card: Option<&str>) -> Letter {
    let news = occasion.rings().then(|| format!("🔴 #3 P1 {}: gmod is down", occasion.word()));
    let choices = match occasion {
        Occasion::Approval { .. } => {
            vec![Choice::Approve(7), Choice::Refuse(7), Choice::Acknowledge(3)]
        }
        Occasion::Restored | Occasion::Resolved => Vec::new(),
        _ => vec![Choice::Acknowledge(3)],
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let message = Message {
        colour: 0xd6_28_28,
        sign: "🔴",
        head: String::from("P1 gmod · repairing"),
        title: String::from("gmod is exited, exit code 139"),
        facts: vec![
            fact("Since", Value::Time(at().wall)),
            fact("Players see", text("connection refused on gm_construct")),
            fact("Take it", Value::Command(String::from("vigie incident ack 3"))),
        ],
        steps: vec![String::from("✓ up gmod"), String::from("… verifying")],
        news,
        choices,
        footer: String::from("DarkRP · incident #3"),
    };
    Letter {
        notice: Notice {
            id: NoticeId(id),
            channel: String::from("test"),
            incident: Some(IncidentId(3)),
            occasion,
            severity: Severity::P1,
            at: at(),
        },
        message,
        card: card.map(str::to_owned),
        incident: Some(incident_json(&row())),
    }
}

/// A letter about vigie itself.
pub(crate) fn said(id: u64) -> Letter {
    let text = String::from("the journal's disk is full");
    let mut letter = letter(id, Occasion::Said { text: text.clone() }, None);
    letter.notice.incident = None;
    letter.incident = None;
    letter.message.head = String::from("about vigie itself");
    letter.message.title = text;
    letter.message.facts.clear();
    letter.message.steps.clear();
    letter.message.choices.clear();
    letter
}

fn row() -> IncidentRow {
    let incident = IncidentId(3);
    let service = || String::from("gmod");
    let title = || String::from("gmod is exited, exit code 139");
    let records = [
        Record::IncidentOpened {
            incident,
            service: service(),
            group: Group::Availability,
            severity: Severity::P1,
            title: title(),
            players: None,
        },
        Record::SymptomBegan {
            incident,
            service: service(),
            kind: SymptomKind::Down,
            started: Bounds::between(Some(at()), at()),
            detail: title(),
        },
    ];
    let state = State::replay(records.into_iter().map(|record| (at(), record)));
    IncidentRow { incident: state.incidents[&incident].clone(), runs: Vec::new() }
}

/// What a delivered notice's message is called.
pub(crate) fn delivered(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Delivered { message } => message,
        other => panic!("not delivered: {other:?}"),
    }
}

/// A notice that came through without a new message for the incident.
pub(crate) fn no_card() -> Outcome {
    Outcome::Delivered { message: None }
}

pub(crate) fn later(after: Option<u64>, why: &str) -> Outcome {
    Outcome::Later { after: after.map(std::time::Duration::from_millis), why: why.to_owned() }
}

pub(crate) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}
