//! Decides how readings become symptoms and symptoms become incidents: one incident a cause. A
//! possible consequence waits a moment for its cause and joins it; a relapse joins the incident it
//! had; maintenance opens none.

use std::time::Duration;

use crate::detect::{self, Reading, SymptomKind};
use crate::engine::Engine;
use crate::incident::{Group, Incident, IncidentId, Lifecycle, Severity};
use crate::moment::{Bounds, Moment};
use crate::observe::{Probe, RuntimeState};
use crate::record::Record;
use crate::respond::Ending;
use crate::stack::{Role, ServiceId};

/// A cause that shows this long after its consequence can still claim it.
const LATE_CAUSE: Duration = Duration::from_secs(60);

/// The readings of one service that are not clear.
struct Readings {
    active: u32,
    bounds: [Option<Bounds>; SymptomKind::ALL.len()],
    later: Option<Moment>,
}

impl Engine {
    /// Looks at one service with every detector and draws the conclusions.
    pub(super) fn assess(&mut self, id: ServiceId) {
        let pending = self.senses[id.index()].pending_exit;
        if pending.is_some_and(|exit| self.now.reached(exit.judged_at)) {
            self.settle_exit(id);
        }
        self.update_wellness(id);
        let readings = self.read(id);
        let shown = self.watches[id.index()].shown;
        let muted = self.watches[id.index()].muted;
        let quiet = (shown | muted) & !readings.active;
        let over = self.known_over(id, quiet);
        self.watches[id.index()].muted = muted & !over;
        let ended = shown & over;
        let acting = self.watches[id.index()].acting.filter(|until| !self.now.reached(*until));
        let own_doing = if acting.is_some() { SymptomKind::Down.bit() } else { 0 };
        let unread = shown & !readings.active & !over;
        self.dirty |= std::mem::replace(&mut self.watches[id.index()].unread, unread) != unread;
        // Silence says no more than a death or a freeze whose end is not known.
        let silent = unread & (SymptomKind::Frozen.bit() | SymptomKind::Down.bit()) != 0;
        let told = if silent { SymptomKind::Unreachable.bit() } else { 0 };
        let begun = readings.active & !shown & !muted & !own_doing & !told;
        // When what vigie does itself explains nothing any more, the rest is looked at again.
        let mut later = readings.later.into_iter().chain(acting).min();
        if ended != 0 {
            self.end_symptoms(id, ended);
        }
        self.watches[id.index()].held.retain(|(kind, _)| readings.active & kind.bit() != 0);
        if begun != 0 && !self.in_maintenance() {
            for kind in SymptomKind::ALL {
                if begun & kind.bit() == 0 {
                    continue;
                }
                let bounds = readings.bounds[kind as usize].unwrap_or(Bounds::exactly(self.now));
                if let Some(until) = self.begin_or_hold(id, kind, bounds) {
                    later = Some(later.map_or(until, |at| at.min(until)));
                }
            }
        }
        if self.watches[id.index()].involved || !self.out.records.is_empty() {
            self.raise(id);
            self.progress(id);
        }
        self.set_recheck(id, later);
    }

    fn read(&self, id: ServiceId) -> Readings {
        let view = self.view(id);
        let mut readings =
            Readings { active: 0, bounds: [None; SymptomKind::ALL.len()], later: None };
        detect::read_all(&view, |kind, reading| match reading {
            Reading::Clear => {}
            Reading::Later(at) => {
                readings.later = Some(readings.later.map_or(at, |before| before.min(at)));
            }
            Reading::Active(bounds) => {
                readings.active |= kind.bit();
                readings.bounds[kind as usize] = Some(bounds);
            }
        });
        readings
    }

