//! Decides whether a run's next step may begin now: the guard's word on all that it would touch, a
//! look where nobody has looked yet, the restart budget.

use std::time::Duration;

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::incident::Actor;
use crate::observe::Probe;
use crate::record::Record;
use crate::respond::budget::{self, Allowance};
use crate::respond::{Ending, Run, RunId, Step, guard};
use crate::stack::ServiceId;

/// How long a run waits for a look before it asks for another.
const LOOK_WAIT: Duration = Duration::from_secs(120);
/// Within this time of vigie's own start enough looks are made to say whether a proof fails.
const FIRST_LOOKS: Duration = Duration::from_secs(60);

impl Engine {
    /// The services that a step for `service` starts or ends.
    pub(super) fn touched(&self, step: &Step, service: ServiceId) -> Vec<ServiceId> {
        match step {
            Step::DownUp => self.stack.services().map(|(id, _)| id).collect(),
            _ => vec![service],
        }
    }

    /// The guard's word on all that a step would touch: the first one that is no yes.
    pub(super) fn ask_guard(&self, run: &Run, service: ServiceId, step: &Step) -> guard::Word {
        let touched = self.touched(step, service).into_iter();
        let mut words = touched.map(|id| self.ask_guard_of(run, id, step));
        words.find(|word| *word != guard::Word::Allowed).unwrap_or(guard::Word::Allowed)
    }

    fn ask_guard_of(&self, run: &Run, service: ServiceId, step: &Step) -> guard::Word {
        let sense = &self.senses[service.index()];
        let dying = self.watches[service.index()].shown & SymptomKind::CrashLoop.bit() != 0;
        let back = self.resumed.contains(&run.id) && self.now.since(self.began) < FIRST_LOOKS;
        let guarded = guard::Guarded {
            service: self.stack.service(service),
            sense,
            memory: self.memory(service),
            // Silence is a yes to the case, not to the end of a server that may live.
            approved: matches!(run.approved, Some(Actor::Person(_))),
            unhealthy: sense.health == crate::observe::Health::Unhealthy,
            crash_looping: dying && !self.is_well(service),
            blind: back || !self.own_network,
        };
        guard::ask(step, &guarded)
    }

    /// Nothing is ended that nobody has looked at: the run goes on when there is something to say.
    pub(super) fn wait_for_look(&mut self, id: RunId, service: ServiceId) {
        let until = self.now.plus(LOOK_WAIT);
        let why = format!("nobody has looked at {} yet", self.name(service));
        self.record(Record::RunWaits { run: id, until, why });
        self.awaiting.insert(id);
        self.look(service, Probe::Runtime);
        let proofs = self.stack.service(service).proofs;
        let asked = [
            (proofs.a2s, Probe::A2s),
            (proofs.rcon, Probe::Rcon),
            (proofs.database, Probe::Database),
        ];
        for (_, probe) in asked.into_iter().filter(|(asked, _)| *asked) {
            self.look(service, probe);
        }
    }

    /// The runs that wait for a look at `service`, where there is something to say now.
    pub(super) fn looked_at(&mut self, service: ServiceId) {
        let waiting = self.awaiting.iter().filter_map(|id| self.run(*id));
        let seen = waiting.filter(|run| {
            let step = self.case_of(run).and_then(|case| case.steps.get(run.forward().count()));
            self.service_of(run) == Some(service)
                && step.is_none_or(|step| self.ask_guard(run, service, step) != guard::Word::Unseen)
        });
        for id in seen.map(|run| run.id).collect::<Vec<_>>() {
            self.advance(id);
        }
    }

    /// Whether vigie may not restart the service any more for now.
    pub(super) fn is_spent(&self, service: ServiceId) -> bool {
        let memory = self.memory(service);
        let limits = &self.stack.settings.budget;
        memory.is_some_and(|memory| budget::ask(limits, memory, self.now) == Allowance::Spent)
    }

    pub(super) fn spent_budget(&self) -> String {
        let limits = self.stack.settings.budget;
        let minutes = limits.per.as_secs() / 60;
        format!("the restart budget is spent: {} in {minutes} min", limits.restarts)
    }

    /// Whether the budget lets the service be restarted now; if not, the run waits or ends.
    pub(super) fn budgeted(&mut self, id: RunId, service: ServiceId) -> bool {
        let limits = self.stack.settings.budget;
        let memory = self.memory(service);
        let allowance =
            memory.map_or(Allowance::Now, |memory| budget::ask(&limits, memory, self.now));
        match allowance {
            Allowance::Now => true,
            Allowance::At(until) => {
                let why = String::from("the restart budget's backoff");
                self.record(Record::RunWaits { run: id, until, why });
                false
            }
            Allowance::Spent => {
                self.give_up(id, service, Ending::Escalated, &self.spent_budget());
                false
            }
        }
    }
}
