//! Whatever happens and whatever the other side answers: no limit is passed, nothing that rings is
//! lost, at most one update of an incident waits, the worst comes first, and an outbox that is made
//! anew from what was kept goes on where it was.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::incident::{Group, IncidentId, Severity};
use crate::moment::Moment;
use crate::record::Record;
use crate::state::State;

mod digest;

const SEVERITIES: [Severity; 4] = [Severity::P1, Severity::P2, Severity::P3, Severity::P4];

fn channel(name: &str) -> Channel {
    let limit = |count, seconds| Limit { count, per: Duration::from_secs(seconds) };
    Channel {
        name: name.to_owned(),
        min_severity: Severity::P4,
        services: Vec::new(),
        quiet: None,
        on_call: false,
        follows: true,
        digests: true,
        limits: vec![limit(5, 2), limit(30, 60)],
    }
}

fn opened(id: u64, severity: Severity) -> Record {
    Record::IncidentOpened {
        incident: IncidentId(id),
        service: String::from("gmod"),
        group: Group::Availability,
        severity,
        title: format!("gmod is down ({id})"),
        players: None,
    }
}

/// An outbox, the state beside it, and what a disk would have.
struct Desk {
    outbox: Outbox,
    state: State,
    kept: Kept,
    now: Moment,
    minute: u16,
    /// What the other side has taken: each message, and the notices that are off the disk by it.
    taken: Vec<(Notice, Vec<Notice>)>,
}

impl Desk {
    fn new(channels: Vec<Channel>) -> Self {
        let (outbox, changes) = Outbox::new(channels, Kept::default());
        assert!(changes.is_empty());
        let (state, kept) = (State::default(), Kept::default());
        Self {
            outbox,
            state,
            kept,
            now: Moment::from_ms(1_000_000),
            minute: 12 * 60,
            taken: Vec::new(),
        }
    }

    fn happen(&mut self, record: Record) -> Vec<Change> {
        self.state.apply(self.now, &record);
        let changes = self.outbox.heed(self.now, &record, &self.state);
        self.keep(&changes);
        changes
    }

    fn keep(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Added(notice) => {
                    self.kept.last = self.kept.last.max(notice.id.0);
                    self.kept.waiting.retain(|one| one.id != notice.id);
                    self.kept.waiting.push(notice.clone());
                }
                Change::Removed(id) => self.kept.waiting.retain(|notice| notice.id != *id),
                Change::Carded(card) => {
                    let other =
                        |one: &Card| (&one.channel, one.incident) != (&card.channel, card.incident);
                    self.kept.cards.retain(other);
                    self.kept.cards.push(card.clone());
                }
            }
        }
    }

    fn next(&mut self) -> Vec<Notice> {
        self.outbox.next(self.now, self.minute)
    }

    fn settle(&mut self, id: NoticeId, outcome: Outcome) -> Vec<Record> {
        let (changes, records) = self.outbox.settle(self.now, id, outcome);
        self.keep(&changes);
        records
    }

    fn deliver(&mut self, notice: &Notice) -> Vec<Record> {
        let before = self.kept.waiting.clone();
        let message = Some(format!("m{}", notice.id.0));
        let records = self.settle(notice.id, Outcome::Delivered { message });
        let still = |part: &Notice| self.kept.waiting.iter().any(|one| one.id == part.id);
        let parts = before.into_iter().filter(|part| !still(part)).collect();
        self.taken.push((notice.clone(), parts));
        records
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// Vigie is killed and started again: what is on its way is lost, what was kept is there.
    fn restart(&mut self, channels: Vec<Channel>) {
        let (outbox, changes) = Outbox::new(channels, self.kept.clone());
        self.outbox = outbox;
        self.keep(&changes);
    }

    /// What is told from now on until nothing waits, every answer being yes.
    fn drain(&mut self) -> Vec<(Moment, Notice)> {
        let mut told = Vec::new();
        for _ in 0..100_000 {
            let sent = self.next();
            if sent.is_empty() {
                let Some(at) = self.outbox.next_wake(self.now, self.minute) else { return told };
                assert!(at > self.now, "it says that something can be sent, and sends nothing");
                self.now = at;
            }
            for notice in sent {
                self.deliver(&notice);
                told.push((self.now, notice));
            }
        }
        panic!("it never ends");
    }
}

