//! Decides a run's way from evidence to its steps: the case, the approval, the budget, the guard,
//! one step after the other, and back again when they did not help.

use std::time::Duration;

use crate::detect::SymptomKind;
use crate::engine::Engine;
use crate::event::Act;
use crate::incident::{Actor, IncidentId};
use crate::moment::Moment;
use crate::observe::{Probe, ProofState, RuntimeState};
use crate::record::Record;
use crate::respond::{
    Case, Dependency, Ending, Evidence, Phase, Run, RunId, Runbook, Silence, Step, StepResult,
    guard,
};
use crate::stack::{Mode, ServiceId, WhenSpent};

/// How long the word of a start may come behind the end of the step that made it.
const START_WORD: Duration = Duration::from_secs(1);
/// Within this time of vigie's own start the first look at every service is made.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(5);

pub(super) const NO_SERVICE: &str = "its service is not in the configuration any more";
pub(super) const STOPPED: &str = "a person has stopped the service meanwhile";
pub(super) const NO_CASE: &str = "its case is not in the runbooks any more";

impl Engine {
    pub(super) fn run(&self, id: RunId) -> Option<&Run> {
        self.state.runs.get(&id).filter(|run| !run.is_over())
    }

    pub(super) fn service_of(&self, run: &Run) -> Option<ServiceId> {
        self.stack.find(&run.service)
    }

    pub(super) fn book(&self, run: &Run) -> Option<&Runbook> {
        self.stack.runbooks.iter().find(|book| book.name == run.runbook)
    }

    pub(super) fn case_of(&self, run: &Run) -> Option<&Case> {
        self.book(run)?.case(run.case.as_ref()?)
    }

    /// The evidence is there: the first case that matches is chosen, from this snapshot only.
    pub(super) fn collected(&mut self, id: RunId, mut evidence: Box<Evidence>) {
        let Some(run) = self.run(id).filter(|run| run.phase == Phase::Collecting) else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        let Some(book) = self.book(run).cloned() else {
            return self.end_run(id, Ending::Cancelled, NO_CASE);
        };
        let asked = run.began.max(self.began);
        let newer = asked.steady > self.senses[service.index()].since.steady
            // No runtime runs the host.
            && service != self.stack.host();
        if newer && evidence.inspection.state != RuntimeState::Unknown {
            // A look like any other, before anything is chosen by it. When it was made is not told:
            // what was told since it was asked for has the last word.
            self.sense_inspection(service, asked, &evidence.inspection);
            self.assess(service);
        }
        self.enrich(&mut evidence, service);
        let run = &self.state.runs[&id];
        let (case, rejected) = book.choose(&evidence, |case| self.spent(run, case));
        let chosen = case.cloned();
        let record = Record::CaseChosen {
            run: id,
            evidence,
            case: chosen.as_ref().map(|case| case.id.clone()),
            rejected,
        };
        self.record(record);
        match chosen {
            Some(case) => self.permit(id, service, &case),
            None => self.no_case(id, service),
        }
    }

    /// Adds what the engine itself knows.
    fn enrich(&self, evidence: &mut Evidence, id: ServiceId) {
        let view = self.view(id);
        let sense = view.sense;
        let needed = view.service.thresholds.failures;
        evidence.taken = self.now;
        evidence.a2s = sense.a2s.state(needed);
        evidence.rcon = match sense.rcon.state(needed.min(2)) {
            // It failed long before: it says nothing of what happens now.
            ProofState::Failing if !self.rcon_testifies(id) => ProofState::Unknown,
            state => state,
        };
        evidence.database = sense.database.state(needed);
        let window = view.service.thresholds.exits_window;
        evidence.exits =
            view.memory.map_or(0, |memory| memory.exits_within(self.now, window).count());
        if evidence.inspection.exit_code.is_none() {
            evidence.inspection.exit_code = sense.exit_code;
        }
        let last = view.memory.and_then(|memory| memory.exits.last());
        evidence.inspection.oom_killed |= last.is_some_and(|exit| exit.oom) && !sense.ready;
        let shown = self.watches[id.index()].shown;
        let shown = crate::detect::SymptomKind::ALL.iter().filter(|kind| shown & kind.bit() != 0);
        evidence.symptoms = shown.map(|kind| kind.word().to_owned()).collect();
        let needs = view.service.depends_on.iter();
        evidence.dependencies = needs
            .map(|needed| Dependency {
                service: self.name(*needed).to_owned(),
                well: self.is_well(*needed),
            })
            .collect();
        evidence.host.memory_available_pct = evidence
            .host
            .memory_available_pct
            .or(self.senses[self.stack.host().index()].host_memory_pct);
    }

