//! Decides whether a repair worked: the service has to become well, from the player's side, within
//! its time, and stay so. A step that "succeeded" proves nothing.

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::engine::running::{NO_CASE, NO_SERVICE, STOPPED};
use crate::event::Act;
use crate::moment::Moment;
use crate::observe::{Probe, RuntimeState};
use crate::record::Record;
use crate::respond::{Ending, Phase, Run, RunId, StepResult};
use crate::stack::ServiceId;

/// Symptoms that a verified service cannot show at the same time.
const CONTRADICT: u32 = SymptomKind::Down.bit()
    | SymptomKind::Frozen.bit()
    | SymptomKind::OutOfMemory.bit()
    | SymptomKind::Unreachable.bit()
    | SymptomKind::Unhealthy.bit()
    | SymptomKind::DatabaseDown.bit();

impl Engine {
    pub(super) fn begin_verify(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        let (Some(book), Some(case)) = (self.book(run), self.case_of(run)) else {
            return self.end_run(id, Ending::Cancelled, NO_CASE);
        };
        let within = book.verify_of(case).within.max(self.view(service).grace);
        let until = self.now.plus(within);
        self.record(Record::VerifyBegan { run: id, until });
        self.hasten(service, true);
        self.look(service, Probe::Runtime);
        self.check_verify(id);
    }

    pub(super) fn hasten(&mut self, service: ServiceId, on: bool) {
        let watch = &mut self.watches[service.index()];
        if std::mem::replace(&mut watch.hastened, on) != on {
            self.act(Act::Hasten { service, on });
        }
    }

    /// Something about a service changed: the runs that watch it, and its incidents, go on.
    pub(super) fn progress(&mut self, id: ServiceId) {
        let name = self.name(id).to_owned();
        let mine = self.state.live_runs().filter(|run| run.service == name);
        let verifying: Vec<_> = mine
            .filter(|run| matches!(run.phase, Phase::Verifying { .. }))
            .map(|run| run.id)
            .collect();
        for run in verifying {
            self.check_verify(run);
        }
        self.looked_at(id);
        self.end_streak(id);
    }

    /// The backoff starts afresh only after a verified stable period.
    fn end_streak(&mut self, id: ServiceId) {
        let service = self.name(id);
        let streak = self.state.service(service).map_or(0, |memory| memory.streak);
        let reset = self.stack.settings.budget.reset_after;
        let stable = self.watches[id.index()].well_since;
        if streak > 0 && stable.is_some_and(|since| self.now.since(since) >= reset) {
            let service = service.to_owned();
            self.record(Record::StreakEnded { service });
        }
    }

    /// When a verifying run will have proved itself, if nothing changes.
    pub(super) fn stable_at(&self, run: &Run) -> Option<Moment> {
        let service = self.service_of(run)?;
        let stable = self.book(run)?.verify_of(self.case_of(run)?).stable;
        let since = self.well_after_steps(run, service)?;
        Some(since.plus(stable))
    }

    /// Since when the service has been well, counted from the run's first step at the earliest.
    fn well_after_steps(&self, run: &Run, service: ServiceId) -> Option<Moment> {
        let since = self.watches[service.index()].well_since?;
        Some(run.steps.first().map_or(since, |step| since.max(step.began)))
    }

    pub(super) fn check_verify(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let Phase::Verifying { until } = run.phase else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        let mut contradict = CONTRADICT;
        if self.book(run).is_some_and(|book| book.on.contains(&SymptomKind::LuaErrors)) {
            // What was taken back for an error has to have ended it.
            contradict |= SymptomKind::LuaErrors.bit();
        }
        let contradicted = self.watches[service.index()].shown & contradict != 0;
        let stable = self.stable_at(run).is_some_and(|at| self.now.reached(at));
        if stable && !contradicted {
            let view = self.players_view(service);
            return self.end_run(id, Ending::Verified, &view);
        }
        if self.stood_down(service) {
            return self.end_run(id, Ending::Cancelled, STOPPED);
        }
        if self.died_again(run, service) {
            let unknown = run.steps.last().and_then(|step| step.ended.as_ref());
            let unknown = unknown.is_some_and(|(_, result)| *result == StepResult::Unknown);
            let why = if unknown {
                "it does not run, and nobody knows how far its last step came"
            } else {
                "it died again before it was verified"
            };
            return self.fail(id, why);
        }
        let until = self.well_until(service, until);
        if self.now.reached(until) && self.stable_at(run).is_none_or(|at| at <= self.now) {
            self.fail(id, "it was not well in time");
        }
    }

    /// Until when a service has to be well: a start that still reads its Workshop is waited for.
    pub(super) fn well_until(&self, service: ServiceId, until: Moment) -> Moment {
        let view = self.view(service);
        let boots = view.sense.boots_until(view.grace).filter(|_| view.sense.loading.is_some());
        boots.map_or(until, |boots| boots.max(until))
    }

    /// Whether the process that the run started, or found, has ended.
    fn died_again(&self, run: &Run, id: ServiceId) -> bool {
        let sense = &self.senses[id.index()];
        let stepped = run.steps.last().and_then(|step| step.ended.as_ref().map(|(at, _)| *at));
        let from = stepped.or_else(|| run.evidence.as_ref().map(|evidence| evidence.taken));
        // A process that the step started may die before the step itself is over.
        let began = run.steps.last().map(|step| step.began);
        let started = sense.started.zip(began).filter(|(started, began)| started >= began);
        let from = started.map(|(started, _)| started).into_iter().chain(from).min();
        let memory = self.state.service(&run.service);
        let exit = memory.and_then(|memory| memory.exits.last());
        if exit.is_some_and(|exit| from.is_some_and(|from| exit.at > from)) {
            return true;
        }
        let gone = sense.runtime == RuntimeState::Exited && sense.pending_exit.is_none();
        let stepped = started.map(|(started, _)| started).into_iter().chain(stepped).min();
        let after = stepped.is_none_or(|ended| sense.since > ended);
        gone && after && !sense.restarts_itself && !run.steps.is_empty()
    }
}
