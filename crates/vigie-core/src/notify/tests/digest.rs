//! Many incidents that are not bad are told as one; nothing is lost by it, and what is bad goes alone.

use super::*;

/// What must hold of every message that is handed out.
pub(super) fn is_sound(message: &Notice, desk: &Desk) -> Result<(), String> {
    let Occasion::Digest { incidents } = &message.occasion else { return Ok(()) };
    let known = |id| desk.state.incidents.get(id);
    if let Some(bad) =
        incidents.iter().find(|id| known(id).is_some_and(|one| one.severity <= Severity::P2))
    {
        return Err(format!("{bad} is bad, and in a digest"));
    }
    let distinct: std::collections::BTreeSet<_> = incidents.iter().collect();
    if distinct.len() != incidents.len() || !(6..=10).contains(&incidents.len()) {
        return Err(format!("a digest of {incidents:?}"));
    }
    // All of it is still on the disk.
    let waits = |id: &&IncidentId| !desk.kept.waiting.iter().any(|one| one.incident == Some(**id));
    incidents.iter().find(waits).map_or(Ok(()), |id| Err(format!("{id} is not kept")))
}

/// A message told nothing but what it names, and nothing that wants an answer by the way.
pub(super) fn tells(message: &Notice, parts: &[Notice]) -> Result<(), String> {
    let is_digest = matches!(message.occasion, Occasion::Digest { .. });
    for part in parts {
        let quiet = !matches!(
            part.occasion,
            Occasion::Escalated | Occasion::Overdue { .. } | Occasion::Approval { .. }
        );
        let fits = if is_digest { quiet } else { part.id == message.id };
        if !fits || part.channel != message.channel || !names(message, part.incident.unwrap()) {
            return Err(format!("{message:?} told {part:?}"));
        }
    }
    if parts.is_empty() { Err(format!("{message:?} told nothing")) } else { Ok(()) }
}

/// Whether a message says something of an incident.
pub(super) fn names(message: &Notice, id: IncidentId) -> bool {
    match &message.occasion {
        Occasion::Digest { incidents } => incidents.contains(&id),
        _ => message.incident == Some(id),
    }
}

fn resolved(id: u64) -> Record {
    let by = crate::incident::Actor::Person(String::from("Ann"));
    Record::Resolved { incident: IncidentId(id), by }
}

/// A desk whose channel is quiet, and seven incidents that wait for the morning, two of them over.
fn night() -> (Desk, Vec<Channel>) {
    let quiet = Some(Quiet { from: 23 * 60, to: 8 * 60 });
    let channels = vec![Channel { quiet, ..channel("staff") }];
    let mut desk = Desk::new(channels.clone());
    desk.minute = 2 * 60;
    for id in 1..=7 {
        desk.happen(opened(id, if id == 4 { Severity::P4 } else { Severity::P3 }));
    }
    desk.happen(resolved(2));
    desk.happen(resolved(5));
    assert!(desk.drain_now().is_empty());
    (desk, channels)
}

impl Desk {
    /// What can be told at this minute of the day.
    fn drain_now(&mut self) -> Vec<Notice> {
        let mut told = Vec::new();
        loop {
            let sent = self.next();
            if sent.is_empty() {
                return told;
            }
            for notice in sent {
                self.deliver(&notice);
                told.push(notice);
            }
            self.pass(Duration::from_secs(3));
        }
    }

    fn morning(&mut self) {
        self.minute = 8 * 60;
        self.pass(Duration::from_secs(6 * 3600));
    }
}

#[test]
fn a_nights_incidents_are_one_message_in_the_morning() {
    let (mut desk, _) = night();
    desk.morning();
    let told = desk.drain_now();
    let incidents = [1, 2, 3, 5, 6, 7, 4].map(IncidentId).to_vec();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].occasion, Occasion::Digest { incidents }, "the worst first");
    assert_eq!((told[0].severity, told[0].incident), (Severity::P3, None));
    assert!(desk.kept.waiting.is_empty());
    // All of them are known to be told, and none has a message of its own.
    assert_eq!(desk.kept.cards.len(), 7);
    assert!(desk.kept.cards.iter().all(|card| card.message.is_empty()));
}

#[test]
fn everybody_in_a_digest_is_recorded_as_told() {
    let (mut desk, _) = night();
    desk.morning();
    let sent = desk.next();
    let records = desk.deliver(&sent[0]);
    let told = |id: u64, word: &str| {
        let (incident, channel) = (IncidentId(id), String::from("staff"));
        let occasion = format!("{word} in a digest");
        records.contains(&Record::Notified { incident, channel, occasion })
    };
    assert!((1..=7).all(|id| told(id, "opened")), "{records:?}");
    assert!(told(2, "resolved") && told(5, "resolved") && !told(1, "resolved"), "{records:?}");
}

