//! Decides what one channel is told next: the worst first, what rings before what does not, the
//! oldest first; one at a time, within its limits, outside its quiet hours.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::incident::{IncidentId, Severity};
use crate::moment::Moment;
use crate::notify::{Channel, Notice, NoticeId, Occasion, Pace};

/// The first wait after a failure; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(2);
/// The longest wait.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// The order of what waits.
type Key = (Severity, bool, NoticeId);

#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) channel: Channel,
    waiting: BTreeMap<Key, Notice>,
    /// The update of each incident that waits: a newer one would say the same.
    updates: BTreeMap<IncidentId, Key>,
    /// Incidents that it has been told of, or is about to; and whether a message stands for each.
    told: BTreeMap<IncidentId, bool>,
    flying: Option<Notice>,
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

    /// A message stands for `incident`; whether that is new.
    pub(super) fn card(&mut self, incident: IncidentId) -> bool {
        self.told.insert(incident, true) != Some(true)
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
            self.told.entry(incident).or_insert(false);
            if notice.occasion == Occasion::Updated {
                let before = self.updates.insert(incident, key);
                stale = before.and_then(|before| self.waiting.remove(&before));
            }
        }
        self.waiting.insert(key, notice);
        stale.map(|notice| notice.id)
    }

    /// What waits about an incident that got worse moves up.
    pub(super) fn raise(&mut self, incident: IncidentId, severity: Severity) {
        let of_it = |(_, notice): &(&Key, &Notice)| notice.incident == Some(incident);
        let keys: Vec<_> = self.waiting.iter().filter(of_it).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(mut notice) = self.waiting.remove(&key) {
                notice.severity = notice.severity.min(severity);
                self.push(notice);
            }
        }
    }

    /// What to send now, if anything; it counts as on its way until it is settled.
    pub(super) fn next(&mut self, now: Moment, minute: u16) -> Option<Notice> {
        if self.flying.is_some() || self.ready_at(now, minute)? > now {
            return None;
        }
        let key = *self.candidate(self.quiet_left(minute).is_some())?;
        let notice = self.waiting.remove(&key)?;
        if let (Some(incident), Occasion::Updated) = (notice.incident, &notice.occasion) {
            self.updates.remove(&incident);
        }
        self.pace.count(now);
        self.flying = Some(notice.clone());
        Some(notice)
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
    pub(super) fn land(&mut self, id: NoticeId) -> Option<Notice> {
        self.flying.take_if(|notice| notice.id == id)
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.blocked = None;
    }

    /// It waits, and so does everything behind it; an update that was made anew meanwhile replaces it.
    /// Returns what is not needed any more.
    pub(super) fn failed(
        &mut self,
        now: Moment,
        notice: Notice,
        after: Option<Duration>,
    ) -> Option<NoticeId> {
        let wait = BACKOFF.saturating_mul(1 << self.failures.min(10)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        self.blocked = Some(now.plus(after.unwrap_or(wait)));
        let stale = notice.occasion == Occasion::Updated
            && notice.incident.is_some_and(|incident| self.covers(incident));
        if stale {
            return Some(notice.id);
        }
        self.push(notice)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.flying.is_some())
    }
}