    /// Whether RCON's failures can be the second proof of a freeze.
    fn rcon_testifies(&self, id: ServiceId) -> bool {
        let memory = self.memory(id);
        let trusted = memory.is_none_or(|memory| memory.trusts(Probe::Rcon));
        trusted && self.senses[id.index()].rcon_testifies()
    }

    /// Why a case may not be tried again in this incident. A case without steps counts as well: it
    /// has failed when what it waited for did not come.
    fn spent(&self, run: &Run, case: &Case) -> Option<String> {
        let restarts = case.steps.iter().any(Step::restarts);
        if case.is_risky()
            && restarts
            && self.stack.find(&run.service).is_some_and(|id| self.is_spent(id))
        {
            // Nobody is asked for what the budget does not give.
            return Some(self.spent_budget());
        }
        let incident = self.state.incidents.get(&run.incident)?;
        let tried = incident.tried(&run.service, &run.runbook, &case.id)?;
        if case.once {
            return Some(String::from("already tried in this incident"));
        }
        (tried.failed >= case.tries.max(1))
            .then(|| format!("failed {} times in this incident", tried.failed))
    }

    /// Asks whoever has to be asked before `case` may begin.
    fn permit(&mut self, id: RunId, service: ServiceId, case: &Case) {
        let mode = self.stack.settings.mode;
        let name = self.name(service).to_owned();
        let plan = self.plan(id, case, &name);
        let ordered = self.run(id).is_some_and(|run| matches!(run.by, Actor::Person(_)));
        if mode == Mode::Observe && case.mutates() && !ordered {
            let why = format!("observe mode: case {} would {}", case.id, plan.join(", then "));
            self.end_run(id, Ending::Observed, &why);
            return;
        }
        let asks = case.is_risky() || mode == Mode::Assist;
        if case.mutates() && asks && !ordered {
            if case.steps.iter().any(Step::restarts) && self.is_spent(service) {
                // Nobody is asked for what the budget does not give.
                self.give_up(id, service, Ending::Escalated, &self.spent_budget());
                return;
            }
            return self.ask_people(id, service, case);
        }
        if ordered {
            let by = self.state.runs[&id].by.clone();
            self.record(Record::ApprovalGiven { run: id, by, granted: true, case: None });
        }
        self.advance(id);
    }

    /// Asks for a yes, and says what is made of silence.
    pub(super) fn ask_people(&mut self, id: RunId, service: ServiceId, case: &Case) {
        let plan = self.plan(id, case, self.name(service));
        let timeout = case.approve_timeout.unwrap_or(self.stack.settings.approve_timeout);
        let (until, silence) = (self.now.plus(timeout), case.approve_default);
        self.record(Record::ApprovalAsked { run: id, until, plan, silence });
    }

    /// What a case would do, in words, with what was found filled in.
    fn plan(&self, id: RunId, case: &Case, service: &str) -> Vec<String> {
        let evidence = self.run(id).and_then(|run| run.evidence.as_deref());
        let bound = case.steps.iter().map(|step| step.clone().bound(evidence));
        bound.map(|step| step.describe(service)).collect()
    }

    /// Nobody answered in time. It is a yes only where people were told so, and where the case still says
    /// so: who took that out of it, or told vigie to do nothing by itself, has answered.
    fn unanswered(&mut self, id: RunId, silence: Silence) {
        let case = self.run(id).and_then(|run| self.case_of(run));
        let still = case.is_some_and(|case| case.approve_default == Silence::Approve);
        let acts = self.stack.settings.mode != Mode::Observe;
        self.answered(id, Actor::Vigie, silence == Silence::Approve && still && acts);
    }

    /// A person answered, or did not in time.
    pub(super) fn answered(&mut self, id: RunId, by: Actor, granted: bool) {
        let silent = by == Actor::Vigie;
        let case = self.run(id).and_then(|run| run.case.clone()).filter(|_| silent && granted);
        self.record(Record::ApprovalGiven { run: id, by, granted, case });
        if granted {
            self.advance(id);
        } else {
            let why = if silent { "nobody answered in time" } else { "a person said no" };
            self.end_run(id, Ending::Refused, why);
        }
    }