    /// Keeps since when the service has been well, and learns its boot time from the first time.
    fn update_wellness(&mut self, id: ServiceId) {
        let well = self.is_well(id);
        let grace = self.view(id).grace;
        let watch = &mut self.watches[id.index()];
        if !well {
            self.dirty |= watch.well_since.take().is_some();
            return;
        }
        if watch.well_since.is_some() {
            return;
        }
        let sense = &mut self.senses[id.index()];
        let asked = self.stack.service(id).proofs;
        // A question may wait in a booting server's socket: it was well when it answered.
        let since = [
            sense.a2s.answered().filter(|_| asked.a2s),
            sense.database.answered().filter(|_| asked.database),
            sense.tcp.answered().filter(|_| asked.tcp && !asked.database),
            sense.started,
        ];
        let since = since.into_iter().flatten().max().unwrap_or(self.now).min(self.now);
        watch.well_since = Some(since);
        self.dirty = true;
        if std::mem::replace(&mut sense.ready, true) {
            return;
        }
        let Some(started) = sense.started.filter(|_| sense.boot_seen) else { return };
        if sense.loading.is_some() && since.since(started) > grace {
            // A download of the whole Workshop is nothing to expect of every start.
            return;
        }
        let took = u64::try_from(since.since(started).as_millis()).unwrap_or(u64::MAX);
        let service = self.name(id).to_owned();
        self.record(Record::BootLearned { service, took_ms: took });
    }

    /// Those of `kinds` that are known to be over: what cannot be read now is not.
    fn known_over(&self, id: ServiceId, kinds: u32) -> u32 {
        if kinds == 0 {
            return 0;
        }
        let view = self.view(id);
        let over = SymptomKind::ALL.iter().filter(|kind| {
            kinds & kind.bit() != 0
                && (detect::known_over(**kind, &view) || self.of_another(id, **kind))
        });
        over.fold(0, |set, kind| set | kind.bit())
    }

    /// Whether a silence was that of a process that is not the present one.
    fn of_another(&self, id: ServiceId, kind: SymptomKind) -> bool {
        let silence = matches!(
            kind,
            SymptomKind::Frozen | SymptomKind::Unreachable | SymptomKind::DatabaseDown
        );
        let name = self.name(id);
        let shown = self.incident_showing(name, kind).filter(|_| silence);
        let shown = shown.and_then(|incident| self.state.incidents.get(&incident));
        let began = shown.and_then(|incident| {
            let mut same = incident.active().filter(|one| one.service == name && one.kind == kind);
            same.next_back().map(|one| one.began)
        });
        let begun = self.senses[id.index()].begun;
        began.zip(begun).is_some_and(|(began, begun)| begun.steady > began.steady)
    }

    fn end_symptoms(&mut self, id: ServiceId, ended: u32) {
        let service = self.name(id).to_owned();
        for kind in SymptomKind::ALL {
            if ended & kind.bit() == 0 {
                continue;
            }
            self.watches[id.index()].shown &= !kind.bit();
            if let Some(incident) = self.incident_showing(&service, kind) {
                self.record(Record::SymptomEnded { incident, service: service.clone(), kind });
            }
        }
    }

    fn incident_showing(&self, service: &str, kind: SymptomKind) -> Option<IncidentId> {
        let mut incidents = self.state.incidents.values().rev();
        incidents.find(|incident| incident.shows(service, kind)).map(|incident| incident.id)
    }

    /// Begins a symptom, or tells until when it waits for its cause to show.
    fn begin_or_hold(
        &mut self,
        id: ServiceId,
        kind: SymptomKind,
        bounds: Bounds,
    ) -> Option<Moment> {
        let home = self.home(id, kind);
        let waits = kind.holds_off() && !self.stack.service(id).depends_on.is_empty();
        if home.is_none() && waits {
            let held = self.watches[id.index()].held.iter().find(|(held, _)| *held == kind);
            let until = held.map(|(_, until)| *until);
            let until = until.unwrap_or_else(|| {
                let until = self.now.plus(self.stack.settings.hold_off);
                self.watches[id.index()].held.push((kind, until));
                self.look_at_causes(id);
                until
            });
            if !self.now.reached(until) {
                return Some(until);
            }
        }
        self.begin_symptom(id, kind, bounds, home);
        None
    }

    /// Asks what the service needs right now, so that a cause shows before its time.
    fn look_at_causes(&mut self, id: ServiceId) {
        for cause in self.stack.service(id).depends_on.clone() {
            self.look(cause, Probe::Runtime);
            if self.stack.service(cause).proofs.database {
                self.look(cause, Probe::Database);
            }
        }
    }

