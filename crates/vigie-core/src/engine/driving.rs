//! Decides what happens next to an incident: which runbook answers it, when it goes to a person,
//! when it is restored, overdue, over.

use std::time::Duration;

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::incident::{Actor, Incident, IncidentId, Lifecycle, Severity, Symptom};
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::{Ending, Phase, Run, RunId, Runbook};
use crate::stack::ServiceId;

/// How long the consequences of a repaired cause may take to go away by themselves.
const SETTLE: Duration = Duration::from_secs(90);

/// What an incident calls for.
enum Need {
    Nothing,
    Run { service: ServiceId, runbook: String },
    Person(String),
}

impl Engine {
    pub(super) fn drive_all(&mut self) {
        let ids: Vec<_> = self.state.incidents.keys().copied().collect();
        for id in ids {
            self.drive(id);
        }
        self.clear_degraded();
    }

    /// The stack is whole again when what was missing works and nothing is left to repair on it.
    fn clear_degraded(&mut self) {
        let over = self.state.degraded.iter().filter(|name| {
            let in_trouble = self.state.active().any(|incident| {
                incident.service == **name || incident.active().any(|one| one.service == **name)
            });
            self.stack.find(name).is_none_or(|id| !in_trouble && self.is_well(id))
        });
        for service in over.cloned().collect::<Vec<_>>() {
            self.record(Record::Degraded { service, on: false });
        }
    }

    /// Takes one incident as far as it can go now.
    pub(super) fn drive(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        match incident.state {
            Lifecycle::Open | Lifecycle::Repairing | Lifecycle::Escalated => {
                self.drive_active(id);
            }
            Lifecycle::Restored => {
                if self.now.since(incident.turned) >= self.stack.settings.reopen_within {
                    self.record(Record::Resolved { incident: id, by: Actor::Vigie });
                }
            }
            Lifecycle::Resolved | Lifecycle::Closed => {}
        }
    }

    fn drive_active(&mut self, id: IncidentId) {
        self.check_target(id);
        let Some(incident) = self.state.incidents.get(&id) else { return };
        if let Some(run) = self.live_run(incident) {
            let asks = matches!(run.phase, Phase::Approval { .. });
            let run = run.id;
            if asks && incident.active().next().is_none() {
                self.end_run(run, Ending::Cancelled, "it is over; nothing has to be approved");
            }
            return;
        }
        if incident.active().next().is_none() {
            self.restore_if_well(id);
            return;
        }
        if self.in_maintenance() {
            return;
        }
        match self.need(incident) {
            Need::Nothing => {}
            Need::Run { service, runbook } => {
                self.start_run(id, service, &runbook, Actor::Vigie);
            }
            Need::Person(why) => self.escalate(id, why),
        }
    }

    /// The run of `incident` that is not over.
    pub(super) fn live_run(&self, incident: &Incident) -> Option<&Run> {
        let runs = incident.runs.iter().rev().filter_map(|run| self.state.runs.get(run));
        runs.into_iter().find(|run| !run.is_over())
    }