    fn no_case(&mut self, id: RunId, service: ServiceId) {
        if self.over_by_itself(service) {
            return self.end_run(id, Ending::NoCase, "it works again by itself, or is starting");
        }
        self.give_up(id, service, Ending::NoCase, "no case is left that matches");
    }

    /// Whether nothing is left to repair: it works, or its start takes the time that it may.
    fn over_by_itself(&self, id: ServiceId) -> bool {
        let running = self.senses[id.index()].runtime == RuntimeState::Running;
        self.watches[id.index()].shown == 0 && (self.is_well(id) || (running && self.starting(id)))
    }

    /// Ends a run that cannot go on; a service that its runtime would restart for ever is stopped
    /// first, where the budget says so.
    pub(super) fn give_up(&mut self, id: RunId, service: ServiceId, ending: Ending, why: &str) {
        let Some(run) = self.run(id) else { return };
        let stops = self.stack.settings.budget.when_spent == WhenSpent::Stop
            && self.stack.settings.mode == Mode::Auto
            && self.crash_looping(service)
            && self.senses[service.index()].restarts_itself
            && !self.state.live_runs().any(|other| other.id != id && other.holds_stack())
            && !run.steps.iter().any(|step| step.step == Step::Stop)
            && !self.in_maintenance()
            && self.ask_guard(run, service, &Step::Stop) == guard::Word::Allowed;
        if stops {
            self.begin_step(id, service, Step::Stop, false);
        } else {
            self.end_run(id, ending, why);
        }
    }

    fn crash_looping(&self, id: ServiceId) -> bool {
        let view = self.view(id);
        let limits = &view.service.thresholds;
        let exits = |memory: &crate::state::ServiceState| {
            memory.exits_within(self.now, limits.exits_window).count()
        };
        view.memory.map_or(0, exits) >= limits.exits
    }

    /// Takes the run one step further, or to its verify.
    pub(super) fn advance(&mut self, id: RunId) {
        self.awaiting.remove(&id);
        let Some(run) = self.run(id) else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        let Some(case) = self.case_of(run).cloned() else {
            return self.end_run(id, Ending::Cancelled, NO_CASE);
        };
        let done = run.forward().count();
        let began = done > 0;
        let Some(step) = case.steps.get(done).cloned() else {
            self.claim(id);
            return self.begin_verify(id);
        };
        let step = step.bound(run.evidence.as_deref());
        if let Step::Escalate { reason } = &step {
            let reason = reason.clone();
            return self.end_run(id, Ending::Escalated, &reason);
        }
        let ordered = matches!(run.by, Actor::Person(_));
        self.claim(id);
        let Some(run) = self.run(id) else { return };
        let stopped = |id: &ServiceId| self.stood_down(*id);
        if step.mutates() && !ordered && self.touched(&step, service).iter().any(stopped) {
            return self.end_run(id, Ending::Cancelled, STOPPED);
        }
        if let Some(until) = self.state.maintenance.filter(|until| !self.now.reached(*until))
            && step.mutates()
            && !ordered
        {
            let why = String::from("maintenance: a person is at work");
            return self.record(Record::RunWaits { run: id, until, why });
        }
        let held = || self.state.live_runs().any(|other| other.id != id && other.holds_stack());
        if case.mutates() && held() {
            return self.end_run(id, Ending::Cancelled, "another run holds the stack");
        }
        if step.restarts() && !began && !ordered && self.cured(run, service) {
            // It came back while the run waited: nothing to repair, but the proof is still owed.
            return self.begin_verify(id);
        }
        if step.restarts() && !self.budgeted(id, service) {
            return;
        }
        let Some(run) = self.run(id) else { return };
        let word = match self.ask_guard(run, service, &step) {
            guard::Word::Allowed if step.needs_what_follows() => {
                let follows = case.steps[done + 1..].iter();
                let mut words = follows.map(|step| self.ask_guard(run, service, step));
                words.find(|word| *word != guard::Word::Allowed).unwrap_or(guard::Word::Allowed)
            }
            word => word,
        };
        match word {
            guard::Word::Allowed => {}
            guard::Word::Unseen => return self.wait_for_look(id, service),
            guard::Word::Refused(why) => {
                let why = format!("refused by the guard: {why}");
                return self.end_run(id, Ending::RefusedByGuard, &why);
            }
        }
        self.begin_step(id, service, step, false);
    }

