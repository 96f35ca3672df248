//! Decides what one channel is told next: the worst first, what rings before what does not, the
//! oldest first; one at a time, within its limits, outside its quiet hours.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::incident::{IncidentId, Severity};
use crate::moment::Moment;
use crate::notify::{Channel, Notice, NoticeId, Occasion, Pace, digest};

/// The first wait after a failure; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(2);
/// The longest wait.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// The order of what waits.
pub(super) type Key = (Severity, bool, NoticeId);

/// What the channel knows of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    /// It is about to be told of it.
    Due,
    /// It was told, by no message of its own.
    Heard,
    /// A message stands for it.
    Stands,
}

/// What is on its way: one message, and the notices that it tells.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    /// What was handed out.
    pub(super) head: Notice,
    /// Itself; or all that a digest tells.
    pub(super) parts: Vec<Notice>,
}

impl Flight {
    pub(super) const fn is_digest(&self) -> bool {
        matches!(self.head.occasion, Occasion::Digest { .. })
    }
}

#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) channel: Channel,
    waiting: BTreeMap<Key, Notice>,
    /// The update of each incident that waits: a newer one would say the same.
    updates: BTreeMap<IncidentId, Key>,
    /// Incidents that it has been told of, or is about to.
    told: BTreeMap<IncidentId, Known>,
    flying: Option<Flight>,
    pace: Pace,
    blocked: Option<Moment>,
    failures: u32,
    pub(super) stopped: Option<String>,
}

impl Lane {
    pub(super) fn new(channel: Channel) -> Self {
        let pace = Pace::new(channel.limits.clone());
        Self {
            channel,
            waiting: BTreeMap::new(),
            updates: BTreeMap::new(),
            told: BTreeMap::new(),
            flying: None,
            pace,
            blocked: None,
            failures: 0,
            stopped: None,
        }
    }

    pub(super) fn knows(&self, incident: IncidentId) -> bool {
        self.told.contains_key(&incident)
    }

    /// It was told of `incident`; whether that is new.
    pub(super) fn learns(&mut self, incident: IncidentId, known: Known) -> bool {
        let before = self.told.entry(incident).or_insert(Known::Due);
        let new = known > *before;
        *before = known.max(*before);
        new
    }

    /// Forgets the incidents that are over for good.
    pub(super) fn keep(&mut self, lives: impl Fn(IncidentId) -> bool) {
        self.told.retain(|incident, _| lives(*incident));
    }

    /// Whether a change of `incident` would be told by what waits already: the text of every notice
    /// is made when it is sent. What is on its way may have been made before the change.
    pub(super) fn covers(&self, incident: IncidentId) -> bool {
        let opens = |notice: &Notice| {
            notice.incident == Some(incident) && matches!(notice.occasion, Occasion::Opened)
        };
        self.updates.contains_key(&incident) || self.waiting.values().any(opens)
    }

    /// Whether the same news of `incident` waits already: told twice at once it is no news.
    pub(super) fn waits(&self, incident: IncidentId, occasion: &Occasion) -> bool {
        let same = |notice: &Notice| {
            notice.incident == Some(incident) && notice.occasion.word() == occasion.word()
        };
        self.waiting.values().any(same)
    }

    /// Queues a notice. An update takes the place of one that waits already, whose number comes back.
    pub(super) fn push(&mut self, notice: Notice) -> Option<NoticeId> {
        let mut stale = None;
        let key = (notice.severity, !notice.occasion.rings(), notice.id);
        if let Some(incident) = notice.incident {
            self.told.entry(incident).or_insert(Known::Due);
            if notice.occasion == Occasion::Updated {
                let before = self.updates.insert(incident, key);
                stale = before.and_then(|before| self.waiting.remove(&before));
            }
        }
        self.waiting.insert(key, notice);
        stale.map(|notice| notice.id)
    }

    /// What waits about an incident that got worse moves up; so will what is on its way, should it come
    /// back. Returns what is to be kept anew.
    pub(super) fn raise(&mut self, incident: IncidentId, severity: Severity) -> Vec<Notice> {
        let of_it =
            |notice: &Notice| notice.incident == Some(incident) && notice.severity > severity;
        let waiting = self.waiting.iter().filter(|(_, notice)| of_it(notice));
        let keys: Vec<_> = waiting.map(|(key, _)| *key).collect();
        let mut raised = Vec::new();
        for key in keys {
            if let Some(mut notice) = self.waiting.remove(&key) {
                notice.severity = severity;
                raised.push(notice.clone());
                self.push(notice);
            }
        }
        let flying = self.flying.iter_mut().flat_map(|flight| &mut flight.parts);
        for notice in flying.filter(|notice| of_it(notice)) {
            notice.severity = severity;
            raised.push(notice.clone());
        }
        raised
    }

