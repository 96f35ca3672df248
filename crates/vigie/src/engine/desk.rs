//! Does: the outgoing desk: what the outbox says is to be told now becomes a letter, with the words of
//! this moment, and goes to the post.

use std::collections::BTreeMap;
use std::path::PathBuf;

use vigie_core::incident::IncidentId;
use vigie_core::learn::Recall;
use vigie_core::notify::{
    Card, Change, Channel, Kept, Notice, NoticeId, Occasion, Outbox, Outcome,
};
use vigie_core::stack::Targets;
use vigie_core::{Moment, Record, State};

use crate::config::Lang;
use crate::notify::{About, Letter, Message, digest};
use crate::report::{ChannelStatus, ago, incident_json};
use crate::store::{IncidentRow, Register};

/// Sends letters. The engine's task only hands them over: what became of one comes back by its number.
pub trait Post: Send + 'static {
    /// Takes one letter.
    fn send(&mut self, letter: Letter);
}

/// Where nobody is to be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPost;

impl Post for NoPost {
    fn send(&mut self, _: Letter) {}
}

/// What a desk has to know of the stack.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// The stack's name.
    pub stack: String,
    /// Its response targets.
    pub targets: Targets,
    /// The channels, each with its language.
    pub channels: Vec<(Channel, Lang)>,
    /// The register, for what the state has forgotten.
    pub journal: PathBuf,
}

/// The desk.
pub struct Desk {
    outbox: Outbox,
    post: Box<dyn Post>,
    head: Letterhead,
    langs: BTreeMap<String, Lang>,
    cards: BTreeMap<(String, IncidentId), String>,
    /// The like of each incident, looked up once.
    seen: BTreeMap<IncidentId, Option<Recall>>,
    /// What is to be written with the next records.
    due: Vec<Change>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("channels", &self.langs).finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk for a watch that tells nobody.
    #[must_use]
    pub fn silent(stack: &str) -> Self {
        let head = Letterhead {
            stack: stack.to_owned(),
            targets: Targets::default(),
            channels: Vec::new(),
            journal: PathBuf::new(),
        };
        Self::new(head, Kept::default(), Box::new(NoPost))
    }

    /// A desk that goes on with what was `kept`.
    #[must_use]
    pub fn new(head: Letterhead, kept: Kept, post: Box<dyn Post>) -> Self {
        let of = |card: &Card| ((card.channel.clone(), card.incident), card.message.clone());
        let cards = kept.cards.iter().map(of).collect();
        let langs = head.channels.iter().map(|(one, lang)| (one.name.clone(), *lang)).collect();
        let channels = head.channels.iter().map(|(channel, _)| channel.clone()).collect();
        let (outbox, due) = Outbox::new(channels, kept);
        Self { outbox, post, head, langs, cards, seen: BTreeMap::new(), due }
    }

    /// Takes records that were just made; what comes back is to be written with them.
    pub(super) fn heed(&mut self, now: Moment, records: &[Record], state: &State) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.due);
        for record in records {
            changes.extend(self.outbox.heed(now, record, state));
        }
        changes
    }

    /// Hears what became of a letter.
    pub(super) fn settle(
        &mut self,
        now: Moment,
        id: NoticeId,
        outcome: Outcome,
    ) -> (Vec<Change>, Vec<Record>) {
        let (changes, records) = self.outbox.settle(now, id, outcome);
        for change in &changes {
            if let Change::Carded(card) = change {
                self.cards.insert((card.channel.clone(), card.incident), card.message.clone());
            }
        }
        (changes, records)
    }

    /// Sends what is to be told now.
    pub(super) fn send(&mut self, now: Moment, minute: u16, state: &State) {
        for notice in self.outbox.next(now, minute) {
            let letter = self.letter(now, notice, state);
            self.post.send(letter);
        }
    }

    /// When it may have something to send at the latest.
    pub(super) fn next_wake(&self, now: Moment, minute: u16) -> Option<Moment> {
        self.outbox.next_wake(now, minute)
    }

    /// Forgets what the state has forgotten.
    pub(super) fn forget_old(&mut self, state: &State) {
        self.outbox.forget_old(state);
        self.cards.retain(|(_, incident), _| state.incidents.contains_key(incident));
        self.seen.retain(|incident, _| state.incidents.contains_key(incident));
    }

    /// How the channels are.
    pub(super) fn channels(&self) -> Vec<ChannelStatus> {
        let waiting = self.outbox.waiting();
        let status = waiting.map(|(name, waiting, stopped)| ChannelStatus {
            name: name.to_owned(),
            waiting,
            stopped: stopped.map(str::to_owned),
        });
        status.collect()
    }

    fn letter(&mut self, now: Moment, notice: Notice, state: &State) -> Letter {
        let row = notice.incident.and_then(|id| self.row(id, state));
        let lang = self.langs.get(&notice.channel).copied().unwrap_or_default();
        let seen_before = row.as_ref().and_then(|row| self.seen_before(row, lang));
        let about = About {
            stack: &self.head.stack,
            targets: &self.head.targets,
            notice: &notice,
            row: row.as_ref(),
            seen_before: seen_before.as_deref(),
            now,
            lang,
        };
        let message = match &notice.occasion {
            Occasion::Digest { incidents } => {
                let rows: Vec<_> = incidents.iter().map(|id| self.row(*id, state)).collect();
                digest(&about, incidents, &rows)
            }
            _ => Message::of(&about),
        };
        let card = notice.incident.map(|incident| (notice.channel.clone(), incident));
        let card = card.and_then(|key| self.cards.get(&key).cloned());
        let card = card.filter(|message| !message.is_empty());
        Letter { message, card, incident: row.as_ref().map(incident_json), notice }
    }

    /// The like of it that was seen before, and what fixed it.
    fn seen_before(&mut self, row: &IncidentRow, lang: Lang) -> Option<String> {
        let journal = &self.head.journal;
        let look = || Register::open(journal).ok()?.seen_before(row);
        let recall = self.seen.entry(row.incident.id).or_insert_with(look).as_ref()?;
        let fixed = lang.of(&recall.fixed_by);
        let took = recall.took.map_or_else(String::new, |took| format!(" ({})", ago(took)));
        Some(match lang {
            Lang::En => format!("{}, fixed by {fixed}{took}", recall.what),
            Lang::Fr => format!("{}, résolu par {fixed}{took}", recall.what),
        })
    }

    fn row(&self, id: IncidentId, state: &State) -> Option<IncidentRow> {
        if let Some(incident) = state.incidents.get(&id) {
            let runs = incident.runs.iter().filter_map(|run| state.runs.get(run)).cloned();
            return Some(IncidentRow { incident: incident.clone(), runs: runs.collect() });
        }
        Register::open(&self.head.journal).ok()?.get(id).ok()?
    }
}