fn occasions(told: &[(Moment, Notice)]) -> Vec<&'static str> {
    told.iter().map(|(_, notice)| notice.occasion.word()).collect()
}

#[test]
fn thirty_symptoms_are_one_message_and_its_edits() {
    let mut desk = Desk::new(vec![channel("staff")]);
    desk.happen(opened(1, Severity::P1));
    for n in 0..30 {
        let text = format!("symptom {n}");
        let by = crate::incident::Actor::Vigie;
        desk.happen(Record::Noted { incident: IncidentId(1), by, text });
    }
    assert_eq!(occasions(&desk.drain()), ["opened"], "the opening's text has it all");
    for _ in 0..30 {
        desk.happen(Record::Overdue { incident: IncidentId(1) });
    }
    assert_eq!(occasions(&desk.drain()), ["updated"]);
}

#[test]
fn an_update_that_comes_while_one_is_on_its_way_is_told_too() {
    let mut desk = Desk::new(vec![channel("staff")]);
    desk.happen(opened(1, Severity::P1));
    let flying = desk.next();
    desk.happen(Record::Overdue { incident: IncidentId(1) });
    desk.deliver(&flying[0]);
    assert_eq!(occasions(&desk.drain()), ["updated"]);
}

#[test]
fn a_thousand_incidents_in_a_minute_pass_no_limit_and_lose_none() {
    // A program is told of each.
    let mut desk = Desk::new(vec![Channel { digests: false, ..channel("program") }]);
    for id in 1..=1_000 {
        let severity = if id % 10 == 0 { Severity::P1 } else { Severity::P3 };
        desk.happen(opened(id, severity));
        desk.pass(Duration::from_millis(60));
    }
    let told = desk.drain();
    assert_eq!(told.len(), 1_000);
    for (count, per) in [(5, 2_000), (30, 60_000)] {
        for window in told.windows(count + 1) {
            let length = window[count].0.steady - window[0].0.steady;
            assert!(length >= per, "{} in {length} ms", count + 1);
        }
    }
    let last_p1 = told.iter().rposition(|(_, one)| one.severity == Severity::P1).unwrap();
    assert!(last_p1 < 200, "the last P1 is told as number {last_p1}");
}

#[test]
fn what_is_not_so_bad_waits_for_the_end_of_the_quiet_hours() {
    let quiet = Quiet { from: 23 * 60, to: 8 * 60 };
    let mut desk = Desk::new(vec![Channel { quiet: Some(quiet), ..channel("staff") }]);
    desk.minute = 23 * 60 + 30;
    desk.happen(opened(1, Severity::P3));
    assert!(desk.next().is_empty());
    let wake = desk.outbox.next_wake(desk.now, desk.minute).unwrap();
    assert_eq!(wake.since(desk.now), Duration::from_secs((30 + 8 * 60) * 60));
    desk.happen(opened(2, Severity::P2));
    let sent = desk.next();
    assert_eq!(sent[0].incident, Some(IncidentId(2)));
    desk.minute = 8 * 60;
    desk.now = wake;
    desk.deliver(&sent[0]);
    assert_eq!(desk.next()[0].incident, Some(IncidentId(1)));
}

#[test]
fn quiet_hours_go_over_midnight() {
    let quiet = Quiet { from: 22 * 60, to: 6 * 60 };
    let minutes = |left: Option<Duration>| left.map(|left| left.as_secs() / 60);
    assert_eq!(minutes(quiet.left(22 * 60)), Some(480));
    assert_eq!(minutes(quiet.left(0)), Some(360));
    assert_eq!(minutes(quiet.left(5 * 60 + 59)), Some(1));
    assert_eq!((quiet.left(6 * 60), quiet.left(12 * 60)), (None, None));
}

