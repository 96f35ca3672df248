//! A thousand incidents in a minute, through the outbox and the real clients to servers that refuse what
//! is too much. The clock is tokio's and stands still while anybody works, so that the hour that it takes
//! passes at once; the sockets are real.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vigie::notify::{About, Kind, Letter, Message, Sender};
use vigie::report::{Lang, incident_json};
use vigie::store::IncidentRow;
use vigie_core::incident::{Group, IncidentId, Severity};
use vigie_core::notify::{Channel, Kept, Notice, Occasion, Outbox, Outcome};
use vigie_core::stack::Targets;
use vigie_core::{Moment, Record, State};
use vigie_testkit::chat::{Discord, Seen, Telegram};

/// One in ten is a P1, which is restored a minute and a half later.
const INCIDENTS: u64 = 1_000;
const P1: u64 = 10;
const NOON: u16 = 12 * 60;

/// What happens, in order of time.
fn happenings() -> Vec<(Duration, Record)> {
    let mut all = Vec::new();
    for id in 1..=INCIDENTS {
        let (incident, at) = (IncidentId(id), Duration::from_millis(60 * id));
        let severity = if id % P1 == 0 { Severity::P1 } else { Severity::P3 };
        let (service, title) = (String::from("gmod"), format!("gmod is exited ({id})"));
        let group = Group::Availability;
        let players = None;
        all.push((
            at,
            Record::IncidentOpened { incident, service, group, severity, title, players },
        ));
        if severity == Severity::P1 {
            let (again, at_end) = (at + Duration::from_secs(90), Moment::from_ms(1));
            let view = String::from("gmod answers");
            all.push((again, Record::Restored { incident, at: at_end, view }));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

/// Everybody between the engine and the other side.
struct Storm {
    outbox: Outbox,
    state: State,
    cards: BTreeMap<IncidentId, String>,
    began: Instant,
    /// What was told, and when.
    told: Vec<(Duration, Notice)>,
}

impl Storm {
    fn new(kind: Kind) -> Self {
        let channel = Channel {
            // Each by itself, which is the harder case.
            digests: false,
            name: String::from("staff"),
            min_severity: Severity::P4,
            services: Vec::new(),
            quiet: None,
            on_call: false,
            follows: true,
            limits: Sender::limits(kind),
        };
        Self {
            outbox: Outbox::new(vec![channel], Kept::default()).0,
            state: State::default(),
            cards: BTreeMap::new(),
            began: Instant::now(),
            told: Vec::new(),
        }
    }

    fn now(&self) -> Moment {
        let gone = self.began.elapsed().as_millis();
        Moment::from_ms(1_764_000_000_000 + i64::try_from(gone).unwrap())
    }

    fn letter(&self, notice: Notice) -> Letter {
        let incident = self.state.incidents[&notice.incident.unwrap()].clone();
        let row = IncidentRow { incident, runs: Vec::new() };
        let about = About {
            stack: "DarkRP",
            targets: &Targets::default(),
            notice: &notice,
            row: Some(&row),
            seen_before: None,
            now: self.now(),
            lang: Lang::En,
        };
        let card = self.cards.get(&row.incident.id).cloned();
        Letter { message: Message::of(&about), card, incident: Some(incident_json(&row)), notice }
    }

    async fn send(&mut self, notice: Notice, sender: &Sender) {
        let letter = self.letter(notice);
        let outcome = sender.send(&letter).await;
        match &outcome {
            Outcome::Delivered { message } => {
                if let (Some(message), Some(id)) = (message, letter.notice.incident) {
                    self.cards.insert(id, message.clone());
                }
                self.told.push((self.began.elapsed(), letter.notice.clone()));
            }
            // Its own requests were counted, and the next one would be too much.
            Outcome::Later { why, .. } if why.starts_with("kept back to stay within") => {}
            other => panic!("{:?} after {:?}: {other:?}", letter.notice, self.began.elapsed()),
        }
        self.outbox.settle(self.now(), letter.notice.id, outcome);
    }

    /// Until everything has happened and nothing waits.
    async fn blow(&mut self, sender: &Sender) {
        let mut coming = happenings().into_iter().peekable();
        loop {
            while let Some((_, record)) = coming.next_if(|(at, _)| *at <= self.began.elapsed()) {
                let now = self.now();
                self.state.apply(now, &record);
                self.outbox.heed(now, &record, &self.state);
            }
            let now = self.now();
            if let Some(notice) = self.outbox.next(now, NOON).pop() {
                self.send(notice, sender).await;
                continue;
            }
            let happens = coming.peek().map(|(at, _)| self.began + *at);
            let wake = self.outbox.next_wake(now, NOON).map(|at| Instant::now() + at.since(now));
            let Some(next) = happens.into_iter().chain(wake).min() else { return };
            sleep_until(next).await;
        }
    }

    /// The incidents of which this was told, and when for the last time.
    fn told(&self, occasion: &Occasion, severity: Severity) -> (BTreeSet<u64>, Duration) {
        let of =
            |(_, one): &&(Duration, Notice)| one.occasion == *occasion && one.severity == severity;
        let ids = self.told.iter().filter(of).map(|(_, one)| one.incident.unwrap().0);
        let last = self.told.iter().rfind(of).map(|(at, _)| *at).unwrap_or_default();
        (ids.collect(), last)
    }

    /// Nothing was refused, nothing is missing, and the worst did not wait for the rest.
    fn check(&self, seen: &[Seen], p1_within: Duration) {
        // Telegram says so of an edit that changes nothing, and no other answer is 400 here.
        let unchanged = |one: &Seen| one.status == 400 && one.path().ends_with("/editMessageText");
        let refused = seen.iter().filter(|one| one.status >= 300 && !unchanged(one));
        let refused: Vec<_> = refused.collect();
        assert!(refused.is_empty(), "{} of {}: {:#?}", refused.len(), seen.len(), refused[0]);
        let all = |which: fn(u64) -> bool| (1..=INCIDENTS).filter(|id| which(*id)).collect();
        let (p1, last_p1) = self.told(&Occasion::Opened, Severity::P1);
        assert_eq!(p1, all(|id| id % P1 == 0), "a P1 was not told");
        let (back, last_back) = self.told(&Occasion::Restored, Severity::P1);
        assert_eq!(back, p1, "somebody waits for word that a P1 is over");
        let (rest, last) = self.told(&Occasion::Opened, Severity::P3);
        assert_eq!(rest, all(|id| id % P1 != 0));
        assert!(last_p1.max(last_back) < p1_within, "P1: {last_p1:?}, {last_back:?}");
        assert!(last > p1_within, "with the limits, the rest takes longer: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_incidents_in_a_minute_stay_within_discords_limits() {
    let server = Discord::start().await.unwrap();
    let sender = crate::discord::client(&server.url());
    let mut storm = Storm::new(Kind::Discord);
    storm.blow(&sender).await;
    // 100 openings and 100 endings, which are an edit and a ring: 300 requests at 30 a minute.
    storm.check(&server.seen(), Duration::from_secs(12 * 60));
    let texts: Vec<_> = server.messages().iter().map(ToString::to_string).collect();
    for id in 1..=INCIDENTS {
        let footer = format!("incident #{id}\"");
        let count = texts.iter().filter(|text| text.contains(&footer)).count();
        assert_eq!(count, 1, "one message stands for incident {id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_incidents_in_a_minute_stay_within_telegrams_limits() {
    let server = Telegram::start().await.unwrap();
    let sender = Sender::Telegram(crate::telegram::telegram(&server));
    let mut storm = Storm::new(Kind::Telegram);
    storm.blow(&sender).await;
    // The same 300 requests at 20 a minute.
    storm.check(&server.seen(), Duration::from_secs(17 * 60));
}