    fn need(&self, incident: &Incident) -> Need {
        let mut waits = false;
        let mut unanswered = None;
        // Once a person has it, only what they were not told of yet is vigie's.
        let handed = incident.escalated.filter(|_| incident.state == Lifecycle::Escalated);
        let is_new = |shown: &&Symptom| {
            let first = incident.first_shown(&shown.service, shown.kind);
            handed.is_none_or(|handed| first.is_some_and(|first| first > handed))
        };
        let mut symptoms: Vec<_> = incident.active().filter(is_new).collect();
        // The root first; on one service the heavier symptom first.
        symptoms.sort_by_key(|one| (one.service != incident.service, weight(one.kind)));
        for symptom in symptoms {
            let Some(service) = self.patient(symptom) else { continue };
            if self.stood_down(service) {
                continue;
            }
            if symptom.kind == SymptomKind::CrashLoop && self.is_well(service) {
                // It lives: whether it stays alive is what the symptom waits for.
                waits = true;
                continue;
            }
            let echoes = matches!(symptom.kind, SymptomKind::DatabaseLink | SymptomKind::Unhealthy)
                && !self.stack.service(service).depends_on.is_empty();
            let is_consequence = symptom.service != incident.service || echoes;
            let settling = self.last_end(incident).is_some_and(|at| self.now.since(at) < SETTLE)
                || self.now.since(symptom.started.latest) < SETTLE;
            match self.runbook_for(symptom.kind, service) {
                Some(_) if self.state.holder().is_some() => waits = true,
                // It may be over: nobody can look.
                Some(_) if self.in_the_dark(symptom) => waits = true,
                Some(_) if is_consequence && settling && symptom.kind.holds_off() => waits = true,
                Some(runbook) => match self.verified_at(incident, service, &runbook.name) {
                    Some(at) if at >= symptom.began && self.now.since(at) < SETTLE => waits = true,
                    Some(at) if at >= symptom.began => {
                        unanswered.get_or_insert_with(|| {
                            let kind = symptom.kind.word();
                            format!("{} was carried out, and `{kind}` lasts", runbook.name)
                        });
                    }
                    _ => return Need::Run { service, runbook: runbook.name.clone() },
                },
                None if is_consequence && settling => waits = true,
                None => {
                    unanswered.get_or_insert_with(|| {
                        format!(
                            "no runbook answers `{}` on {}",
                            symptom.kind.word(),
                            symptom.service
                        )
                    });
                }
            }
        }
        match unanswered {
            Some(why) if !waits && incident.severity <= Severity::P2 => Need::Person(why),
            _ => Need::Nothing,
        }
    }

    /// Whether nobody can say at present if a symptom lasts.
    fn in_the_dark(&self, symptom: &Symptom) -> bool {
        let shows = self.stack.find(&symptom.service);
        let unread = shows.map_or(0, |id| self.watches[id.index()].unread);
        self.state.runtime_lost || unread & symptom.kind.bit() != 0
    }

    /// The service that a runbook would treat: for the host's memory, the hungriest one.
    pub(super) fn patient(&self, symptom: &Symptom) -> Option<ServiceId> {
        if symptom.kind != SymptomKind::HostMemory {
            return self.stack.find(&symptom.service);
        }
        let used = |id: &ServiceId| self.senses[id.index()].memory.map_or(0, |(used, _)| used);
        self.stack.services().map(|(id, _)| id).max_by_key(used)
    }

    /// When a run of `runbook` on `service` was last verified in an incident.
    fn verified_at(
        &self,
        incident: &Incident,
        service: ServiceId,
        runbook: &str,
    ) -> Option<Moment> {
        let name = self.name(service);
        let runs = incident.runs.iter().filter_map(|run| self.state.runs.get(run));
        let verified = runs.filter(|run| {
            run.phase == Phase::Ended(Ending::Verified)
                && run.service == name
                && run.runbook == runbook
        });
        verified.filter_map(|run| run.ended).max()
    }

    /// When the last run of an incident ended.
    fn last_end(&self, incident: &Incident) -> Option<Moment> {
        incident.runs.iter().filter_map(|run| self.state.runs.get(run)?.ended).max()
    }

    fn runbook_for(&self, kind: SymptomKind, service: ServiceId) -> Option<&Runbook> {
        let role = self.stack.service(service).role;
        self.stack.runbooks.iter().find(|runbook| runbook.answers(kind, role))
    }

    /// Hands an incident to a person, once.
    pub(super) fn escalate(&mut self, incident: IncidentId, why: String) {
        let known = self.state.incidents.get(&incident);
        if known.is_some_and(|one| one.state.is_active() && one.state != Lifecycle::Escalated) {
            self.record(Record::Escalated { incident, why });
        }
    }