#[test]
fn a_channel_that_is_gone_is_told_on_the_others_and_loses_nothing() {
    let mut desk = Desk::new(vec![channel("a"), channel("b")]);
    desk.happen(opened(1, Severity::P1));
    let sent = desk.next();
    let of = |name: &str| sent.iter().find(|one| one.channel == name).unwrap();
    desk.deliver(of("b"));
    let record = desk.settle(of("a").id, Outcome::Stopped { why: String::from("404") });
    desk.happen(record[0].clone());
    let told = desk.drain();
    assert!(told.iter().all(|(_, one)| one.channel == "b"));
    assert_eq!(occasions(&told), ["said"]);
    // Whoever mends it and starts vigie again is told what was missed, and not that it was gone.
    let waits: Vec<_> =
        desk.kept.waiting.iter().map(|one| (&*one.channel, one.occasion.word())).collect();
    assert_eq!(waits, [("a", "opened")]);
}

/// Asked again before its time, the other side would only ask for longer.
#[test]
fn nothing_is_sent_before_the_time_that_the_other_side_asked_for() {
    let mut desk = Desk::new(vec![channel("a")]);
    desk.happen(opened(1, Severity::P1));
    let first = desk.next().remove(0);
    let after = Some(Duration::from_secs(90));
    desk.settle(first.id, Outcome::Later { after, why: String::from("429") });
    desk.happen(opened(2, Severity::P1));
    desk.now = desk.now.plus(Duration::from_millis(89_999));
    assert!(desk.next().is_empty());
    desk.now = desk.now.plus(Duration::from_millis(1));
    assert_eq!(desk.next()[0].id, first.id);
}

#[test]
fn what_became_bad_enough_is_news() {
    let picky = Channel { min_severity: Severity::P1, ..channel("boss") };
    let mut desk = Desk::new(vec![picky]);
    desk.happen(opened(1, Severity::P3));
    assert!(desk.drain().is_empty());
    let (incident, severity) = (IncidentId(1), Severity::P1);
    desk.happen(Record::SeverityRaised { incident, severity, title: None });
    assert_eq!(occasions(&desk.drain()), ["opened"]);
}

#[test]
fn those_on_call_are_told_when_it_is_their_turn() {
    let on_call = Channel { on_call: true, ..channel("oncall") };
    let mut desk = Desk::new(vec![channel("staff"), on_call]);
    desk.happen(opened(1, Severity::P1));
    assert!(desk.drain().iter().all(|(_, one)| one.channel == "staff"));
    let to = vec![String::from("oncall")];
    desk.happen(Record::EscalatedTo { incident: IncidentId(1), level: 1, to });
    let told = desk.drain();
    assert!(told.iter().any(|(_, one)| one.channel == "oncall"), "{told:?}");
    let at = desk.now;
    let view = String::from("0/24");
    desk.happen(Record::Restored { incident: IncidentId(1), at, view });
    let told = desk.drain();
    let restored = |one: &&(Moment, Notice)| one.1.occasion == Occasion::Restored;
    assert_eq!(told.iter().filter(restored).count(), 2, "whoever was told hears the end");
}

#[test]
fn a_night_without_a_channel_rings_once_in_the_morning() {
    let picky = Channel { services: vec![String::from("mysql")], ..channel("dba") };
    let mut desk = Desk::new(vec![channel("staff"), picky]);
    desk.happen(opened(1, Severity::P1));
    for _ in 0..48 {
        let to = vec![String::from("staff"), String::from("dba")];
        desk.happen(Record::EscalatedTo { incident: IncidentId(1), level: 1, to });
        desk.pass(Duration::from_secs(900));
    }
    let told = desk.drain();
    assert_eq!(occasions(&told), ["opened", "overdue"]);
    assert!(told.iter().all(|(_, one)| one.channel == "staff"), "it is no business of the other");
}