#[test]
fn few_are_told_one_by_one_and_what_is_bad_is_told_alone() {
    let mut desk = Desk::new(vec![channel("staff")]);
    let first = {
        desk.happen(opened(99, Severity::P3));
        desk.next()
    };
    for id in 1..=8 {
        desk.happen(opened(id, Severity::P3));
    }
    desk.happen(opened(9, Severity::P2));
    // One becomes bad while it waits; one is handed to people; one asks.
    let (incident, severity) = (IncidentId(1), Severity::P1);
    desk.happen(Record::SeverityRaised { incident, severity, title: None });
    desk.happen(Record::Escalated { incident: IncidentId(2), why: String::from("no case") });
    desk.deliver(&first[0]);
    let told = desk.drain();
    let alone: Vec<_> =
        told.iter().filter_map(|(_, one)| Some((one.incident?.0, one.occasion.word()))).collect();
    assert_eq!(alone, [(1, "opened"), (9, "opened"), (2, "opened"), (2, "escalated")]);
    let digest = told.iter().find(|(_, one)| one.incident.is_none()).unwrap();
    let incidents = [3, 4, 5, 6, 7, 8].map(IncidentId).to_vec();
    assert_eq!(digest.1.occasion, Occasion::Digest { incidents });
    // With one fewer there is none.
    let mut desk = Desk::new(vec![Channel { limits: Vec::new(), ..channel("staff") }]);
    desk.happen(opened(99, Severity::P3));
    let first = desk.next();
    for id in 1..=5 {
        desk.happen(opened(id, Severity::P3));
    }
    desk.deliver(&first[0]);
    assert_eq!(occasions(&desk.drain()), ["opened"; 5]);
}

#[test]
fn what_comes_after_a_digest_has_a_message_of_its_own_also_after_a_kill() {
    for killed in [false, true] {
        let (mut desk, channels) = night();
        desk.morning();
        desk.drain_now();
        if killed {
            desk.restart(channels);
        }
        desk.happen(Record::Overdue { incident: IncidentId(1) });
        let at = desk.now;
        desk.happen(Record::Restored { incident: IncidentId(3), at, view: String::new() });
        desk.happen(Record::Escalated { incident: IncidentId(6), why: String::from("no case") });
        let told: Vec<_> = desk
            .drain_now()
            .into_iter()
            .map(|one| (one.incident.unwrap().0, one.occasion.word()))
            .collect();
        let rings = [(3, "restored"), (6, "escalated")];
        let edits = [(1, "updated"), (3, "updated"), (6, "updated")];
        assert_eq!(told, [&rings[..], &edits].concat(), "killed: {killed}");
        // From then on each of them has one.
        let named = desk.kept.cards.iter().filter(|card| !card.message.is_empty()).count();
        assert_eq!(named, 3);
    }
}

#[test]
fn a_digest_that_is_refused_is_told_one_by_one() {
    let (mut desk, _) = night();
    desk.morning();
    let sent = desk.next();
    assert!(desk.settle(sent[0].id, Outcome::Rejected { why: String::from("400") }).is_empty());
    let told = desk.drain_now();
    let opened = told.iter().filter(|one| one.occasion == Occasion::Opened).count();
    assert_eq!((opened, told.len()), (7, 9), "{told:?}");
}

#[test]
fn a_digest_that_has_to_wait_takes_in_what_came_meanwhile_and_has_another_number() {
    let (mut desk, channels) = night();
    desk.morning();
    let first = desk.next();
    desk.happen(opened(8, Severity::P3));
    desk.settle(first[0].id, Outcome::Later { after: None, why: String::new() });
    desk.pass(Duration::from_secs(10));
    let second = desk.next();
    let Occasion::Digest { incidents } = &second[0].occasion else { panic!("{second:?}") };
    assert_eq!(incidents.len(), 8);
    assert_ne!(first[0].id, second[0].id);
    // Nobody knows whether it arrived: all of it is told again.
    desk.restart(channels);
    let third = desk.next();
    assert_eq!(third[0].occasion, second[0].occasion);
    assert_eq!(third[0].id, second[0].id);
}

#[test]
fn a_storm_is_told_in_digests_that_fit() {
    let mut desk = Desk::new(vec![channel("staff")]);
    for id in 1..=100 {
        desk.happen(opened(id, Severity::P3));
    }
    let told = desk.drain();
    // Nothing was on its way before all of them waited.
    assert_eq!(told.len(), 10, "{told:?}");
    for (_, digest) in &told {
        let Occasion::Digest { incidents } = &digest.occasion else { panic!("{digest:?}") };
        assert_eq!(incidents.len(), 10);
    }
}