    fn check_target(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        let reached = |at: Option<Moment>| at.is_some_and(|at| self.now.reached(at));
        let missed = reached(self.target_at(incident));
        let called =
            reached(self.call_at(incident)) || (missed && incident.severity <= Severity::P2);
        if missed {
            self.record(Record::Overdue { incident: id });
        }
        if called {
            self.escalate(id, String::from("nobody has taken it in hand in time"));
        }
        let next = self.state.incidents.get(&id).and_then(|incident| {
            if called && incident.level == 0 {
                return Some(1);
            }
            self.level_at(incident).filter(|(at, _)| self.now.reached(*at)).map(|(_, level)| level)
        });
        let levels = &self.stack.settings.escalation;
        if let Some((level, to)) =
            next.and_then(|level| Some((level, levels.get(level as usize - 1)?.notify.clone())))
        {
            self.record(Record::EscalatedTo { incident: id, level, to });
        }
    }

    /// When which level of the escalation is told next: the first when an incident is called or has
    /// missed its target, then one after the other, then the last again and again, until somebody has
    /// it in hand.
    fn level_at(&self, incident: &Incident) -> Option<(Moment, u32)> {
        let levels = &self.stack.settings.escalation;
        let (last, told) = (levels.last()?, incident.told?);
        if incident.level == 0 || !incident.state.is_active() || self.in_hand(incident) {
            return None;
        }
        Some(match levels.get(incident.level as usize) {
            Some(next) => (told.plus(next.after), incident.level + 1),
            None => (told.plus(last.repeat), incident.level),
        })
    }

    /// When an incident that nobody has in hand misses its target.
    fn target_at(&self, incident: &Incident) -> Option<Moment> {
        let within = self.stack.settings.targets.within(incident.severity)?;
        let waits = !incident.overdue && !self.in_hand(incident);
        waits.then(|| incident.waits_since().plus(within))
    }

    /// When a person is called to a P2 that nobody has in hand, before it misses its target.
    fn call_at(&self, incident: &Incident) -> Option<Moment> {
        let waits = incident.severity == Severity::P2
            && incident.escalated.is_none()
            && !self.in_hand(incident);
        waits.then(|| incident.waits_since().plus(self.stack.settings.targets.p2_escalate))
    }

    /// Whether a person has it, or a runbook that neither asks nor has given up.
    fn in_hand(&self, incident: &Incident) -> bool {
        let asks = |run: &Run| matches!(run.phase, Phase::Approval { .. });
        let works = self.live_run(incident).is_some_and(|run| !asks(run));
        let runbook = incident.acknowledged.is_some() && incident.escalated.is_none();
        incident.claimed || works || (runbook && !self.live_run(incident).is_some_and(asks))
    }

    /// Nothing is wrong any more: restored, once everything it touched has stayed well.
    fn restore_if_well(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        let verified = incident.runs.last().and_then(|run| self.state.runs.get(run));
        let verified = verified.is_some_and(|run| {
            run.phase == Phase::Ended(Ending::Verified)
                && run.ended.is_some_and(|ended| ended >= incident.turned)
        });
        if incident.symptoms.is_empty() && !verified {
            // Reported by a person: only a person knows when it is over.
            return;
        }
        let wanted = if verified { Duration::ZERO } else { self.calm_needed(incident) };
        let Some(at) = self.well_together(incident) else {
            if self.last_end(incident).is_some_and(|at| self.now.since(at) >= SETTLE) {
                let why =
                    format!("no symptom is left, but {} does not prove itself", incident.service);
                self.escalate(id, why);
            }
            return;
        };
        let last_end = incident.symptoms.iter().filter_map(|shown| shown.until).max();
        let calm = at.max(last_end.unwrap_or(at));
        if self.now.since(calm) < wanted {
            return;
        }
        let root = self.stack.find(&incident.service);
        let view = root.map_or(String::new(), |root| self.players_view(root));
        self.record(Record::Restored { incident: id, at: calm, view });
        for service in self.state.degraded.clone() {
            if self.stack.find(&service).is_some_and(|id| self.is_well(id)) {
                self.record(Record::Degraded { service, on: false });
            }
        }
    }