/// An hour in which no try reaches the other side: it ends after 15 s without an answer. Something
/// happens every minute meanwhile. How often it was tried comes back.
fn cut_for_an_hour(desk: &mut Desk, mut happens: impl FnMut(&mut Desk, u64)) -> usize {
    let (end, mut minute, mut tries) = (desk.now.plus(Duration::from_secs(3600)), 0, 0);
    while desk.now < end {
        for notice in desk.next() {
            tries += 1;
            desk.pass(Duration::from_secs(15));
            desk.settle(notice.id, Outcome::Later { after: None, why: String::new() });
        }
        if desk.now >= Moment::from_ms(1_000_000).plus(Duration::from_secs(60 * minute)) {
            happens(desk, minute);
            minute += 1;
        }
        desk.pass(Duration::from_secs(1));
    }
    tries
}

#[test]
fn an_hour_without_a_network_costs_only_time() {
    let mut desk = Desk::new(vec![channel("staff")]);
    let by = || crate::incident::Actor::Person(String::from("zoe"));
    // 1 was told before. Five more open in the hour, the second half of them worse; all get news every
    // minute and end, but for the last two.
    desk.happen(opened(1, Severity::P2));
    assert_eq!(occasions(&desk.drain()), ["opened"]);
    let tries = cut_for_an_hour(&mut desk, |desk, minute| {
        let id = minute / 10 + 1;
        if minute % 10 == 0 && id > 1 {
            let severity = if id > 4 { Severity::P1 } else { Severity::P3 };
            desk.happen(opened(id, severity));
        }
        let incident = IncidentId(id);
        let text = format!("minute {minute}");
        desk.happen(Record::Noted { incident, by: by(), text });
        if minute % 10 == 9 && id < 5 {
            let (at, view) = (desk.now, String::new());
            desk.happen(Record::Restored { incident, at, view });
        }
    });
    // Not a knock a second: from 2 s on the waits double up to five minutes.
    assert!((12..25).contains(&tries), "{tries} tries");
    let mended = desk.now;
    let told = desk.drain();
    let first = told[0].0.since(mended);
    assert!(first <= Duration::from_secs(300), "told {first:?} after the network was back");
    let story: Vec<_> =
        told.iter().map(|(_, one)| (one.incident.unwrap().0, one.occasion.word())).collect();
    // The worst first, then what rings in the order in which it happened. Of ten changes to what had been
    // told, one edit is left; what had not been told needs none: the opening's text has it all.
    let expected = [
        (5, "opened"),
        (6, "opened"),
        (1, "restored"),
        (1, "updated"),
        (2, "opened"),
        (2, "restored"),
        (3, "opened"),
        (3, "restored"),
        (4, "opened"),
        (4, "restored"),
    ];
    assert_eq!(story, expected);
    assert!(desk.kept.waiting.is_empty());
}