    /// Whether nothing is left that the run was begun for.
    fn cured(&self, run: &Run, service: ServiceId) -> bool {
        let Some(incident) = self.state.incidents.get(&run.incident) else { return false };
        let mut mine = incident.active().filter(|shown| self.patient(shown) == Some(service));
        // A crash loop is over when it lives for long, and is not cured by ending its life.
        mine.all(|shown| shown.kind == SymptomKind::CrashLoop) && self.is_well(service)
    }

    /// The runbook has something to do: the incident is in its hand, if it is in nobody's.
    fn claim(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let (incident, by) = (run.incident, Actor::Runbook(run.runbook.clone()));
        let known = self.state.incidents.get(&incident);
        if known.is_some_and(|incident| incident.acknowledged.is_none()) {
            self.record(Record::Acknowledged { incident, by });
        }
    }

    fn begin_step(&mut self, id: RunId, service: ServiceId, step: Step, undo: bool) {
        self.record(Record::StepIntended { run: id, step: step.clone(), undo });
        let until = self.now.plus(step.limit(self.stack.settings.step_timeout));
        self.act_on(service, &step, Some(until));
        if step == Step::MarkDegraded {
            let service = self.name(service).to_owned();
            self.record(Record::Degraded { service, on: true });
            return self.step_ended(id, StepResult::Done);
        }
        self.act(Act::Execute { run: id, service, step });
    }

    /// A step was carried out, or not.
    pub(super) fn step_ended(&mut self, id: RunId, result: StepResult) {
        let Some(run) = self.run(id).filter(|run| run.in_step()) else { return };
        let undoing = run.phase == Phase::Undoing;
        let good = result == StepResult::Done;
        let extra = run.forward().count() > self.case_of(run).map_or(0, |case| case.steps.len());
        let gave_up = run.forward().next_back().is_some_and(|step| step.step == Step::Stop)
            && (run.case.is_none() || extra || !self.case_wants_stop(run));
        let what = format!("{}: {}", result.word(), result.why().unwrap_or("no reason given"));
        self.record(Record::StepEnded { run: id, result });
        self.step_over(id);
        if gave_up && !undoing {
            let why = "it was dying again and again; it is stopped until a person looks";
            return self.end_run(id, Ending::Escalated, why);
        }
        match (undoing, good) {
            (true, _) => self.undo_next(id),
            (false, true) => self.advance(id),
            (false, false) => self.fail(id, &format!("a step did not work ({what})")),
        }
    }

    /// While vigie ends a process itself, its absence is no symptom.
    fn act_on(&mut self, service: ServiceId, step: &Step, until: Option<Moment>) {
        if *step == Step::DownUp {
            self.watches.iter_mut().for_each(|watch| watch.acting = until);
        } else if step.ends_process() || step.restarts() {
            self.watches[service.index()].acting = until;
        }
    }

    fn step_over(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let Some(service) = self.service_of(run) else { return };
        let step = run.steps.last().map(|step| {
            let done = matches!(&step.ended, Some((_, StepResult::Done)));
            (step.step.clone(), done && step.step.restarts())
        });
        if let Some((step, starts)) = step {
            // The runtime's word of the start may come a moment behind the step's own end.
            self.act_on(service, &step, starts.then(|| self.now.plus(START_WORD)));
        }
        self.assess(service);
    }

    fn case_wants_stop(&self, run: &Run) -> bool {
        self.case_of(run).is_some_and(|case| case.steps.contains(&Step::Stop))
    }

    /// What was tried did not help: take it back, then let the next case try.
    pub(super) fn fail(&mut self, id: RunId, why: &str) {
        let Some(run) = self.run(id) else { return };
        if !run.undo().is_empty() {
            self.record(Record::UndoBegan { run: id, why: why.to_owned() });
            self.undo_next(id);
        } else {
            self.end_run(id, Ending::Failed, why);
        }
    }

    pub(super) fn undo_next(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let Some(service) = self.service_of(run) else {
            return self.end_run(id, Ending::Cancelled, NO_SERVICE);
        };
        let undone = run.steps.iter().filter(|step| step.undo).count();
        match run.undo().into_iter().nth(undone) {
            Some(step) => self.begin_step(id, service, step, true),
            None => self.end_run(id, Ending::Failed, "it did not help and was taken back"),
        }
    }