    fn begin_symptom(
        &mut self,
        id: ServiceId,
        kind: SymptomKind,
        bounds: Bounds,
        home: Option<IncidentId>,
    ) {
        let service = self.name(id).to_owned();
        let view = self.view(id);
        let detail = detect::describe(kind, &view);
        let severity = detect::severity(kind, &view);
        let incident = match home {
            Some(incident) => incident,
            None => self.open(id, kind.group(), severity, detail.clone()),
        };
        self.watches[id.index()].shown |= kind.bit();
        self.watches[id.index()].held.retain(|(held, _)| *held != kind);
        let relapse = self
            .state
            .incidents
            .get(&incident)
            .is_some_and(|incident| incident.state == Lifecycle::Restored);
        if relapse {
            self.record(Record::Relapsed { incident });
        }
        self.reroot(incident, id, kind, &detail);
        if kind.group() == Group::Availability {
            self.gather(incident, id);
        }
        let title = detail.clone();
        self.record(Record::SymptomBegan { incident, service, kind, started: bounds, detail });
        self.raise_to(incident, severity, id, title);
    }

    /// Opens an incident.
    pub(super) fn open(
        &mut self,
        id: ServiceId,
        group: Group,
        severity: Severity,
        title: String,
    ) -> IncidentId {
        let incident = IncidentId(self.state.last_incident + 1);
        let service = self.name(id).to_owned();
        let players = self.players();
        self.record(Record::IncidentOpened { incident, service, group, severity, title, players });
        incident
    }

    /// Players on all games as last counted, also when a game does not answer any more: that is how
    /// many a fault is felt by.
    fn players(&self) -> Option<u32> {
        let games = self.stack.services().filter(|(_, service)| service.role == Role::Game);
        let counts = games.filter_map(|(id, _)| self.senses[id.index()].players.as_ref());
        counts.map(|(players, ..)| u32::from(*players)).reduce(|sum, more| sum + more)
    }

