//! What the register tells of many incidents at once: filters, figures, likenesses, what is known; and
//! all of it of a register that an older vigie wrote.

use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, IncidentId, Lifecycle, Severity};
use vigie_core::learn::{Seen, Subject};
use vigie_core::moment::Bounds;
use vigie_core::respond::{Ending, RunId};

use super::*;
use crate::store::schema;

const ERROR: &str = "gmod: 3 Lua errors a minute, addons/a.lua:13: attempt to index a nil value";

/// An incident of one symptom, begun one to two seconds before it was detected.
fn incident(id: u64, service: &str, kind: SymptomKind, detail: &str) -> Vec<Record> {
    let (incident, service) = (IncidentId(id), service.to_owned());
    let severity = if kind == SymptomKind::LuaErrors { Severity::P3 } else { Severity::P1 };
    let at = usize::try_from(id).unwrap() * 100;
    vec![
        Record::IncidentOpened {
            incident,
            service: service.clone(),
            group: kind.group(),
            severity,
            title: detail.to_owned(),
            players: None,
        },
        Record::SymptomBegan {
            incident,
            service,
            kind,
            started: Bounds { earliest: second(at - 2), latest: second(at - 1) },
            detail: detail.to_owned(),
        },
    ]
}

/// It was repaired by a case, and verified.
fn repaired(id: u64, service: &str) -> Vec<Record> {
    let (incident, run) = (IncidentId(id), RunId(id));
    let (by, service) = (Actor::Vigie, service.to_owned());
    let runbook = String::from("p1-unreachable");
    let at = second(usize::try_from(id).unwrap() * 100 + 10);
    vec![
        Record::RunStarted { run, incident, service, runbook, by: by.clone() },
        Record::CaseChosen {
            run,
            evidence: Box::default(),
            case: Some(String::from("A")),
            rejected: Vec::new(),
        },
        Record::Acknowledged { incident, by: Actor::Runbook(String::from("p1-unreachable")) },
        Record::RunEnded { run, ending: Ending::Verified, why: String::from("well") },
        Record::Restored { incident, at, view: String::from("well") },
        Record::Resolved { incident, by },
    ]
}

impl Writing {
    /// These happen when the incident of that number does.
    fn happen_at(&mut self, id: u64, records: &[Record]) {
        self.at = usize::try_from(id).unwrap() * 100 - 1;
        self.happen(records).unwrap();
    }
}

/// Four incidents of two services: a crash that was repaired, a Lua error that a person fixed, a
/// crash of another service, and the same Lua error again.
fn filled(place: &Place) -> Writing {
    let mut writing = Writing::on(place);
    writing.happen_at(1, &incident(1, "gmod", SymptomKind::Down, "gmod is exited"));
    writing.happen(&repaired(1, "gmod")).unwrap();
    writing.happen_at(2, &incident(2, "gmod", SymptomKind::LuaErrors, ERROR));
    let by = Actor::Person(String::from("Zoé"));
    let note = |text: &str| Record::Noted {
        incident: IncidentId(2),
        by: by.clone(),
        text: text.to_owned(),
    };
    writing.happen(&[note("looking"), note("reverted the addon")]).unwrap();
    writing.happen(&[resolved(2)]).unwrap();
    writing.happen_at(3, &incident(3, "mysql", SymptomKind::Down, "mysql is exited"));
    writing.happen_at(
        4,
        &incident(4, "gmod", SymptomKind::LuaErrors, &ERROR.replace("3 Lua", "7 Lua")),
    );
    writing
}

fn ids(rows: &[IncidentRow]) -> Vec<u64> {
    rows.iter().map(|row| row.incident.id.0).collect()
}

#[test]
fn filters_let_through_what_they_say() {
    let place = Place::new();
    let _writing = filled(&place);
    let register = Register::open(&place.journal()).unwrap();
    let found = |filter: &Filter| ids(&register.find(filter, 10).unwrap());
    let all = Filter::default();
    assert_eq!(found(&all), [4, 3, 2, 1]);
    assert_eq!(ids(&register.find(&all, 2).unwrap()), [4, 3]);
    let services = vec![String::from("gmod")];
    assert_eq!(found(&Filter { services: services.clone(), ..all.clone() }), [4, 2, 1]);
    assert_eq!(found(&Filter { severities: vec![Severity::P1], ..all.clone() }), [3, 1]);
    let states = vec![Lifecycle::Open, Lifecycle::Repairing];
    assert_eq!(found(&Filter { states: states.clone(), ..all.clone() }), [4, 3]);
    assert_eq!(found(&Filter { since: Some(200_000), ..all.clone() }), [4, 3, 2]);
    assert_eq!(found(&Filter { services, states, ..all }), [4]);
}

