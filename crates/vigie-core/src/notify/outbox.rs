//! Decides what is told to whom after each record, and what happens to it until the other side has
//! taken it. Every change comes out as a [`Change`], which is on the disk before a notice is sent; an
//! outbox made from what was kept goes on where it ended.

use crate::incident::{IncidentId, Severity};
use crate::moment::Moment;
use crate::notify::lane::{Flight, Known, Lane};
use crate::notify::{Card, Change, Channel, Notice, NoticeId, Occasion, Outcome, occasions};
use crate::record::Record;
use crate::state::State;

/// What the disk has of an outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// What waits, in any order.
    pub waiting: Vec<Notice>,
    /// The messages that stand for incidents.
    pub cards: Vec<Card>,
    /// The number of the last notice ever made.
    pub last: u64,
}

/// All channels and what waits for each.
#[derive(Debug, Clone)]
pub struct Outbox {
    lanes: Vec<Lane>,
    last: u64,
}

impl Outbox {
    /// An outbox for `channels` that goes on with what was `kept`. What waits for a channel that the
    /// configuration does not have any more is given up: see the changes.
    #[must_use]
    pub fn new(channels: Vec<Channel>, kept: Kept) -> (Self, Vec<Change>) {
        let mut lanes: Vec<_> = channels.into_iter().map(Lane::new).collect();
        let find =
            |lanes: &[Lane], name: &str| lanes.iter().position(|lane| lane.channel.name == name);
        for card in kept.cards {
            if let Some(at) = find(&lanes, &card.channel) {
                let named = !card.message.is_empty();
                lanes[at].learns(card.incident, if named { Known::Stands } else { Known::Heard });
            }
        }
        let mut last = kept.last;
        let mut changes = Vec::new();
        for notice in kept.waiting {
            last = last.max(notice.id.0);
            match find(&lanes, &notice.channel) {
                // One was on its way when the next was made: the younger one tells it all.
                Some(at) => changes.extend(lanes[at].push(notice).map(Change::Removed)),
                None => changes.push(Change::Removed(notice.id)),
            }
        }
        (Self { lanes, last }, changes)
    }