    /// What to send now, if anything; it counts as on its way until it is settled.
    pub(super) fn next(&mut self, now: Moment, minute: u16) -> Option<Notice> {
        if self.flying.is_some() || self.ready_at(now, minute)? > now {
            return None;
        }
        let key = *self.candidate(self.quiet_left(minute).is_some())?;
        let mut keys = self.together();
        if !keys.contains(&key) {
            keys = vec![key];
        }
        let parts: Vec<_> = keys.iter().filter_map(|key| self.waiting.remove(key)).collect();
        for notice in &parts {
            if let (Some(incident), Occasion::Updated) = (notice.incident, &notice.occasion) {
                self.updates.remove(&incident);
            }
        }
        let head = self.head(now, &parts)?;
        self.pace.count(now);
        self.flying = Some(Flight { head: head.clone(), parts });
        Some(head)
    }

    /// What would be told as one now.
    fn together(&self) -> Vec<Key> {
        if !self.channel.digests {
            return Vec::new();
        }
        digest::of(&self.waiting, |incident| self.told.get(&incident) == Some(&Known::Stands))
    }

    /// What is handed out for `parts`.
    fn head(&self, now: Moment, parts: &[Notice]) -> Option<Notice> {
        let first = parts.first()?;
        if parts.len() == 1 {
            return Some(first.clone());
        }
        let mut incidents = Vec::new();
        for incident in parts.iter().filter_map(|notice| notice.incident) {
            if !incidents.contains(&incident) {
                incidents.push(incident);
            }
        }
        Some(Notice {
            // What is put together anew after a failure has another number as soon as there is
            // something new in it: a mailbox that has the first one would drop the second.
            id: parts.iter().map(|notice| notice.id).max()?,
            channel: self.channel.name.clone(),
            incident: None,
            occasion: Occasion::Digest { incidents },
            severity: parts.iter().map(|notice| notice.severity).min()?,
            at: now,
        })
    }

    /// When it can be asked for something next; `None` while nothing waits or something is on its
    /// way.
    pub(super) fn ready_at(&self, now: Moment, minute: u16) -> Option<Moment> {
        if self.stopped.is_some() || self.flying.is_some() || self.waiting.is_empty() {
            return None;
        }
        let quiet = self.quiet_left(minute);
        let from = match (self.candidate(quiet.is_some()), quiet) {
            (Some(_), _) => now,
            (None, Some(left)) => now.plus(left),
            (None, None) => return None,
        };
        let blocked = [self.blocked, self.pace.ready_at(now)].into_iter().flatten();
        Some(blocked.fold(from, |at, other| if other.steady > at.steady { other } else { at }))
    }

    fn quiet_left(&self, minute: u16) -> Option<Duration> {
        self.channel.quiet.and_then(|quiet| quiet.left(minute))
    }

    fn candidate(&self, quiet: bool) -> Option<&Key> {
        let first = self.waiting.keys().next();
        first.filter(|(severity, ..)| !quiet || *severity <= Severity::P2)
    }

    /// Takes back what is on its way, if it is `id`.
    pub(super) fn land(&mut self, id: NoticeId) -> Option<Flight> {
        self.flying.take_if(|flight| flight.head.id == id)
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.blocked = None;
    }

    /// It waits, and so does everything behind it. Returns what is not needed any more.
    pub(super) fn failed(
        &mut self,
        now: Moment,
        flight: Flight,
        after: Option<Duration>,
    ) -> Vec<NoticeId> {
        let wait = BACKOFF.saturating_mul(1 << self.failures.min(10)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        self.blocked = Some(now.plus(after.unwrap_or(wait)));
        self.back(flight)
    }

    /// What was on its way waits again; an update that was made anew meanwhile replaces it. Returns what is
    /// not needed any more.
    pub(super) fn back(&mut self, flight: Flight) -> Vec<NoticeId> {
        let mut stale = Vec::new();
        for notice in flight.parts {
            let told = notice.occasion == Occasion::Updated
                && notice.incident.is_some_and(|incident| self.covers(incident));
            stale.extend(if told { Some(notice.id) } else { self.push(notice) });
        }
        stale
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.flying.as_ref().map_or(0, |flight| flight.parts.len())
    }
}
