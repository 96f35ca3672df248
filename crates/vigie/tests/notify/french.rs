//! A whole letter in French, from an incident as the engine records it to what the other side gets.

use vigie::notify::{
    About, Discord, Email, Http, Letter, MailAccount, Message, Reader, Sender, Telegram,
};
use vigie::report::{Lang, incident_json};
use vigie::store::IncidentRow;
use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, IncidentId, Severity};
use vigie_core::moment::Bounds;
use vigie_core::notify::{Notice, NoticeId, Occasion};
use vigie_core::respond::{Ending, Evidence, Rejected, RunId, Step, StepResult};
use vigie_core::stack::Targets;
use vigie_core::{Moment, Record, State};
use vigie_testkit::chat;

use crate::letters::{delivered, pretty};

fn at(ms: i64) -> Moment {
    Moment::from_ms(1_764_000_000_000 + ms)
}

/// A crash, its repair, and what followed, up to `end`.
fn story(end: usize) -> IncidentRow {
    let (incident, run) = (IncidentId(3), RunId(7));
    let service = || String::from("gmod");
    let title = || String::from("gmod is exited, exit code 139");
    let rejected = vec![Rejected {
        case: String::from("C"),
        why: String::from("exit code 139 is none of [125]"),
    }];
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
            started: Bounds::between(Some(at(-200)), at(0)),
            detail: title(),
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
        Record::RunEnded {
            run,
            ending: Ending::Verified,
            why: String::from("gmod answers: 12/24 players on gm_construct, 3 ms"),
        },
        Record::Restored {
            incident,
            at: at(10),
            view: String::from("gmod answers: 12/24 players on gm_construct, 3 ms"),
        },
    ];
    let told = records.into_iter().take(end).enumerate();
    let state = State::replay(told.map(|(index, record)| (at(index as i64), record)));
    let row = state.incidents[&incident].clone();
    IncidentRow { runs: state.runs.into_values().collect(), incident: row }
}

fn letter(id: u64, occasion: Occasion, row: &IncidentRow, card: Option<&str>) -> Letter {
    let notice = Notice {
        id: NoticeId(id),
        channel: String::from("équipe"),
        incident: Some(row.incident.id),
        occasion,
        severity: row.incident.severity,
        at: at(10),
    };
    let about = About {
        stack: "DarkRP",
        targets: &Targets::default(),
        notice: &notice,
        row: Some(row),
        seen_before: Some("#1, résolu par runbook p1-unreachable, cas A (2.5 s)"),
        now: at(12_000),
        lang: Lang::Fr,
    };
    let message = Message::of(&about);
    Letter { message, card: card.map(str::to_owned), incident: Some(incident_json(row)), notice }
}

fn reader() -> Reader {
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    Reader { lang: Lang::Fr, zone }
}

/// The opening while the runbook verifies, and the end.
async fn tell(sender: &Sender) {
    let (open, over) = (story(8), story(usize::MAX));
    let card = delivered(sender.send(&letter(1, Occasion::Opened, &open, None)).await);
    assert!(card.is_some());
    delivered(sender.send(&letter(2, Occasion::Restored, &over, card.as_deref())).await);
}

fn asked(seen: &[chat::Seen]) -> String {
    let told =
        seen.iter().map(|seen| format!("{} {}\n{}", seen.method, seen.status, pretty(&seen.body)));
    told.collect::<Vec<_>>().join("\n\n")
}

#[tokio::test]
async fn a_whole_letter_on_discord() {
    let server = chat::Discord::start().await.unwrap();
    let discord = Discord::new(Http::new().unwrap(), &server.url(), reader()).unwrap();
    tell(&Sender::Discord(discord)).await;
    insta::assert_snapshot!(asked(&server.seen()));
}

#[tokio::test]
async fn a_whole_letter_on_telegram() {
    let server = chat::Telegram::start().await.unwrap();
    let (http, chat) = (Http::new().unwrap(), chat::Telegram::CHAT);
    let telegram = Telegram::new(http, server.api(), server.token(), chat, reader()).unwrap();
    tell(&Sender::Telegram(telegram)).await;
    insta::assert_snapshot!(asked(&server.seen()));
}

#[tokio::test]
async fn a_whole_letter_by_mail() {
    let server = chat::Smtp::start(None).await.unwrap();
    let account = MailAccount {
        server: server.url().to_owned(),
        login: None,
        from: String::from("vigie <vigie@example.org>"),
        to: vec![String::from("admin@example.org")],
    };
    tell(&Sender::Email(Box::new(Email::new(&account, "DarkRP", reader()).unwrap()))).await;
    let mails: Vec<_> = server.mails().iter().map(|mail| readable(&mail.text)).collect();
    insta::assert_snapshot!(mails.join("\n---\n"));
}

/// A mail as a program for mails shows its source, without what is different each time.
fn readable(mail: &str) -> String {
    let boundary = mail.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let mail = mail.replace(boundary, "BOUNDARY");
    let date = mail.lines().find(|line| line.starts_with("Date: ")).unwrap();
    let mail = mail.replace(date, "Date: DATE").replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = mail.as_bytes();
    while let [first, behind @ ..] = rest {
        let coded = (*first == b'=').then(|| behind.get(..2)).flatten();
        let coded =
            coded.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).unwrap()
}