    /// Takes a record that was just made; `state` has it already.
    pub fn heed(&mut self, now: Moment, record: &Record, state: &State) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some((text, severity)) = occasions::of_vigie(record) {
            let spared = match record {
                Record::ChannelStopped { channel, .. } => Some(channel.as_str()),
                _ => None,
            };
            self.say(now, &text, severity, spared, &mut changes);
            return changes;
        }
        let run = record.run().and_then(|run| state.runs.get(&run));
        let id = record.incident().or_else(|| run.map(|run| run.incident));
        let Some(incident) = id.and_then(|id| state.incidents.get(&id)) else { return changes };
        if let Record::EscalatedTo { level, to, .. } = record {
            for at in 0..self.lanes.len() {
                let lane = &self.lanes[at];
                let (severity, service) = (incident.severity, &incident.service);
                let occasion = Occasion::Overdue { level: *level };
                let concerned = lane.knows(incident.id) || lane.channel.concerns(severity, service);
                // A channel that cannot be reached is not told every quarter of a night afterwards.
                if to.contains(&lane.channel.name)
                    && concerned
                    && !lane.waits(incident.id, &occasion)
                {
                    self.add(at, now, Some(incident.id), occasion, incident.severity, &mut changes);
                }
            }
        }
        for occasion in occasions::of(record, incident) {
            for at in 0..self.lanes.len() {
                let lane = &mut self.lanes[at];
                if matches!(record, Record::SeverityRaised { .. }) {
                    let raised = lane.raise(incident.id, incident.severity);
                    changes.extend(raised.into_iter().map(Change::Added));
                }
                let known = lane.knows(incident.id);
                let occasion = match &occasion {
                    // What became bad enough for it meanwhile is news to it.
                    _ if !known && !lane.channel.wants(incident.severity, &incident.service) => {
                        continue;
                    }
                    _ if !known && !incident.state.is_active() => continue,
                    Occasion::Updated if !known => Occasion::Opened,
                    Occasion::Updated if !lane.channel.follows || lane.covers(incident.id) => {
                        continue;
                    }
                    occasion => occasion.clone(),
                };
                self.add(at, now, Some(incident.id), occasion, incident.severity, &mut changes);
            }
        }
        changes
    }

    /// Tells every channel but `spared` something about vigie itself.
    fn say(
        &mut self,
        now: Moment,
        text: &str,
        severity: Severity,
        spared: Option<&str>,
        changes: &mut Vec<Change>,
    ) {
        for at in 0..self.lanes.len() {
            let channel = &self.lanes[at].channel;
            let takes = !channel.on_call && severity <= channel.min_severity;
            if takes && spared != Some(channel.name.as_str()) {
                let occasion = Occasion::Said { text: text.to_owned() };
                self.add(at, now, None, occasion, severity, changes);
            }
        }
    }

    fn add(
        &mut self,
        at: usize,
        now: Moment,
        incident: Option<IncidentId>,
        occasion: Occasion,
        severity: Severity,
        changes: &mut Vec<Change>,
    ) {
        self.last += 1;
        let lane = &mut self.lanes[at];
        let id = NoticeId(self.last);
        let channel = lane.channel.name.clone();
        let notice = Notice { id, channel, incident, occasion, severity, at: now };
        changes.push(Change::Added(notice.clone()));
        lane.push(notice);
    }

    /// What to send now, at most one a channel; each counts as on its way until [`Outbox::settle`]
    /// hears of it. `minute` is the minute of the host's day. Where many incidents wait that are not
    /// bad, one digest is handed out instead of their notices, which stay on the disk.
    pub fn next(&mut self, now: Moment, minute: u16) -> Vec<Notice> {
        self.lanes.iter_mut().filter_map(|lane| lane.next(now, minute)).collect()
    }

    /// Hears what became of a notice. What comes back beside the changes is worth a record each.
    pub fn settle(
        &mut self,
        now: Moment,
        id: NoticeId,
        outcome: Outcome,
    ) -> (Vec<Change>, Vec<Record>) {
        let landed = self.lanes.iter_mut().find_map(|lane| {
            let flight = lane.land(id)?;
            Some((lane, flight))
        });
        let Some((lane, flight)) = landed else { return (Vec::new(), Vec::new()) };
        let removed = |ids: Vec<NoticeId>| ids.into_iter().map(Change::Removed).collect();
        match outcome {
            Outcome::Delivered { message } => {
                lane.succeeded();
                delivered(lane, &flight, message)
            }
            Outcome::Later { after, .. } => (removed(lane.failed(now, flight, after)), Vec::new()),
            Outcome::Rejected { .. } if flight.is_digest() => {
                // What it does not take as one it may take one by one; nothing is given up for that.
                lane.succeeded();
                lane.channel.digests = false;
                (removed(lane.back(flight)), Vec::new())
            }
            Outcome::Rejected { why } => {
                lane.succeeded();
                let word = |word: &str| format!("{word} refused: {why}");
                let gone = flight.parts.iter().map(|part| Change::Removed(part.id)).collect();
                (gone, notified(&flight, word))
            }
            Outcome::Stopped { why } => {
                let channel = flight.head.channel.clone();
                let stale = lane.back(flight);
                lane.stopped = Some(why.clone());
                (removed(stale), vec![Record::ChannelStopped { channel, why }])
            }
        }
    }

    /// Forgets incidents that the state does not have any more: nothing new will be told of them.
    pub fn forget_old(&mut self, state: &State) {
        let lives = |incident: IncidentId| state.incidents.contains_key(&incident);
        self.lanes.iter_mut().for_each(|lane| lane.keep(lives));
    }

    /// When [`Outbox::next`] may have something at the latest.
    #[must_use]
    pub fn next_wake(&self, now: Moment, minute: u16) -> Option<Moment> {
        let ready = self.lanes.iter().filter_map(|lane| lane.ready_at(now, minute));
        ready.min_by_key(|at| at.steady)
    }

    /// How many notices wait, by channel, and why a channel that takes none any more does not.
    pub fn waiting(&self) -> impl Iterator<Item = (&str, usize, Option<&str>)> {
        self.lanes
            .iter()
            .map(|lane| (lane.channel.name.as_str(), lane.len(), lane.stopped.as_deref()))
    }
}

/// The other side has taken it.
fn delivered(
    lane: &mut Lane,
    flight: &Flight,
    message: Option<String>,
) -> (Vec<Change>, Vec<Record>) {
    let mut changes: Vec<_> = flight.parts.iter().map(|part| Change::Removed(part.id)).collect();
    // A digest stands for none of its incidents: what comes next about one has a message of its own.
    let message = message.filter(|_| !flight.is_digest());
    let known = if message.is_some() { Known::Stands } else { Known::Heard };
    for incident in flight.parts.iter().filter_map(|part| part.incident) {
        if lane.learns(incident, known) || message.is_some() {
            let (channel, message) =
                (flight.head.channel.clone(), message.clone().unwrap_or_default());
            changes.push(Change::Carded(Card { channel, incident, message }));
        }
    }
    let word = |word: &str| match flight.is_digest() {
        true => format!("{word} in a digest"),
        false => word.to_owned(),
    };
    (changes, notified(flight, word))
}

/// The records of what rang.
fn notified(flight: &Flight, word: impl Fn(&str) -> String) -> Vec<Record> {
    let rang = flight.parts.iter().filter(|part| part.occasion.rings());
    let record = |part: &Notice| {
        let incident = part.incident?;
        let (channel, occasion) = (part.channel.clone(), word(part.occasion.word()));
        Some(Record::Notified { incident, channel, occasion })
    };
    rang.filter_map(record).collect()
}
