//! Decides everything: `handle(now, event)` gives what to record and what to do, `next_wake()` when
//! to be called again at the latest. The rooms: `sensing` (observations to senses), `symptoms`
//! (senses to incidents), `driving` (incidents to runs), `running` (runs to their end), `guarding` (what a step
//! may do), `orders`
//! (people), `rehearsing` (what an order would do), `resuming` (after a restart).

mod driving;
mod guarding;
mod orders;
mod rehearsing;
mod resuming;
mod running;
mod sensing;
mod symptoms;
#[cfg(test)]
mod tests;
mod verifying;

use std::collections::BTreeSet;

use crate::detect::{SymptomKind, View};
use crate::event::{Act, Effects, Event};
use crate::incident::Incident;
use crate::moment::Moment;
use crate::observe::{Observation, Probe, Sense};
use crate::record::Record;
use crate::respond::RunId;
use crate::stack::{ServiceId, Stack};
use crate::state::{ServiceState, State};

/// What the engine keeps of a service beside its senses. Nothing of it is in the journal.
#[derive(Debug, Clone, Default)]
struct Watch {
    /// Symptoms that are part of an incident now.
    shown: u32,
    /// Those of them of which nobody can say at present whether they last.
    unread: u32,
    /// Symptoms that a person declared over while they last.
    muted: u32,
    /// Possible consequences that wait for their cause: until when.
    held: Vec<(SymptomKind, Moment)>,
    /// Since when the service has been well without a break.
    well_since: Option<Moment>,
    /// When to assess it again at the latest; its key in `rechecks`.
    recheck: Option<i64>,
    /// Whether it is looked at more often.
    hastened: bool,
    /// Until when vigie itself is ending or restarting it.
    acting: Option<Moment>,
    /// Proofs that are known to have passed and to be trusted, so that a good look has nothing to
    /// look up; what is not in here may be so all the same.
    credited: u8,
    /// Whether an incident, a run or the budget's streak depends on how it does.
    involved: bool,
}

/// The engine. It owns the state; the only way in is [`Engine::handle`].
#[derive(Debug, Clone)]
pub struct Engine {
    stack: Stack,
    state: State,
    /// Where in the state each service is remembered, once it is.
    places: Vec<Option<usize>>,
    senses: Vec<Sense>,
    watches: Vec<Watch>,
    rechecks: BTreeSet<(i64, ServiceId)>,
    own_network: bool,
    /// When the watch began.
    began: Moment,
    /// The runs that were under way when it began.
    resumed: BTreeSet<RunId>,
    /// The runs that wait for a look at their service.
    awaiting: BTreeSet<RunId>,
    now: Moment,
    /// Something changed on which incidents or runs may depend. Most events change nothing of the
    /// kind, and cost nothing more.
    dirty: bool,
    /// When the next incident or run has to be looked at.
    due: Option<i64>,
    out: Effects,
}

impl Engine {
    /// An engine for `stack` with the state that its journal makes.
    #[must_use]
    pub fn new(stack: Stack, state: State) -> Self {
        let mut watches = vec![Watch::default(); stack.len()];
        for incident in state.active() {
            for symptom in incident.active() {
                if let Some(id) = stack.find(&symptom.service) {
                    watches[id.index()].shown |= symptom.kind.bit();
                    watches[id.index()].unread |= symptom.kind.bit();
                }
            }
        }
        for incident in state.incidents.values() {
            for symptom in incident.silenced() {
                let again = |one: &Incident| one.id > incident.id && one.has(symptom);
                if let Some(id) = stack.find(&symptom.service)
                    && !state.incidents.values().any(again)
                {
                    watches[id.index()].muted |= symptom.kind.bit();
                }
            }
        }
        let mut engine = Self {
            places: vec![None; stack.len()],
            senses: vec![Sense::default(); stack.len()],
            watches,
            rechecks: BTreeSet::new(),
            own_network: true,
            began: state.last,
            resumed: BTreeSet::new(),
            awaiting: BTreeSet::new(),
            now: state.last,
            dirty: true,
            due: None,
            out: Effects::default(),
            stack,
            state,
        };
        engine.find_places();
        engine
    }

    /// A lookup by name for each service now, so that there is none for each event.
    fn find_places(&mut self) {
        let hosted = [(self.stack.host(), self.stack.service(self.stack.host()))];
        for (id, service) in self.stack.services().chain(hosted) {
            let place = &mut self.places[id.index()];
            *place = place.or_else(|| self.state.services.place(&service.name));
        }
    }

    /// Takes one event. Events may come late or out of order; `now` must be read when the event is
    /// handed over.
    pub fn handle(&mut self, now: Moment, event: Event) -> Effects {
        self.now = Moment { steady: now.steady.max(self.now.steady), wall: now.wall };
        self.dirty |= !matches!(event, Event::Observed(_) | Event::Tick);
        match event {
            Event::Observed(observation) => self.observe(observation),
            Event::Collected { run, evidence } => self.collected(run, evidence),
            Event::StepEnded { run, result } => self.step_ended(run, result),
            Event::Ordered(order) => self.order(order),
            Event::Began { version } => self.resume(version),
            Event::Recorded(record) => self.record(record),
            Event::ClockJumped(by_ms) => self.record(Record::ClockJumped { by_ms }),
            Event::JournalGap(lost) => self.record(Record::JournalGap { lost }),
            Event::Tick => {}
        }
        self.run_timers();
        if !self.out.records.is_empty() {
            self.find_involved();
        }
        std::mem::take(&mut self.out)
    }

