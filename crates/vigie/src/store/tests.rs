//! The journal gives back what was appended: after an orderly end, after none, from a snapshot, after
//! a full disk. What it cannot read it refuses in words, and changes nothing.

mod lessons;

use std::path::PathBuf;

use proptest::prelude::*;
use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, Lifecycle, Severity};
use vigie_core::moment::Bounds;
use vigie_core::notify::{Card, Change, Kept, Notice, NoticeId, Occasion};
use vigie_core::respond::{Ending, Evidence, Rejected, RunId, Step, StepResult};

use super::journal::*;
use super::*;
use vigie_core::incident::IncidentId;
use vigie_core::{Moment, Record, State};

/// A state directory of its own, gone with this value.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("state/journal.db")
    }

    fn open(&self) -> (Journal, Rebuilt) {
        Journal::open(&self.journal()).unwrap()
    }

    fn refused(&self) -> JournalError {
        Journal::open(&self.journal()).map(|(_, rebuilt)| rebuilt).unwrap_err()
    }

    /// Another program's hand in the tables.
    fn execute(&self, sql: &str) {
        rusqlite::Connection::open(self.journal()).unwrap().execute_batch(sql).unwrap();
    }

    /// What a power cut would leave now: the files as they are, nobody having closed them.
    fn after_a_power_cut(&self, wal: impl FnOnce(&mut Vec<u8>)) -> Self {
        let left = Self::new();
        std::fs::create_dir(left.journal().parent().unwrap()).unwrap();
        std::fs::copy(self.journal(), left.journal()).unwrap();
        let log = |place: &Self| place.journal().with_extension("db-wal");
        let mut bytes = std::fs::read(log(self)).unwrap_or_default();
        wal(&mut bytes);
        std::fs::write(log(&left), bytes).unwrap();
        left
    }
}

fn second(at: usize) -> Moment {
    Moment::from_ms(i64::try_from(at).unwrap() * 1_000)
}

/// A journal being written, and the state that goes with it.
struct Writing {
    journal: Journal,
    state: State,
    at: usize,
}

impl Writing {
    fn on(place: &Place) -> Self {
        let (journal, rebuilt) = place.open();
        Self { journal, state: rebuilt.state, at: 0 }
    }

    /// A second passes and these come into the state, as the engine has them.
    fn happen(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.at += 1;
        let at = second(self.at);
        records.iter().for_each(|record| self.state.apply(at, record));
        self.journal.append(at, records, &[], &self.state)
    }

    /// As many records that say little, so that a snapshot is due.
    fn pass_time(&mut self, records: usize) {
        let boot = |took: usize| Record::BootLearned { service: gmod(), took_ms: took as u64 };
        for start in (0..records).step_by(500) {
            let batch: Vec<Record> = (start..records.min(start + 500)).map(boot).collect();
            self.happen(&batch).unwrap();
        }
    }
}

fn gmod() -> String {
    String::from("gmod")
}

fn opened(incident: u64) -> Record {
    let title = format!("gmod is down, \"{incident}\" \u{1f480}");
    let (group, severity) = (Group::Availability, Severity::P1);
    Record::IncidentOpened {
        incident: IncidentId(incident),
        service: gmod(),
        group,
        severity,
        title,
        players: None,
    }
}

fn resolved(incident: u64) -> Record {
    Record::Resolved { incident: IncidentId(incident), by: Actor::Person(String::from("Zoé")) }
}

