//! Whole post-mortems, in both languages, from a journal; and what must never be in one.

use std::path::Path;

use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, Severity};
use vigie_core::respond::{Commit, Ending, Evidence, Rejected, RunId, Step, StepResult, Usage};
use vigie_core::{Bounds, Moment, Record, State};

use super::*;
use crate::store::Journal;

const CONFIG: &str = "[stack]\nname = \"Ville\"\nruntime = \"process\"\n[service.gmod]\nrole = \"game\"\n\
    command = [\"true\"]\nrcon = { address = \"127.0.0.1:1\", password = { env = \"RCON_PASSWORD\" } }\n";

/// So many seconds after an evening in November 2026.
fn at(seconds: i64) -> Moment {
    Moment { steady: seconds * 1_000, wall: 1_795_636_800_000 + seconds * 1_000 }
}

fn gmod() -> String {
    String::from("gmod")
}

fn evidence(console: &str) -> Evidence {
    let mut evidence = Evidence { taken: at(4), exits: 1, ..Evidence::default() };
    evidence.inspection.exit_code = Some(139);
    evidence.host.memory_available_pct = Some(41.0);
    evidence.host.usage =
        vec![Usage { service: gmod(), mem_bytes: 1 << 30, mem_limit: Some(3 << 30) }];
    evidence.console = vec![String::from("Workshop ready"), console.to_owned()];
    let subject = String::from("20 minutes ago, Eve: new *physics*");
    evidence.commits = vec![Commit { hash: String::from("abc1234"), subject }];
    evidence.missing = vec![String::from("the console: no answer in time")];
    evidence
}

/// A crash that a runbook repaired at its second try, whose evidence, notes and channel say `text`.
fn story(text: &str) -> Vec<(i64, Record)> {
    let (id, run) = (IncidentId(1), RunId(1));
    let (book, case) = (String::from("p1-unreachable"), Some(String::from("A")));
    let rejected = vec![Rejected { case: String::from("C"), why: String::from("exit code 139") }];
    let detail = format!("gmod is exited, exit code 139; console: {text}");
    vec![
        (
            3,
            Record::IncidentOpened {
                incident: id,
                service: gmod(),
                group: Group::Availability,
                severity: Severity::P1,
                title: detail.clone(),
                players: Some(12),
            },
        ),
        (
            3,
            Record::SymptomBegan {
                incident: id,
                service: gmod(),
                kind: SymptomKind::Down,
                started: Bounds { earliest: at(0), latest: at(2) },
                detail,
            },
        ),
        (3, Record::Acknowledged { incident: id, by: Actor::Runbook(book.clone()) }),
        (
            3,
            Record::RunStarted {
                run,
                incident: id,
                service: gmod(),
                runbook: book,
                by: Actor::Vigie,
            },
        ),
        (4, Record::CaseChosen { run, evidence: Box::new(evidence(text)), case, rejected }),
        (
            4,
            Record::Notified {
                incident: id,
                channel: String::from("discord"),
                occasion: String::from("opened"),
            },
        ),
        (5, Record::StepIntended { run, step: Step::Up { recreate: false }, undo: false }),
        (9, Record::StepEnded { run, result: StepResult::Done }),
        (9, Record::VerifyBegan { run, until: at(60) }),
        (30, Record::SymptomEnded { incident: id, service: gmod(), kind: SymptomKind::Down }),
        (36, Record::RunEnded { run, ending: Ending::Verified, why: String::from("stable") }),
        (36, Record::Restored { incident: id, at: at(30), view: String::from("12/32 players") }),
        (
            90,
            Record::Noted {
                incident: id,
                by: Actor::Person(String::from("eve")),
                text: text.to_owned(),
            },
        ),
        (400, Record::Resolved { incident: id, by: Actor::Vigie }),
        (500, Record::Closed { incident: id, by: Actor::Person(String::from("eve")) }),
    ]
}

/// A configuration whose journal has `records`.
fn place(directory: &Path, records: &[(i64, Record)]) -> Config {
    std::fs::write(directory.join(".env"), "RCON_PASSWORD=hunter2hunter2\n").unwrap();
    let config = Config::parse(&directory.join("vigie.toml"), CONFIG).unwrap();
    let (mut journal, rebuilt) = Journal::open(&config.journal()).unwrap();
    let mut state: State = rebuilt.state;
    for (seconds, record) in records {
        state.apply(at(*seconds), record);
        journal.append(at(*seconds), std::slice::from_ref(record), &[], &state).unwrap();
    }
    config
}

