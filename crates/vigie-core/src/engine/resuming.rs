//! Decides how to go on after vigie itself was gone: nothing that finished is repeated, and a step
//! of which nobody knows the end is not repeated either — the service is looked at instead.

use crate::engine::Engine;
use crate::event::Act;
use crate::record::Record;
use crate::respond::{Phase, RunId, StepResult};

impl Engine {
    pub(super) fn resume(&mut self, version: String) {
        self.record(Record::WatchBegan { version });
        if self.state.runtime_lost {
            // Whether it can be reached is about to be seen; what is not known blames nobody.
            self.record(Record::RuntimeBack);
        }
        let live: Vec<_> = self.state.live_runs().map(|run| run.id).collect();
        for id in live {
            self.resume_run(id);
        }
    }

    fn resume_run(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let service = self.service_of(run);
        if run.in_step() {
            let undoing = run.phase == Phase::Undoing;
            self.record(Record::StepEnded { run: id, result: StepResult::Unknown });
            return if undoing { self.undo_next(id) } else { self.look_first(id) };
        }
        match (&run.phase, service) {
            (Phase::Collecting, Some(service)) => self.act(Act::Collect { run: id, service }),
            (Phase::Collecting, None) => {
                self.end_run(
                    id,
                    crate::respond::Ending::Cancelled,
                    "its service is not in the config any more",
                );
            }
            (Phase::Stepping, _) => self.advance(id),
            (Phase::Undoing, _) => self.undo_next(id),
            (Phase::Verifying { .. }, _) => self.begin_verify(id),
            (Phase::Approval { .. } | Phase::Waiting { .. } | Phase::Ended(_), _) => {}
        }
    }

    fn look_first(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let given_up = run.case.is_none();
        if given_up {
            let why = "vigie was stopped while it gave up on the service";
            return self.end_run(id, crate::respond::Ending::Escalated, why);
        }
        self.begin_verify(id);
        // A case whose steps never came to an end may verify all the same; if not, it has failed
        // and the next case looks at fresh evidence.
    }
}
