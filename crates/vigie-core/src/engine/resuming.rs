//! Decides how to go on after vigie itself was gone: nothing that finished is repeated, and a step
//! of which nobody knows the end is not repeated either — the service is looked at instead. What is
//! not in the configuration any more is let go.

use crate::engine::Engine;
use crate::engine::running::{FIRST_LOOK, NO_CASE, NO_SERVICE};
use crate::event::Act;
use crate::incident::{Actor, IncidentId};
use crate::record::Record;
use crate::respond::{Ending, Phase, RunId, Silence, StepResult};

impl Engine {
    pub(super) fn resume(&mut self, version: String) {
        self.began = self.now;
        self.record(Record::WatchBegan { version });
        if self.state.runtime_lost {
            // Whether it can be reached is about to be seen; what is not known blames nobody.
            self.record(Record::RuntimeBack);
        }
        let live: Vec<_> = self.state.live_runs().map(|run| run.id).collect();
        self.resumed = live.iter().copied().collect();
        for id in live {
            self.resume_run(id);
        }
        let active: Vec<_> = self.state.active().map(|incident| incident.id).collect();
        for id in active {
            self.let_go(id);
        }
    }

    fn resume_run(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let undoing = run.phase == Phase::Undoing;
        let in_step = run.in_step();
        if in_step {
            self.record(Record::StepEnded { run: id, result: StepResult::Unknown });
        }
        let Some(run) = self.run(id) else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        if run.case.is_some() && self.case_of(run).is_none() {
            return self.end_run(id, Ending::Cancelled, NO_CASE);
        }
        if in_step {
            return if undoing { self.undo_next(id) } else { self.look_first(id) };
        }
        match &run.phase {
            Phase::Collecting => self.act(Act::Collect { run: id, service }),
            Phase::Stepping => {
                let until = self.now.plus(FIRST_LOOK);
                let why = String::from("vigie was away; it is looked at first");
                self.record(Record::RunWaits { run: id, until, why });
            }
            Phase::Undoing => self.undo_next(id),
            Phase::Verifying { .. } => self.begin_verify(id),
            // Nobody could answer when the time ran out: they are asked again, before silence is a yes.
            Phase::Approval { until, silence: Silence::Approve } if self.now.reached(*until) => {
                let case = self.case_of(run).cloned();
                if let Some(case) = case {
                    self.ask_people(id, service, &case);
                }
            }
            Phase::Approval { .. } | Phase::Waiting { .. } | Phase::Ended(_) => {}
        }
    }

    fn look_first(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let given_up = run.case.is_none();
        if given_up {
            let why = "vigie was stopped while it gave up on the service";
            return self.end_run(id, Ending::Escalated, why);
        }
        self.begin_verify(id);
        // A case whose steps never came to an end may verify all the same; if not, it has failed
        // and the next case looks at fresh evidence.
    }

    /// Nobody will ever see the end of what a service shows that is not watched any more.
    fn let_go(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        let root_gone = self.stack.find(&incident.service).is_none();
        let gone = incident.active().filter(|shown| self.stack.find(&shown.service).is_none());
        let gone: Vec<_> = gone.map(|shown| (shown.service.clone(), shown.kind)).collect();
        for (service, kind) in gone {
            self.record(Record::SymptomEnded { incident: id, service, kind });
        }
        let Some(incident) = self.state.incidents.get(&id) else { return };
        if root_gone && incident.active().next().is_none() && self.live_run(incident).is_none() {
            self.record(Record::Resolved { incident: id, by: Actor::Vigie });
        }
    }
}