    /// How long an incident that ended by itself has to stay calm: longer after every relapse, so
    /// that what comes and goes is told once and not every minute.
    fn calm_needed(&self, incident: &Incident) -> Duration {
        self.stack.settings.clear_for * (1 << incident.relapses.min(5))
    }

    /// Since when every service of an incident has been well (or stopped by a person).
    fn well_together(&self, incident: &Incident) -> Option<Moment> {
        let mut since = incident.detected;
        let shown = incident.symptoms.iter().map(|symptom| symptom.service.as_str());
        for name in shown.chain([incident.service.as_str()]) {
            let Some(id) = self.stack.find(name) else { continue };
            if id == self.stack.host() {
                continue;
            }
            if self.stood_down(id) {
                since = since.max(self.senses[id.index()].since);
                continue;
            }
            since = since.max(self.watches[id.index()].well_since?);
        }
        Some(since)
    }

    /// What players see of a service now, in one line.
    pub(super) fn players_view(&self, id: ServiceId) -> String {
        let name = self.name(id);
        let sense = &self.senses[id.index()];
        if id == self.stack.host() {
            return String::from("the host is well");
        }
        if self.stood_down(id) {
            return format!("{name} was stopped by a person");
        }
        if !self.is_well(id) {
            return format!("{name} does not prove itself");
        }
        match (&sense.players, sense.a2s.latency()) {
            (Some((players, max, map)), Some(latency)) => format!(
                "{name} answers: {players}/{max} players on {map}, {} ms",
                latency.as_millis()
            ),
            _ => format!("{name} works"),
        }
    }

    pub(super) fn start_run(
        &mut self,
        incident: IncidentId,
        service: ServiceId,
        runbook: &str,
        by: Actor,
    ) -> RunId {
        let run = RunId(self.state.last_run + 1);
        let name = self.name(service).to_owned();
        let runbook = runbook.to_owned();
        self.record(Record::RunStarted { run, incident, service: name, runbook, by });
        self.act(crate::event::Act::Collect { run, service });
        run
    }

    /// When an incident must be looked at again.
    pub(super) fn incident_deadline(&self, incident: &Incident) -> Option<Moment> {
        let settings = &self.stack.settings;
        match incident.state {
            Lifecycle::Restored => Some(incident.turned.plus(settings.reopen_within)),
            Lifecycle::Resolved | Lifecycle::Closed => None,
            Lifecycle::Open | Lifecycle::Repairing | Lifecycle::Escalated => {
                let target = self.target_at(incident);
                let level = self.level_at(incident).map(|(at, _)| at);
                let call = self.call_at(incident);
                let quiet = incident.active().next().is_none();
                let last = incident.symptoms.iter().filter_map(|shown| shown.until).max();
                let clear = last.filter(|_| quiet).and_then(|last| {
                    let well = self.well_together(incident)?;
                    Some(well.max(last).plus(self.calm_needed(incident)))
                });
                let shown = incident.active().map(|shown| shown.started.latest).max();
                let settled = shown.into_iter().chain(self.last_end(incident)).max();
                let settled = settled.map(|at| at.plus(SETTLE));
                let later = |at: &Moment| !self.now.reached(*at);
                [target, level, call, clear, settled].into_iter().flatten().filter(later).min()
            }
        }
    }
}

/// Heavier symptoms are answered first; a crash loop explains the exit that shows with it.
const fn weight(kind: SymptomKind) -> u8 {
    match kind {
        SymptomKind::CrashLoop => 0,
        SymptomKind::OutOfMemory => 1,
        SymptomKind::Down => 2,
        SymptomKind::Frozen => 3,
        SymptomKind::DatabaseDown => 4,
        SymptomKind::HostMemory => 5,
        _ => 9,
    }
}