/// An incident from its first sign to its end, one record of every kind that a repair leaves.
fn story(incident: u64, run: u64) -> Vec<Record> {
    let (id, run, at) = (IncidentId(incident), RunId(run), second(7));
    let mut evidence = Evidence { taken: at, exits: 2, ..Evidence::default() };
    evidence.host.memory_available_pct = Some(12.3);
    evidence.console = vec![String::from("Segmentation fault (core dumped)")];
    let rejected = vec![Rejected { case: String::from("C"), why: String::from("exit code 139") }];
    let signature = u64::MAX - incident;
    vec![
        Record::Exited { service: gmod(), exit_code: Some(139), oom: false, asked: None, at: None },
        Record::SignatureSeen { service: gmod(), signature, sample: String::from("a.lua:1: bad") },
        opened(incident),
        Record::SymptomBegan {
            incident: id,
            service: gmod(),
            kind: SymptomKind::Down,
            started: Bounds::between(Some(second(5)), at),
            detail: String::from("exited with 139"),
        },
        Record::RunStarted {
            run,
            incident: id,
            service: gmod(),
            runbook: String::from("p1-unreachable"),
            by: Actor::Vigie,
        },
        Record::CaseChosen {
            run,
            evidence: Box::new(evidence),
            case: Some(String::from("A")),
            rejected,
        },
        Record::StepIntended { run, step: Step::Up { recreate: false }, undo: false },
        Record::StepEnded { run, result: StepResult::Done },
        Record::VerifyBegan { run, until: second(200) },
        Record::RunEnded { run, ending: Ending::Verified, why: String::from("players can join") },
        Record::SymptomEnded { incident: id, service: gmod(), kind: SymptomKind::Down },
        Record::Restored { incident: id, at, view: String::from("0/24 on gm_construct") },
    ]
}

/// Any records at all, also such as no engine would make: of incidents and runs that are not there.
fn history() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let text = "[ -~é💀\u{1b}]{0,12}";
    let one = (0_usize..16, 1_u64..5, 1_u64..5, text).prop_map(|(kind, incident, run, text)| {
        let by = Actor::Person(text.clone());
        match kind {
            12 => resolved(incident),
            13 => Record::StoodDown { service: text },
            14 => Record::Maintenance { until: Some(second(9)), by },
            15 => Record::Noted { incident: IncidentId(incident), by, text },
            _ => story(incident, run).swap_remove(kind),
        }
    });
    prop::collection::vec(prop::collection::vec(one, 0..6), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_appended_is_replayed(history in history()) {
        let place = Place::new();
        let mut writing = Writing::on(&place);
        for records in &history {
            writing.happen(records).unwrap();
        }
        let Writing { journal, state, .. } = writing;
        drop(journal);
        let (_, rebuilt) = place.open();
        prop_assert_eq!(rebuilt.replayed as usize, history.concat().len());
        prop_assert_eq!(rebuilt.state, state);
    }

    #[test]
    fn a_power_cut_leaves_whole_appends(history in history(), end in any::<prop::sample::Index>()) {
        let place = Place::new();
        let mut writing = Writing::on(&place);
        let mut states = vec![writing.state.clone()];
        for records in &history {
            writing.happen(records).unwrap();
            states.push(writing.state.clone());
        }
        // Everything is there while nobody has closed it; a log that was cut has a beginning of it.
        let (_, whole) = place.after_a_power_cut(|_| {}).open();
        prop_assert_eq!(&whole.state, &writing.state);
        let cut = place.after_a_power_cut(|log| log.truncate(end.index(log.len() + 1)));
        let torn = place.after_a_power_cut(|log| {
            let at = end.index(log.len());
            log[at] ^= 0x40;
        });
        // The very tables may be in what is lost: then it is as before the first append.
        for left in [cut, torn] {
            let (_, rebuilt) = left.open();
            prop_assert!(states.contains(&rebuilt.state), "{:#?}", rebuilt.state);
        }
    }
}

#[test]
fn a_snapshot_and_what_follows_are_the_state() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    writing.pass_time(2_000);
    writing.happen(&story(2, 2)).unwrap();
    let Writing { journal, state, .. } = writing;
    drop(journal);
    let (journal, rebuilt) = place.open();
    assert_eq!(rebuilt.state, state);
    assert!((12..2_000).contains(&rebuilt.replayed), "{} replayed", rebuilt.replayed);
    drop(journal);
    // The records alone say the same: the snapshot is only a shorter way.
    place.execute("DELETE FROM snapshot");
    let (_, rebuilt) = place.open();
    assert_eq!((rebuilt.state, rebuilt.replayed), (state, 2_024));
}