    /// When `handle` must be called again at the latest, with [`Event::Tick`] if nothing happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let recheck = self.rechecks.first().map(|(at, _)| *at);
        let steady = [recheck, self.due].into_iter().flatten().min()?;
        Some(Moment { steady, wall: self.now.wall + (steady - self.now.steady) })
    }

    /// What is remembered.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What is watched.
    #[must_use]
    pub const fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What is sensed of a service.
    #[must_use]
    pub fn sense(&self, id: ServiceId) -> &Sense {
        &self.senses[id.index()]
    }

    /// Since when a service has been well, as players would see it.
    #[must_use]
    pub fn well_since(&self, id: ServiceId) -> Option<Moment> {
        self.watches[id.index()].well_since
    }

    /// Whether a service is silent because it is starting.
    #[must_use]
    pub fn starting(&self, id: ServiceId) -> bool {
        let view = self.view(id);
        view.sense.starting(self.now, view.grace)
    }

    /// Whether a person declared maintenance that still lasts.
    #[must_use]
    pub fn in_maintenance(&self) -> bool {
        self.state.maintenance.is_some_and(|until| !self.now.reached(until))
    }

    fn name(&self, id: ServiceId) -> &str {
        &self.stack.service(id).name
    }

    /// What is remembered of a service.
    fn memory(&self, id: ServiceId) -> Option<&ServiceState> {
        self.state.services.at(self.places[id.index()]?)
    }

    fn view(&self, id: ServiceId) -> View<'_> {
        let service = self.stack.service(id);
        let memory = self.memory(id);
        View {
            now: self.now,
            service,
            sense: &self.senses[id.index()],
            memory,
            settings: &self.stack.settings,
            grace: memory.map_or(service.boot_grace, |memory| memory.grace(service.boot_grace)),
            blind: !self.own_network,
            runtime_away: self.state.runtime_lost,
        }
    }

    /// Writes a record: to the state at once, to the journal before any act.
    fn record(&mut self, record: Record) {
        let known = self.state.services.len();
        self.state.apply(self.now, &record);
        if self.state.services.len() > known {
            self.find_places();
        }
        self.out.records.push(record);
        self.dirty = true;
    }

    fn act(&mut self, act: Act) {
        self.out.acts.push(act);
    }

    fn look(&mut self, service: ServiceId, probe: Probe) {
        self.act(Act::Look { service, probe });
    }

    fn observe(&mut self, observation: Observation) {
        let service = observation.service;
        if service.index() >= self.senses.len() {
            return;
        }
        if self.sense_fact(observation) {
            self.assess(service);
        }
    }

    fn set_recheck(&mut self, id: ServiceId, at: Option<Moment>) {
        let at = at.map(|moment| moment.steady.max(self.now.steady + 1));
        let watch = &mut self.watches[id.index()];
        if watch.recheck == at {
            return;
        }
        if let Some(old) = std::mem::replace(&mut watch.recheck, at) {
            self.rechecks.remove(&(old, id));
        }
        if let Some(new) = at {
            self.rechecks.insert((new, id));
        }
    }

    fn run_timers(&mut self) {
        if self.state.maintenance.is_some_and(|until| self.now.reached(until)) {
            self.record(Record::Maintenance { until: None, by: crate::incident::Actor::Vigie });
            self.assess_all();
        }
        while let Some((at, id)) = self.rechecks.first().copied() {
            if at > self.now.steady {
                break;
            }
            self.set_recheck(id, None);
            self.assess(id);
        }
        if self.dirty || self.due.is_some_and(|at| self.now.steady >= at) {
            self.runs_due();
            self.drive_all();
            self.dirty = false;
            self.due = self.next_due();
        }
    }

    fn next_due(&self) -> Option<i64> {
        let run = self.state.live_runs().filter_map(|run| self.run_deadline(run));
        let incident = self.state.incidents.values().filter_map(|one| self.incident_deadline(one));
        let moments = run.chain(incident).chain(self.state.maintenance);
        moments.map(|moment| moment.steady).min()
    }

    fn find_involved(&mut self) {
        for index in 0..self.watches.len() {
            let name =
                &self.stack.service(ServiceId(u16::try_from(index).unwrap_or(u16::MAX))).name;
            let streak = self.state.service(name).is_some_and(|memory| memory.streak > 0);
            self.watches[index].involved = streak || self.watches[index].shown != 0;
        }
        for run in self.state.live_runs() {
            if let Some(id) = self.stack.find(&run.service) {
                self.watches[id.index()].involved = true;
            }
        }
    }

    fn assess_all(&mut self) {
        for index in 0..self.senses.len() {
            self.assess(ServiceId(u16::try_from(index).unwrap_or(u16::MAX)));
        }
    }
}
