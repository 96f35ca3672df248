//! Decides what happens next to an incident: which runbook answers it, when it goes to a person,
//! when it is restored, overdue, over.

use std::time::Duration;

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::incident::{Actor, Incident, IncidentId, Lifecycle, Severity, Symptom};
use crate::moment::Moment;
use crate::record::Record;
use crate::respond::{Phase, Run, RunId, Runbook};
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
        if self.live_run(incident).is_some() {
            return;
        }
        if incident.active().next().is_none() {
            self.restore_if_well(id);
            return;
        }
        if incident.state == Lifecycle::Escalated || self.in_maintenance() {
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
    fn live_run(&self, incident: &Incident) -> Option<&Run> {
        let runs = incident.runs.iter().rev().filter_map(|run| self.state.runs.get(run));
        runs.into_iter().find(|run| !run.is_over())
    }

    fn need(&self, incident: &Incident) -> Need {
        let mut waits = false;
        let mut unanswered = None;
        let mut symptoms: Vec<_> = incident.active().collect();
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
            let is_consequence = symptom.service != incident.service;
            let settling = self.last_end(incident).is_some_and(|at| self.now.since(at) < SETTLE)
                || self.now.since(symptom.started.latest) < SETTLE;
            match self.runbook_for(symptom.kind, service) {
                Some(_) if self.state.holder().is_some() => waits = true,
                Some(runbook) => {
                    return Need::Run { service, runbook: runbook.name.clone() };
                }
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

    /// The service that a runbook would treat: for the host's memory, the hungriest one.
    fn patient(&self, symptom: &Symptom) -> Option<ServiceId> {
        if symptom.kind != SymptomKind::HostMemory {
            return self.stack.find(&symptom.service);
        }
        let used = |id: &ServiceId| self.senses[id.index()].memory.map_or(0, |(used, _)| used);
        self.stack.services().map(|(id, _)| id).max_by_key(used)
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
        if claimed(incident) || incident.overdue {
            return;
        }
        let from = incident.escalated.unwrap_or(incident.detected);
        let target = self.stack.settings.targets.escalate_after(incident.severity);
        if target.is_some_and(|target| self.now.since(from) >= target) {
            self.record(Record::Overdue { incident: id });
        }
    }

    /// Nothing is wrong any more: restored, once everything it touched has stayed well.
    fn restore_if_well(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        let verified = incident.runs.last().and_then(|run| self.state.runs.get(run));
        let verified = verified.is_some_and(|run| {
            run.phase == Phase::Ended(crate::respond::Ending::Verified)
                && run.ended.is_some_and(|ended| ended >= incident.turned)
        });
        if incident.symptoms.is_empty() && !verified {
            // Reported by a person: only a person knows when it is over.
            return;
        }
        let wanted = if verified { Duration::ZERO } else { self.stack.settings.clear_for };
        let Some(at) = self.well_together(incident) else { return };
        let last_end = incident.symptoms.iter().filter_map(|shown| shown.until).max();
        let calm = if verified { at } else { at.max(last_end.unwrap_or(at)) };
        if self.now.since(calm) < wanted {
            return;
        }
        let view = self.players_view(incident);
        self.record(Record::Restored { incident: id, at: calm, view });
        for service in self.state.degraded.clone() {
            if self.stack.find(&service).is_some_and(|id| self.is_well(id)) {
                self.record(Record::Degraded { service, on: false });
            }
        }
    }

    /// Since when every service of an incident has been well (or stopped by a person).
    fn well_together(&self, incident: &Incident) -> Option<Moment> {
        let mut since = incident.detected;
        let shown = incident.symptoms.iter().map(|symptom| symptom.service.as_str());
        for name in shown.chain([incident.service.as_str()]) {
            let Some(id) = self.stack.find(name) else { continue };
            if id == self.stack.host() || self.stood_down(id) {
                continue;
            }
            since = since.max(self.watches[id.index()].well_since?);
        }
        Some(since)
    }

    /// What players see now, in one line.
    pub(super) fn players_view(&self, incident: &Incident) -> String {
        let Some(id) = self.stack.find(&incident.service) else { return String::new() };
        let sense = &self.senses[id.index()];
        if self.stood_down(id) {
            return format!("{} was stopped by a person", incident.service);
        }
        match (&sense.players, sense.a2s.latency()) {
            (Some((players, max, map)), Some(latency)) => format!(
                "{} answers: {players}/{max} players on {map}, {} ms",
                incident.service,
                latency.as_millis()
            ),
            _ => format!("{} works", incident.service),
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
        let unclaimed = self.state.incidents.get(&incident);
        let unclaimed = unclaimed.is_some_and(|incident| incident.acknowledged.is_none());
        self.record(Record::RunStarted {
            run,
            incident,
            service: name,
            runbook: runbook.clone(),
            by,
        });
        if unclaimed {
            self.record(Record::Acknowledged { incident, by: Actor::Runbook(runbook) });
        }
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
                let target = (!claimed(incident) && !incident.overdue)
                    .then(|| settings.targets.escalate_after(incident.severity))
                    .flatten()
                    .map(|after| incident.escalated.unwrap_or(incident.detected).plus(after));
                let quiet = incident.active().next().is_none();
                let last = incident.symptoms.iter().filter_map(|shown| shown.until).max();
                let clear = last.filter(|_| quiet).and_then(|last| {
                    let well = self.well_together(incident)?;
                    Some(well.max(last).plus(settings.clear_for))
                });
                let settled = (!quiet).then(|| {
                    let shown = incident.active().map(|shown| shown.started.latest).max();
                    shown.into_iter().chain(self.last_end(incident)).max()
                });
                let settled = settled.flatten().map(|at| at.plus(SETTLE));
                let later = |at: &Moment| !self.now.reached(*at);
                [target, clear, settled].into_iter().flatten().filter(later).min()
            }
        }
    }
}

/// Whether somebody has it in hand: a person, or a runbook that has not given up.
const fn claimed(incident: &Incident) -> bool {
    incident.claimed || (incident.acknowledged.is_some() && incident.escalated.is_none())
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