#[test]
fn one_vigie_a_state_directory() {
    let place = Place::new();
    let (journal, _) = place.open();
    let text = place.refused().to_string();
    assert!(text.contains("another vigie already watches") && text.contains("state"), "{text}");
    drop(journal);
    place.open();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    std::fs::write(place.0.path().join("state"), "a file").unwrap();
    let text = place.refused().to_string();
    assert!(text.contains("state directory") && text.contains("vigie.toml"), "{text}");
}

#[test]
fn a_journal_of_a_newer_vigie_is_refused_and_left_alone() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    let Writing { journal, state, .. } = writing;
    drop(journal);
    place.execute("PRAGMA user_version = 99");
    let error = place.refused();
    assert!(matches!(error, JournalError::Migration(..)), "{error:?}");
    assert!(error.to_string().contains("written by a newer vigie?"), "{error}");
    // Nothing was lost by asking.
    place.execute(&format!("PRAGMA user_version = {}", super::schema::VERSION));
    assert_eq!(place.open().1.state, state);
}

#[test]
fn a_record_of_a_newer_vigie_is_refused_by_its_number() {
    let place = Place::new();
    Writing::on(&place).happen(&story(1, 1)).unwrap();
    place.execute(
        r#"INSERT INTO record (steady, wall, body) VALUES (9, 9, '{"what":"moon_landed"}')"#,
    );
    let text = place.refused().to_string();
    for part in ["journal.db", "record 13", "moon_landed", "written by a newer vigie?"] {
        assert!(text.contains(part), "no {part}: {text}");
    }
    assert!(text.len() < 2_000, "{text}");
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.journal().parent().unwrap()).unwrap();
    let bytes = b"this was somebody's diary. ".repeat(400);
    std::fs::write(place.journal(), &bytes).unwrap();
    let text = place.refused().to_string();
    assert!(text.contains("journal.db") && text.contains("not a database"), "{text}");
    assert_eq!(std::fs::read(place.journal()).unwrap(), bytes);
}

#[test]
fn retention_takes_old_records_and_no_incident() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    // One that nobody ever took in hand.
    writing.happen(&[opened(1)]).unwrap();
    // No snapshot has them yet: they are all there is.
    assert_eq!(writing.journal.retain(second(1_000)).unwrap(), 0);
    writing.pass_time(2_000);
    writing.happen(&story(2, 2)).unwrap();
    // What happened to an open incident stays, however old.
    assert_eq!(writing.journal.retain(second(2)).unwrap(), 0);
    // The rest is old too, but what is behind the snapshot stays.
    assert!(writing.journal.retain(second(1_000_000)).unwrap() > 0);
    writing.happen(&[opened(3)]).unwrap();
    let Writing { journal, state, .. } = writing;
    drop(journal);
    let (_, rebuilt) = place.open();
    assert_eq!(rebuilt.state, state);
    let register = Register::open(&place.journal()).unwrap();
    let rows = register.list(10).unwrap();
    let ids: Vec<u64> = rows.iter().map(|row| row.incident.id.0).collect();
    assert_eq!(ids, [3, 2, 1]);
    assert_eq!(rows[2].incident.state, Lifecycle::Open);
    assert_eq!(rebuilt.state.active().count(), 2);
    assert_eq!(register.timeline(IncidentId(1)).unwrap().len(), 1);
    assert!(!register.timeline(IncidentId(2)).unwrap().is_empty());
}

#[test]
fn retention_takes_no_entry_of_the_development_journal() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    let entry = vigie_core::learn::Entry::new(String::from("see #1"), &[], Vec::new());
    let by = Actor::Person(String::from("zoe"));
    let record = entry.written(&writing.state, by.clone()).unwrap();
    writing.happen(&[record]).unwrap();
    writing.pass_time(5_000);
    assert!(writing.journal.retain(second(1_000)).unwrap() > 0);
    let Writing { journal, state, .. } = writing;
    drop(journal);
    assert_eq!((place.open().1.state.last_entry, state.last_entry), (1, 1));
    let register = Register::open(&place.journal()).unwrap();
    let rows = register.entries(None, Some(IncidentId(1))).unwrap();
    assert_eq!((rows[0].wall, &rows[0].by, rows[0].entry.number), (2_000, &by, 1));
    assert!(register.entries(Some(2_001), None).unwrap().is_empty());
    assert!(register.entries(None, Some(IncidentId(2))).unwrap().is_empty());
}