    fn raise_to(&mut self, id: IncidentId, severity: Severity, by: ServiceId, title: String) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        if severity < incident.severity {
            let title = (incident.service == self.name(by)).then_some(title);
            self.record(Record::SeverityRaised { incident: id, severity, title });
        }
    }

    /// Raises incidents whose lasting symptoms got worse.
    fn raise(&mut self, id: ServiceId) {
        let shown = self.watches[id.index()].shown;
        for kind in [SymptomKind::MemoryPressure, SymptomKind::LuaErrors, SymptomKind::Disk] {
            if shown & kind.bit() != 0 {
                let view = self.view(id);
                let (severity, title) =
                    (detect::severity(kind, &view), detect::describe(kind, &view));
                if let Some(incident) = self.incident_showing(self.name(id), kind) {
                    self.raise_to(incident, severity, id, title);
                }
            }
        }
    }

    /// The incident that a new symptom belongs to, if there is one.
    fn home(&self, id: ServiceId, kind: SymptomKind) -> Option<IncidentId> {
        let name = self.name(id);
        let group = kind.group();
        // An active incident comes before the relapse of one that is over.
        let all = self.state.incidents.values().rev();
        let active = all.clone().filter(|one| one.state.is_active());
        let known = active.chain(all.filter(|one| !one.state.is_active()));
        let known = known.filter(|one| self.may_take(one, name, kind));
        let own = known.clone().find(|one| one.service == name && absorbs(one.group, group));
        let shares = |one: &&Incident| one.symptoms.iter().any(|shown| shown.service == name);
        let own = own.or_else(|| known.clone().find(|one| shares(one) && one.group == group));
        // A cause that fails now explains it better than what is over, or shows nothing at present.
        let shows = |one: &&Incident| one.state.is_active() && one.active().next().is_some();
        if let Some(own) = own.filter(shows) {
            return Some(own.id);
        }
        if kind.may_be_consequence() {
            let cause = known.clone().find(|one| {
                let root = self.stack.find(&one.service);
                one.group == Group::Availability
                    && one.state.is_active()
                    && root.is_some_and(|root| self.stack.depends(id, root))
            });
            if cause.is_some() {
                return cause.map(|incident| incident.id);
            }
        }
        if own.is_some() {
            return own.map(|incident| incident.id);
        }
        // The one of its own kind, or the oldest, is the one that people know.
        let late = known.filter(|one| group == Group::Availability && self.follows(one, id));
        let late = late.min_by_key(|one| (one.group != Group::Availability, one.id));
        late.map(|incident| incident.id)
    }

    /// Whether an incident shows nothing but what trouble at `cause` may have brought about, and began
    /// so lately that it has.
    fn follows(&self, incident: &Incident, cause: ServiceId) -> bool {
        let root = self.stack.find(&incident.service);
        let mut lasting = incident.active();
        incident.state.is_active()
            && self.now.since(incident.detected) < LATE_CAUSE
            && incident.active().next().is_some()
            && lasting.all(|shown| shown.kind.may_be_consequence())
            && root.is_some_and(|root| self.stack.depends(root, cause))
    }

    /// The cause has shown: whatever else it has brought about is part of its incident.
    fn gather(&mut self, cause: IncidentId, id: ServiceId) {
        let others = self.state.active().filter(|one| one.id != cause && self.follows(one, id));
        let free = |one: &&Incident| !self.live_run(one).is_some_and(|run| run.holds_stack());
        let parts: Vec<_> = others.filter(free).map(|one| one.id).collect();
        for incident in parts {
            self.record(Record::Merged { incident, into: cause });
            let live = self.state.incidents.get(&incident).and_then(|one| self.live_run(one));
            if let Some(run) = live.map(|run| run.id) {
                self.end_run(run, Ending::Cancelled, &format!("it is part of incident {cause}"));
            }
        }
    }

    /// Whether an incident can still take a symptom: it is active, or was restored lately and had
    /// the same trouble at the same root. A freeze that follows a crash is another incident.
    fn may_take(&self, incident: &Incident, service: &str, kind: SymptomKind) -> bool {
        match incident.state {
            Lifecycle::Open | Lifecycle::Repairing | Lifecycle::Escalated => true,
            Lifecycle::Restored => {
                self.now.since(incident.turned) < self.stack.settings.reopen_within
                    && incident.service == service
                    && incident.symptoms.iter().any(|shown| related(shown.kind, kind))
            }
            Lifecycle::Resolved | Lifecycle::Closed => false,
        }
    }

    /// Moves an incident to the service that turned out to be its cause, or to the kind of cause
    /// that turned out to be behind it.
    fn reroot(&mut self, incident: IncidentId, id: ServiceId, kind: SymptomKind, title: &str) {
        let Some(known) = self.state.incidents.get(&incident) else { return };
        if known.symptoms.is_empty() {
            return;
        }
        let group = kind.group();
        let name = self.name(id);
        let worse = known.service == name
            && known.group == Group::Performance
            && group == Group::Availability;
        let root = self.stack.find(&known.service);
        let cause = known.service != name
            && group == Group::Availability
            && root.is_some_and(|root| self.stack.depends(root, id));
        if worse || cause {
            let (service, title) = (name.to_owned(), title.to_owned());
            self.record(Record::Rerooted { incident, service, group, title });
        }
    }

    /// Whether a person has stopped the service.
    pub(super) fn stood_down(&self, id: ServiceId) -> bool {
        self.memory(id).is_some_and(|memory| memory.stood_down)
            || self.senses[id.index()].runtime == RuntimeState::Paused
    }
}

/// Whether one symptom can be the other's return.
fn related(before: SymptomKind, now: SymptomKind) -> bool {
    let death = |kind| {
        matches!(kind, SymptomKind::Down | SymptomKind::CrashLoop | SymptomKind::OutOfMemory)
    };
    before == now || (death(before) && death(now))
}

/// Whether an incident of one group takes symptoms of another on the same service.
fn absorbs(incident: Group, symptom: Group) -> bool {
    incident == symptom
        || matches!(
            (incident, symptom),
            (Group::Availability, Group::Performance) | (Group::Performance, Group::Availability)
        )
}