fn written(directory: &Path, text: &str, lang: Lang) -> String {
    let config = place(directory, &story(text));
    let register = Register::open(&config.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    let mut facts = facts(&config, &register, &row, lang).unwrap();
    facts["due"] = "2026-12-09".into();
    let own = config.file.postmortem.template.as_ref().map(|own| config.directory().join(own));
    render(&facts, lang, own.as_deref(), &TimeZone::UTC).unwrap()
}

#[test]
fn a_whole_one_in_english() {
    let directory = tempfile::tempdir().unwrap();
    let text = written(directory.path(), "Segmentation fault (core dumped)", Lang::En);
    insta::assert_snapshot!(text);
}

#[test]
fn a_whole_one_in_french() {
    let directory = tempfile::tempdir().unwrap();
    let text = written(directory.path(), "Segmentation fault (core dumped)", Lang::Fr);
    insta::assert_snapshot!(text);
}

/// The post-mortem of what these records tell.
fn of(records: &[(i64, Record)], lang: Lang) -> String {
    let directory = tempfile::tempdir().unwrap();
    let config = place(directory.path(), records);
    let register = Register::open(&config.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    let facts = facts(&config, &register, &row, lang).unwrap();
    render(&facts, lang, None, &TimeZone::UTC).unwrap()
}

fn opened(incident: u64, players: Option<u32>) -> Record {
    Record::IncidentOpened {
        incident: IncidentId(incident),
        service: gmod(),
        group: Group::Errors,
        severity: Severity::P1,
        title: String::from("the shop is empty"),
        players,
    }
}

/// Nobody knows when it began, so nothing is counted from there; and it was no merit of anybody.
#[test]
fn what_a_person_reported_has_no_known_start() {
    let (incident, eve) = (IncidentId(1), Actor::Person(String::from("eve")));
    let run = RunId(1);
    let records = [
        (3, opened(1, Some(0))),
        (
            3,
            Record::RunStarted {
                run,
                incident,
                service: gmod(),
                runbook: String::from("p2-broken-feature"),
                by: Actor::Vigie,
            },
        ),
        (4, Record::RunEnded { run, ending: Ending::NoCase, why: String::from("none") }),
        (9, Record::Acknowledged { incident, by: eve.clone() }),
        (60, Record::Resolved { incident, by: eve }),
    ];
    let text = of(&records, Lang::En);
    for told in [
        "| Started | not known: no detector saw it |",
        "by eve, 6.0 s after it was opened (",
        ", as eve said |",
        "* 0 players were there when it was opened.",
        "## Repair and its verification\n\n* Vigie did nothing about it.\n",
    ] {
        assert!(text.contains(told), "no {told:?} in {text}");
    }
    assert!(!text.contains("Nobody was playing"), "{text}");
    let text = of(&records, Lang::Fr);
    for told in [
        "| Début | inconnu : aucun détecteur ne l'a vu |",
        "par eve, 6.0 s après l'ouverture (",
        ", selon eve |",
        "* 0 joueur était là à l'ouverture.",
        "## Réparation et vérification\n\n* Vigie n'a rien fait.\n",
    ] {
        assert!(text.contains(told), "no {told:?} in {text}");
    }
}

#[test]
fn what_ended_without_a_proof_says_how_it_ended() {
    let incident = IncidentId(1);
    let merged = [
        (3, opened(1, Some(1))),
        (4, opened(2, None)),
        (9, Record::Merged { incident, into: IncidentId(2) }),
    ];
    let text = of(&merged, Lang::En);
    assert!(text.contains("it became a part of incident 2 |"), "{text}");
    assert!(text.contains("* 1 player was there when it was opened; they lost 6.0 s of play."));
    let text = of(&merged, Lang::Fr);
    assert!(text.contains(", devenu une partie de l'incident 2 |"), "{text}");
    let by_itself = [
        (3, opened(1, None)),
        (900, Record::Overdue { incident }),
        (903, Record::Resolved { incident, by: Actor::Vigie }),
    ];
    let text = of(&by_itself, Lang::En);
    assert!(text.contains(", not verified |"), "{text}");
    assert!(text.contains("| In hand | never (target 15 min 0 s: missed) |"), "{text}");
}

#[test]
fn a_step_that_was_undone_is_told_as_one() {
    let mut records = story("calm");
    let run = RunId(1);
    let undo = Record::StepIntended { run, step: Step::Up { recreate: false }, undo: true };
    records.insert(8, (9, undo));
    records.insert(9, (10, Record::StepEnded { run, result: StepResult::Done }));
    assert!(of(&records, Lang::En).contains("* undo: up gmod: done in 1.0 s\n"));
    assert!(of(&records, Lang::Fr).contains("* annulation : "));
}

#[test]
fn the_documented_shape() {
    let directory = tempfile::tempdir().unwrap();
    let config = place(directory.path(), &story("Segmentation fault (core dumped)"));
    let register = Register::open(&config.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    let mut facts = facts(&config, &register, &row, Lang::En).unwrap();
    facts["due"] = "2026-12-09".into();
    insta::assert_json_snapshot!(facts);
}

#[test]
fn no_words_from_outside_change_its_shape() {
    let hostile =
        "```\n- [ ] x | y\n# z <script> @everyone [a](http://b) **c** \u{1b}[2J {{ incident }}";
    let shape = |text: &str| {
        let mut found = Vec::new();
        for event in pulldown_cmark::Parser::new_ext(text, pulldown_cmark::Options::all()) {
            match event {
                pulldown_cmark::Event::Text(_) | pulldown_cmark::Event::SoftBreak => {}
                pulldown_cmark::Event::Start(tag) => found.push(format!("{:?}", tag.to_end())),
                other => found.push(format!("{other:?}")),
            }
        }
        found
    };
    let calm = written(tempfile::tempdir().unwrap().path(), "calm", Lang::En);
    let wild = written(tempfile::tempdir().unwrap().path(), hostile, Lang::En);
    assert_eq!(shape(&wild), shape(&calm));
    assert!(!wild.contains('\u{1b}'));
    let outside = wild.lines().filter(|line| !line.starts_with("```- [ ]"));
    assert!(outside.clone().count() + 1 == wild.lines().count(), "one line of code");
    assert!(outside.clone().all(|line| !line.contains("@everyone")));
    let paper = |text: &str| Paper { path: "x".into(), incident: 1, text: text.to_owned() };
    assert_eq!(actions(&paper(&wild)).len(), actions(&paper(&calm)).len());
}

#[test]
fn no_secret_is_in_one() {
    let directory = tempfile::tempdir().unwrap();
    let config = place(directory.path(), &story("rcon hunter2hunter2 mysql://u:geheim99@db/x"));
    let register = Register::open(&config.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    for lang in [Lang::En, Lang::Fr] {
        let facts = facts(&config, &register, &row, lang).unwrap();
        let text = draft(&config, &facts, lang).unwrap();
        assert!(text.contains("••••") && text.ends_with('\n'), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("geheim99"), "{text}");
        let json = serde_json::to_string(&facts).unwrap();
        assert!(!json.contains("hunter2") && !json.contains("geheim99"), "{json}");
    }
}

#[test]
fn a_template_of_ones_own_is_used_and_a_wrong_one_is_told_by_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let config = place(directory.path(), &story("calm"));
    let register = Register::open(&config.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    let facts = facts(&config, &register, &row, Lang::En).unwrap();
    let own = directory.path().join("own.md");
    std::fs::write(&own, "{{ incident }} {{ title }}\n{% for a in actions %}x{% endfor %}\n")
        .unwrap();
    let text = render(&facts, Lang::En, Some(&own), &TimeZone::UTC).unwrap();
    assert_eq!(text, "1 gmod is exited, exit code 139; console: calm\nxxx\n");
    std::fs::write(&own, "x\n{{ playrs }}\n").unwrap();
    let error = render(&facts, Lang::En, Some(&own), &TimeZone::UTC).unwrap_err().to_string();
    assert!(error.contains("own.md:2: ") && error.contains("--json"), "{error}");
    std::fs::write(&own, "x\n{% if %}\n").unwrap();
    let error = render(&facts, Lang::En, Some(&own), &TimeZone::UTC).unwrap_err().to_string();
    assert!(error.contains("own.md:2: "), "{error}");
    let missing = directory.path().join("none.md");
    let error = render(&facts, Lang::En, Some(&missing), &TimeZone::UTC).unwrap_err().to_string();
    assert!(error.contains("--template"), "{error}");
}
