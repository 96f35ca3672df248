//! What must hold after every event, kept apart from the engine's own bookkeeping.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vigie_core::detect::SymptomKind;
use vigie_core::incident::{Actor, Group, IncidentId, Lifecycle};
use vigie_core::respond::{RunId, Step};
use vigie_core::{Engine, Moment, Record, State};

/// What the invariants remember of the records.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) records: Vec<(Moment, Record)>,
    service_of: BTreeMap<RunId, String>,
    by_person: BTreeSet<RunId>,
    holders: BTreeSet<RunId>,
    restarts: BTreeMap<String, Vec<Moment>>,
    stood_down: BTreeSet<String>,
    reported: BTreeSet<IncidentId>,
    exits: BTreeMap<String, Vec<Moment>>,
    done: BTreeMap<RunId, Vec<Step>>,
}

/// What was delivered of the two proofs.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) running: bool,
    pub a2s_failures: u32,
    pub(crate) rcon_failures: u32,
    pub(crate) database_failures: u32,
    pub(crate) tcp_failures: u32,
    pub(crate) unhealthy: bool,
    /// When the living process was started, as told.
    pub(crate) started: i64,
    /// It was answered since.
    pub(crate) ready: bool,
    /// The truth: it has answered whoever asked for a minute.
    pub(crate) works: bool,
    /// The last look from the players' side was answered.
    pub(crate) answers: bool,
    /// Exits that nobody asked for within the window, as recorded.
    pub(crate) exits: usize,
}

impl Ledger {
    /// Takes what one event gave.
    pub(crate) fn take(
        &mut self,
        now: Moment,
        records: &[Record],
        engine: &Engine,
        delivered: &dyn Fn(&str) -> Delivered,
    ) -> Result<(), String> {
        if records.len() > 80 {
            return Err(format!("{} records for one event", records.len()));
        }
        for record in records {
            self.records.push((now, record.clone()));
            self.check(now, record, engine, delivered)?;
        }
        unique(engine.state())?;
        one_cause(engine, &self.reported)?;
        match engine.next_wake() {
            Some(wake) if wake.steady <= now.steady => {
                Err(format!("it asks to be woken at {wake:?}, which is not behind {now:?}"))
            }
            _ => Ok(()),
        }
    }

    fn check(
        &mut self,
        now: Moment,
        record: &Record,
        engine: &Engine,
        delivered: &dyn Fn(&str) -> Delivered,
    ) -> Result<(), String> {
        match record {
            Record::StoodDown { service } => drop(self.stood_down.insert(service.clone())),
            Record::Noted { incident, .. } => drop(self.reported.insert(*incident)),
            Record::StoodUp { service } => drop(self.stood_down.remove(service)),
            Record::Exited { service, asked: None, .. } => {
                self.exits.entry(service.clone()).or_default().push(now);
            }
            Record::RunStarted { run, service, by, .. } => {
                self.service_of.insert(*run, service.clone());
                if matches!(by, Actor::Person(_)) {
                    self.by_person.insert(*run);
                }
            }
            Record::ApprovalGiven { run, granted: true, by: Actor::Person(_), .. } => {
                self.by_person.insert(*run);
            }
            Record::StepIntended { run, step, undo } => {
                self.intended(now, *run, step, *undo, engine, delivered)?;
            }
            Record::RunEnded { run, .. } => drop(self.holders.remove(run)),
            _ => {}
        }
        Ok(())
    }

    fn intended(
        &mut self,
        now: Moment,
        run: RunId,
        step: &Step,
        undo: bool,
        engine: &Engine,
        delivered: &dyn Fn(&str) -> Delivered,
    ) -> Result<(), String> {
        let service = self.service_of[&run].clone();
        if step.mutates() {
            self.holders.insert(run);
            if self.holders.len() > 1 {
                return Err(format!("two runs change the stack: {:?}", self.holders));
            }
            if self.stood_down.contains(&service) && !self.by_person.contains(&run) {
                return Err(format!("{service} was stopped by a person, and {step:?} was begun"));
            }
        }
        if step.restarts() {
            let budget = engine.stack().settings.budget;
            let times = self.restarts.entry(service.clone()).or_default();
            times.push(now);
            let recent = times.iter().filter(|at| now.since(**at) < budget.per).count();
            if recent > budget.restarts {
                return Err(format!("{recent} restarts of {service} within the budget's window"));
            }
        }
        let mut seen = delivered(&service);
        let exits = self.exits.get(&service).into_iter().flatten();
        let window = Duration::from_secs(600);
        seen.exits = exits.filter(|at| now.since(**at) < window).count();
        if step.ends_process() && seen.works && !self.by_person.contains(&run) {
            return Err(format!("{step:?} on {service}, which works: {seen:?}"));
        }
        if step.ends_process() && seen.running && !self.by_person.contains(&run) {
            two_proofs(&service, seen, step)?;
        }
        let done = self.done.entry(run).or_default();
        if !undo && done.contains(step) {
            return Err(format!("{step:?} was begun twice in {run}"));
        }
        if !undo {
            done.push(step.clone());
        }
        Ok(())
    }