    pub(super) fn end_run(&mut self, id: RunId, ending: Ending, why: &str) {
        let Some(run) = self.run(id) else { return };
        let (incident, runbook, service) =
            (run.incident, run.runbook.clone(), self.service_of(run));
        let case = run.case.clone();
        self.record(Record::RunEnded { run: id, ending, why: why.to_owned() });
        if let Some(service) = service {
            self.hasten(service, false);
        }
        let well = service.is_some_and(|id| self.over_by_itself(id));
        let hands_over = match ending {
            Ending::NoCase => !well,
            Ending::Escalated | Ending::Refused | Ending::RefusedByGuard | Ending::Observed => true,
            Ending::Verified | Ending::Failed | Ending::Cancelled => false,
        };
        if self.is_errand(incident, id) && ending != Ending::Verified {
            // A person wanted it run, and had the answer: there is no fault to go on with.
            return self.record(Record::Resolved { incident, by: Actor::Vigie });
        }
        if hands_over {
            let case = case.map_or(String::new(), |case| format!(" case {case}"));
            self.escalate(incident, format!("{runbook}{case}: {why}"));
        }
        self.drive(incident);
    }

    /// Whether an incident is nothing but the file of a run that a person ordered.
    fn is_errand(&self, incident: IncidentId, run: RunId) -> bool {
        let by = self.state.runs.get(&run).map(|run| (&run.by, run.began));
        let incident = self.state.incidents.get(&incident);
        by.zip(incident).is_some_and(|((by, began), incident)| {
            matches!(by, Actor::Person(_))
                && incident.symptoms.is_empty()
                && incident.state.is_active()
                && incident.detected == began
        })
    }

    /// When a run must be looked at again.
    pub(super) fn run_deadline(&self, run: &Run) -> Option<Moment> {
        let settings = &self.stack.settings;
        if let Some(step) = run.steps.last().filter(|step| step.ended.is_none()) {
            return Some(step.began.plus(step.step.limit(settings.step_timeout)));
        }
        match &run.phase {
            // What ran out while vigie was away is given the time for a look.
            Phase::Collecting => Some(run.began.max(self.began).plus(settings.collect_timeout)),
            Phase::Waiting { until } if self.resumed.contains(&run.id) => {
                Some((*until).max(self.began.plus(FIRST_LOOK)))
            }
            Phase::Approval { until, .. } | Phase::Waiting { until } => Some(*until),
            Phase::Verifying { until } => {
                // Once it has been well for long enough only the time limit is left to wait for.
                let stable = self.stable_at(run).filter(|at| !self.now.reached(*at));
                let service = self.service_of(run);
                let until = service.map_or(*until, |id| self.well_until(id, *until));
                Some(stable.unwrap_or(until))
            }
            Phase::Stepping | Phase::Undoing | Phase::Ended(_) => None,
        }
    }

    pub(super) fn runs_due(&mut self) {
        let due: Vec<_> = self
            .state
            .live_runs()
            .filter(|run| {
                // A stable period that has just ended is no deadline any more: always look.
                matches!(run.phase, Phase::Verifying { .. })
                    || self.run_deadline(run).is_some_and(|at| self.now.reached(at))
            })
            .map(|run| run.id)
            .collect();
        for id in due {
            self.run_due(id);
        }
    }

    fn run_due(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        if run.in_step() {
            self.act(Act::Abort { run: id });
            return self.step_ended(id, StepResult::TimedOut);
        }
        match run.phase {
            Phase::Collecting => {
                let evidence = self.evidence_at_hand(run);
                self.collected(id, Box::new(evidence));
            }
            Phase::Approval { silence, .. } => self.unanswered(id, silence),
            Phase::Waiting { .. } => self.advance(id),
            Phase::Verifying { .. } => self.check_verify(id),
            Phase::Stepping | Phase::Undoing | Phase::Ended(_) => {}
        }
    }

    /// What is known without looking, when collecting took too long.
    fn evidence_at_hand(&self, run: &Run) -> Evidence {
        let mut evidence = Evidence::default();
        evidence.missing.push(String::from("collecting evidence took too long"));
        if let Some(id) = self.service_of(run) {
            let sense = &self.senses[id.index()];
            evidence.inspection.state = sense.runtime;
            evidence.inspection.exit_code = sense.exit_code;
            evidence.inspection.health = sense.health;
            evidence.inspection.restarts_itself = sense.restarts_itself;
        }
        evidence.a2s = ProofState::Unknown;
        evidence
    }
}