/// What can happen to an outbox.
#[derive(Debug, Clone)]
enum Turn {
    Open(u64, usize),
    Change(u64),
    Restore(u64),
    Escalate(u64),
    Raise(u64),
    Pass(u64),
    Send,
    Answer(u8),
    Restart,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        // Mostly what is not bad, so that there is something to tell as one.
        4 => (1_u64..12, prop::sample::select(vec![0, 1, 2, 2, 2, 3, 3])).prop_map(|(id, severity)| Turn::Open(id, severity)),
        1 => (1_u64..12).prop_map(Turn::Change),
        1 => (1_u64..12).prop_map(Turn::Restore),
        1 => (1_u64..12).prop_map(Turn::Escalate),
        1 => (1_u64..12).prop_map(Turn::Raise),
        1 => (1_u64..90_000).prop_map(Turn::Pass),
        1 => Just(Turn::Send),
        1 => any::<u8>().prop_map(Turn::Answer),
        1 => Just(Turn::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_that_rings_is_lost(turns in prop::collection::vec(turn(), 1..120)) {
        let channels = || vec![channel("a"), Channel { follows: false, ..channel("b") }];
        let mut desk = Desk::new(channels());
        let mut flying: Vec<Notice> = Vec::new();
        let mut rung: BTreeMap<(String, u64, &'static str), usize> = BTreeMap::new();
        let mut due = rung.clone();
        let mut sent: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for turn in turns {
            match turn {
                Turn::Open(id, severity) => {
                    if !desk.state.incidents.contains_key(&IncidentId(id)) {
                        desk.happen(opened(id, SEVERITIES[severity]));
                        for name in ["a", "b"] {
                            *due.entry((name.to_owned(), id, "opened")).or_default() += 1;
                        }
                    }
                }
                Turn::Change(id) => {
                    desk.happen(Record::Overdue { incident: IncidentId(id) });
                }
                Turn::Restore(id) => {
                    let known = desk.state.incidents.get(&IncidentId(id));
                    if known.is_some_and(|one| one.state.is_active()) {
                        let (incident, at) = (IncidentId(id), desk.now);
                        desk.happen(Record::Restored { incident, at, view: String::new() });
                        for name in ["a", "b"] {
                            *due.entry((name.to_owned(), id, "restored")).or_default() += 1;
                        }
                    }
                }
                Turn::Escalate(id) => {
                    let known = desk.state.incidents.get(&IncidentId(id));
                    if known.is_some_and(|one| one.state.is_active()) {
                        let (incident, why) = (IncidentId(id), String::from("no case is left"));
                        desk.happen(Record::Escalated { incident, why });
                        for name in ["a", "b"] {
                            *due.entry((name.to_owned(), id, "escalated")).or_default() += 1;
                        }
                    }
                }
                Turn::Raise(id) => {
                    let (incident, severity) = (IncidentId(id), Severity::P1);
                    desk.happen(Record::SeverityRaised { incident, severity, title: None });
                }
                Turn::Pass(ms) => desk.pass(Duration::from_millis(ms)),
                Turn::Send => {
                    for notice in desk.next() {
                        digest::is_sound(&notice, &desk).map_err(TestCaseError::fail)?;
                        sent.entry(notice.channel.clone()).or_default().push(desk.now.steady);
                        flying.push(notice);
                    }
                }
                Turn::Answer(answer) => {
                    let Some(notice) = flying.pop() else { continue };
                    if answer % 3 == 0 {
                        let after = (answer % 2 == 0).then_some(Duration::from_secs(7));
                        desk.settle(notice.id, Outcome::Later { after, why: String::new() });
                    } else if answer % 7 == 1 && notice.incident.is_none() {
                        desk.settle(notice.id, Outcome::Rejected { why: String::new() });
                    } else {
                        desk.deliver(&notice);
                    }
                }
                Turn::Restart => {
                    // What is on its way is lost; what was kept is sent again.
                    flying.clear();
                    desk.restart(channels());
                    sent.clear();
                }
            }
            for name in ["a", "b"] {
                for incident in 1..12 {
                    let updates = desk.kept.waiting.iter().filter(|one| {
                        one.channel == name
                            && one.incident == Some(IncidentId(incident))
                            && one.occasion == Occasion::Updated
                    });
                    // One that waits, and one that is on its way.
                    prop_assert!(updates.count() <= 2);
                }
            }
        }
        for notice in flying {
            desk.settle(notice.id, Outcome::Later { after: None, why: String::new() });
        }
        desk.drain();
        for (message, parts) in &desk.taken {
            digest::tells(message, parts).map_err(TestCaseError::fail)?;
            for told in parts {
                let id = told.incident.unwrap().0;
                *rung.entry((told.channel.clone(), id, told.occasion.word())).or_default() += 1;
            }
        }
        for (key, count) in due {
            prop_assert_eq!(rung.get(&key).copied(), Some(count), "{:?}", key);
        }
        // Every incident that was opened was named on every channel, alone or in a digest.
        for (name, id) in ["a", "b"].into_iter().flat_map(|name| desk.state.incidents.keys().map(move |id| (name, id))) {
            prop_assert!(desk.taken.iter().any(|(message, _)| message.channel == name && digest::names(message, *id)));
        }
        prop_assert!(desk.kept.waiting.is_empty());
        for times in sent.values() {
            for (count, per) in [(5, 2_000), (30, 60_000)] {
                for window in times.windows(count + 1) {
                    prop_assert!(window[count] - window[0] >= per);
                }
            }
        }
    }
}