#[test]
fn the_register_has_each_incident_as_it_is() {
    let place = Place::new();
    let none = Register::open(&place.journal()).unwrap();
    assert_eq!((none.list(9).unwrap(), none.get(IncidentId(1)).unwrap()), (vec![], None));
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    writing.happen(&story(2, 2)).unwrap();
    writing.happen(&[resolved(1)]).unwrap();
    // Read while it is being written, as `vigie incident list` does.
    let register = Register::open(&place.journal()).unwrap();
    let told = |id| register.get(IncidentId(id)).unwrap().unwrap();
    assert_eq!(told(1).incident.state, Lifecycle::Resolved);
    assert_eq!((told(2).incident.state, told(2).runs.len()), (Lifecycle::Restored, 1));
    let records = register.timeline(IncidentId(2)).unwrap();
    let known: Vec<Record> = records.into_iter().map(|row| row.record).collect();
    // All but the two that are about the service, whatever incident it has.
    assert_eq!(known, story(2, 2)[2..]);
}

#[test]
fn the_oldest_of_many_incidents_is_told_as_over_when_it_is() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&[opened(1)]).unwrap();
    let newer = 2..=State::RESOLVED as u64 + 1;
    newer.for_each(|id| writing.happen(&[opened(id), resolved(id)]).unwrap());
    writing.happen(&[resolved(1)]).unwrap();
    let register = Register::open(&place.journal()).unwrap();
    let row = register.get(IncidentId(1)).unwrap().unwrap();
    assert_eq!(row.incident.state, Lifecycle::Resolved);
}

/// A file system of one mebibyte, gone with this value.
struct Small(PathBuf);

impl Small {
    fn over(directory: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&directory).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&directory);
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        mounted.then_some(Self(directory))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_that_waits() {
    let place = Place::new();
    let directory = place.journal().parent().unwrap().to_owned();
    let Some(disk) = Small::over(directory) else {
        return vigie_testkit::lab::skip("mount", "a full disk", "tmpfs cannot be mounted here");
    };
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    let ballast = disk.0.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
    drop(file);
    let mut said = None;
    for run in 2..40 {
        said = said.or(writing.happen(&story(run, run)).err());
    }
    let said = said.expect("the disk is full").to_string();
    assert!(said.contains("journal.db") && said.contains("full"), "{said}");
    assert!(writing.journal.waiting() > 0);
    std::fs::remove_file(ballast).unwrap();
    writing.journal.flush(&writing.state).unwrap();
    assert_eq!((writing.journal.waiting(), writing.journal.take_lost()), (0, 0));
    let Writing { journal, state, .. } = writing;
    drop(journal);
    let (_, rebuilt) = place.open();
    assert_eq!(rebuilt.state, state);
    assert_eq!(rebuilt.replayed as usize, 39 * story(1, 1).len());
}

#[test]
fn an_old_incident_is_filed_in_the_register_alone() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    for incident in 1..=State::RESOLVED as u64 + 2 {
        writing.happen(&[opened(incident), resolved(incident)]).unwrap();
    }
    assert!(!writing.state.incidents.contains_key(&IncidentId(1)));
    let by = Actor::Person(String::from("Zoé"));
    writing.happen(&[Record::Closed { incident: IncidentId(1), by }]).unwrap();
    let register = Register::open(&place.journal()).unwrap();
    assert_eq!(register.get(IncidentId(1)).unwrap().unwrap().incident.state, Lifecycle::Closed);
}