    /// The last records, for a person who reads a failure.
    pub(crate) fn tail(&self) -> String {
        let last = self.records.iter().rev().take(40).rev();
        let line = |(at, record): &(Moment, Record)| match record {
            Record::CaseChosen { run, case, .. } => format!("{} {run} case {case:?}\n", at.steady),
            record => format!("{} {record:?}\n", at.steady),
        };
        last.map(line).collect()
    }

    /// A rebuild from the journal gives the same state.
    pub(crate) fn replays(&self, engine: &Engine) -> Result<(), String> {
        let replayed = State::replay(self.records.clone());
        if &replayed == engine.state() {
            return Ok(());
        }
        Err(format!("the journal gives another state:\n{replayed:?}\n{:?}", engine.state()))
    }
}

pub(crate) fn two_proofs(service: &str, seen: Delivered, step: &Step) -> Result<(), String> {
    let game = seen.a2s_failures >= 3 && seen.rcon_failures >= 2;
    // Two are enough where the configuration says so.
    let signs = [seen.database_failures >= 2, seen.tcp_failures >= 2, seen.unhealthy];
    let database = signs.into_iter().filter(|sign| *sign).count() >= 2;
    if game || database || (seen.exits >= 3 && !seen.answers) {
        return Ok(());
    }
    Err(format!("{step:?} on {service}, which runs, on less than two proofs: {seen:?}"))
}

/// One cause, one incident: no two active ones of the same kind on one service.
pub(crate) fn unique(state: &State) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for incident in state.active().filter(|incident| !incident.symptoms.is_empty()) {
        if !seen.insert((&incident.service, incident.group)) {
            return Err(format!("two incidents for {} {:?}", incident.service, incident.group));
        }
    }
    Ok(())
}

/// The world has one cause: what the game shows because its database is gone is part of the
/// database's incident, whichever was seen first.
pub(crate) fn one_cause(engine: &Engine, reported: &BTreeSet<IncidentId>) -> Result<(), String> {
    let state = engine.state();
    let minute = Duration::from_secs(60);
    let causes = state.active().filter(|one| one.service == "mysql");
    for cause in causes.filter(|one| one.group == Group::Availability) {
        let fails = cause
            .active()
            .filter(|one| one.service == "mysql" && one.kind.group() == Group::Availability);
        let Some(since) = fails.map(|one| one.began).min() else { continue };
        for other in state.active().filter(|one| one.service == "gmod" && one.id != cause.id) {
            // What the game complains of; what it dies or freezes of in this world is its own.
            let complaint = [SymptomKind::DatabaseLink, SymptomKind::LuaErrors];
            let echoes = other.symptoms.iter().all(|one| complaint.contains(&one.kind));
            let lasts = other.active().next().is_some();
            let near = since.since(other.detected) < minute && other.detected.since(since) < minute;
            let runs = other.runs.iter().filter_map(|run| state.runs.get(run));
            let busy = runs.into_iter().any(|run| run.holds_stack());
            let began = other.active().all(|one| one.began.since(since) < minute);
            // A person's report is that person's, whatever joins it.
            let found = !reported.contains(&other.id);
            if echoes && found && lasts && near && began && !busy {
                return Err(format!("two incidents for one cause: {} {}", cause.id, other.id));
            }
        }
    }
    Ok(())
}

/// In a calm world every incident has come to an end, or is in a person's hands.
pub(crate) fn settled(state: &State) -> Result<(), String> {
    // What a person reported is over when a person says so.
    let shown = state.incidents.values().filter(|incident| !incident.symptoms.is_empty());
    for incident in shown {
        let open = matches!(incident.state, Lifecycle::Open | Lifecycle::Repairing);
        if open {
            let runs: Vec<_> = incident.runs.iter().filter_map(|run| state.runs.get(run)).collect();
            return Err(format!("left open: {incident:#?}\n{runs:#?}"));
        }
    }
    Ok(())
}

#[test]
fn the_checks_can_fail() {
    let step = Step::Restart { kill: true };
    let one = Delivered { running: true, a2s_failures: 9, ..Delivered::default() };
    assert!(two_proofs("gmod", one, &step).is_err());
    assert!(two_proofs("gmod", Delivered { rcon_failures: 2, ..one }, &step).is_ok());
}