/// What is asked of many incidents at once.
fn assert_told(register: &Register) {
    let rows = register.rows(None).unwrap();
    assert_eq!(rows.len(), 4);
    let first = rows.iter().find(|row| row.times.detected == 100_000).unwrap();
    assert_eq!(
        (first.severity, first.group, first.sensed),
        (Severity::P1, Group::Availability, true)
    );
    assert_eq!(first.times.until(first.times.detected), (1_000, 2_000));
    assert_eq!(first.times.restored, Some(110_000));
    // Since the last one, but also every outage.
    let services: Vec<String> =
        register.rows(Some(400_000)).unwrap().iter().map(|row| row.service.to_string()).collect();
    assert_eq!(services.len(), 3, "{services:?}");
    assert_eq!(register.watched_since().unwrap(), Some(100_000));
    let lua = SymptomKind::LuaErrors.bit();
    assert_eq!(register.came_true(lua, &["gmod"]).unwrap(), (2, Some(400_000)));
    assert_eq!(register.came_true(lua, &["mysql"]).unwrap(), (0, None));
    let row = |id| register.get(IncidentId(id)).unwrap().unwrap();
    let last = row(4);
    let likely = register.likely(&Subject::of(&last.incident, &last.runs)).unwrap();
    let likely: Vec<u64> = likely.iter().map(|one| one.past.id.0).collect();
    assert_eq!(likely, [1, 2]);
    let seen = register.seen_before(&last).unwrap();
    assert_eq!(seen.what, Seen::Past(IncidentId(2)));
    assert_eq!(seen.fixed_by.en, "Zoé: reverted the addon");
    // Its own past is not known, and a crash of another service is not the same.
    assert_eq!(register.seen_before(&row(3)), None);
    let mut again = row(1);
    again.incident.id = IncidentId(9);
    let seen = register.seen_before(&again).unwrap();
    assert_eq!(seen.fixed_by.fr.unwrap(), "runbook p1-unreachable, cas A");
    assert_eq!(seen.took, Some(std::time::Duration::from_secs(12)));
}

#[test]
fn figures_and_likenesses_are_told_from_columns() {
    let place = Place::new();
    let _writing = filled(&place);
    assert_told(&Register::open(&place.journal()).unwrap());
    let none = Register::open(std::path::Path::new("nowhere")).unwrap();
    assert_eq!(none.rows(None).unwrap(), []);
    assert_eq!((none.watched_since().unwrap(), none.known().unwrap().len()), (None, 10));
}

#[test]
fn likenesses_have_the_documented_shape() {
    let place = Place::new();
    let _writing = filled(&place);
    let register = Register::open(&place.journal()).unwrap();
    let row = register.get(IncidentId(4)).unwrap().unwrap();
    let told = crate::report::similar_json(&register, &row, 9, crate::report::Lang::En).unwrap();
    insta::assert_json_snapshot!(told);
}

#[test]
fn a_register_of_an_older_vigie_is_brought_up_to_date() {
    let (new, old) = (Place::new(), Place::new());
    drop(filled(&new));
    std::fs::create_dir_all(old.journal().parent().unwrap()).unwrap();
    let mut first = rusqlite::Connection::open(old.journal()).unwrap();
    let only_first =
        rusqlite_migration::Migrations::new(vec![rusqlite_migration::M::up(schema::FIRST)]);
    only_first.to_latest(&mut first).unwrap();
    first
        .execute_batch(&format!(
            "ATTACH '{}' AS new;
             INSERT INTO record SELECT seq, steady, wall, incident, body FROM new.record;
             INSERT INTO incident
                 SELECT id, severity, state, service, detected, body FROM new.incident;",
            new.journal().display()
        ))
        .unwrap();
    drop(first);
    assert_told(&Register::open(&old.journal()).unwrap());
}

#[test]
fn a_register_that_an_older_vigie_still_writes_says_what_to_do() {
    let place = Place::new();
    let writing = filled(&place);
    place.execute("PRAGMA user_version = 1");
    let error = Register::open(&place.journal()).unwrap_err().to_string();
    assert!(error.contains("still runs") && error.contains("vigie watch"), "{error}");
    drop(writing);
}

#[test]
fn what_is_known_stays_when_its_record_goes() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    let mut known = crate::knowledge::shipped().remove(0);
    known.id = String::from("K11");
    known.matches = vec![String::from("gmod is exited")];
    let learned = |known: &vigie_core::learn::Known| Record::KnownLearned {
        known: Box::new(known.clone()),
        by: Actor::Person(String::from("Zoé")),
    };
    writing.happen(&[learned(&known)]).unwrap();
    known.title.en = String::from("told better");
    writing.happen(&[learned(&known)]).unwrap();
    writing.pass_time(2_000);
    assert!(writing.journal.retain(second(1_000_000)).unwrap() >= 2_000);
    let register = Register::open(&place.journal()).unwrap();
    let all = register.known().unwrap();
    assert_eq!((all.len(), all[10].title.en.as_str()), (11, "told better"));
    writing.happen(&incident(5, "gmod", SymptomKind::Down, "gmod is exited")).unwrap();
    let row = register.get(IncidentId(5)).unwrap().unwrap();
    assert_eq!(register.seen_before(&row).unwrap().what, Seen::Known(String::from("K11")));
}