#[test]
fn a_journal_that_cannot_be_written_yet_is_begun_in_memory() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    let Writing { journal, state, .. } = writing;
    drop(journal);
    // The lock's place is taken by a directory: the journal cannot be opened, but be read.
    let lock = place.journal().with_file_name("lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let (journal, rebuilt, why) = Journal::open_somehow(&place.journal()).unwrap();
    assert!(why.is_some() && !journal.is_open());
    assert_eq!(rebuilt.state, state, "what was recorded is not forgotten");
    let mut writing = Writing { journal, state: rebuilt.state, at: 100 };
    writing.happen(&[opened(2)]).unwrap_err();
    std::fs::remove_dir(&lock).unwrap();
    writing.happen(&[resolved(2)]).unwrap();
    let Writing { journal, state, .. } = writing;
    assert!(journal.is_open() && journal.waiting() == 0);
    drop(journal);
    assert_eq!(place.open().1.state, state);
}

#[test]
fn what_nobody_can_read_is_not_begun_anew() {
    let place = Place::new();
    drop(place.open());
    std::fs::write(place.journal(), "no database, but not empty either, and long enough").unwrap();
    assert!(Journal::open_somehow(&place.journal()).is_err());
}

fn notice(id: u64, incident: u64) -> Notice {
    let channel = String::from("staff");
    let incident = Some(IncidentId(incident));
    let (occasion, severity) = (Occasion::Opened, Severity::P1);
    Notice { id: NoticeId(id), channel, incident, occasion, severity, at: second(1) }
}

#[test]
fn what_waits_to_be_told_is_kept_with_what_brought_it_about() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    let changes = [Change::Added(notice(1, 1)), Change::Added(notice(2, 1))];
    writing.journal.append(second(1), &[opened(1)], &changes, &writing.state).unwrap();
    let card = |message: &str| Card {
        channel: String::from("staff"),
        incident: IncidentId(1),
        message: message.to_owned(),
    };
    let settled = [Change::Removed(NoticeId(1)), Change::Carded(card("a"))];
    writing.journal.append(second(2), &[], &settled, &writing.state).unwrap();
    writing.journal.append(second(2), &[], &[Change::Carded(card("b"))], &writing.state).unwrap();
    drop(writing);
    let (journal, rebuilt) = place.open();
    let expected = Kept { waiting: vec![notice(2, 1)], cards: vec![card("b")], last: 2 };
    assert_eq!(rebuilt.outbox, expected);
    // A number is never given twice, also when the last one is told already.
    let mut writing = Writing { journal, state: rebuilt.state, at: 3 };
    let told = [Change::Removed(NoticeId(2))];
    writing.journal.append(second(3), &[], &told, &writing.state).unwrap();
    drop(writing);
    assert_eq!(place.open().1.outbox.last, 2);
}

#[test]
fn cards_of_long_ago_go_and_what_waits_is_kept() {
    let place = Place::new();
    let mut writing = Writing::on(&place);
    writing.happen(&story(1, 1)).unwrap();
    let card = |incident: u64| {
        let (channel, message) = (String::from("staff"), format!("m{incident}"));
        Change::Carded(Card { channel, incident: IncidentId(incident), message })
    };
    let mut changes: Vec<_> = (1..=5_000).map(card).collect();
    changes.push(Change::Added(notice(1, 1)));
    writing.journal.append(second(2), &[], &changes, &writing.state).unwrap();
    let count = || {
        let connection = rusqlite::Connection::open(place.journal()).unwrap();
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        (count("SELECT COUNT(*) FROM card"), count("SELECT COUNT(*) FROM notice"))
    };
    assert_eq!(count(), (5_000, 1));
    writing.journal.retain(second(0)).unwrap();
    assert_eq!(count(), (4_096, 1), "the cards of the newest incidents, and every notice");
    drop(writing);
    let kept = place.open().1.outbox;
    let incidents: Vec<_> = kept.cards.iter().map(|card| card.incident.0).collect();
    assert_eq!((incidents.iter().max(), incidents.iter().min()), (Some(&5_000), Some(&905)));
    assert_eq!((incidents.len(), kept.waiting.len()), (4_096, 1));
}
