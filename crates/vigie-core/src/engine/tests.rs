//! The engine's moves, one fault at a time. Random histories are in `tests/simulation.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::Engine;
use crate::detect::SymptomKind;
use crate::event::{Act, Effects, Event, Order};
use crate::incident::{Actor, IncidentId, Lifecycle};
use crate::moment::Moment;
use crate::observe::{
    A2sSample, ConsoleFact, DatabaseSample, Fact, Inspection, Observation, Refusal, RuntimeEvent,
    RuntimeState,
};
use crate::record::Record;
use crate::respond::{Evidence, Runbook, Step, StepResult};
use crate::stack::{Proofs, Role, Service, ServiceId, Settings, Stack};
use crate::state::State;

mod lasting;

const GAME: ServiceId = ServiceId(0);
const DATABASE: ServiceId = ServiceId(1);

fn runbooks() -> Vec<Runbook> {
    [
        include_str!("../../../vigie/runbooks/p1-unreachable.toml"),
        include_str!("../../../vigie/runbooks/p2-database-down.toml"),
        include_str!("../../../vigie/runbooks/p2-broken-feature.toml"),
        include_str!("../../../vigie/runbooks/p3-performance.toml"),
        include_str!("../../../vigie/runbooks/p1-host-memory.toml"),
    ]
    .map(|text| toml::from_str(text).unwrap())
    .to_vec()
}

/// An engine with the reference stack, and a hand that feeds it.
struct World {
    engine: Engine,
    now: Moment,
    records: Vec<(Moment, Record)>,
    acts: Vec<Act>,
}

impl World {
    fn new() -> Self {
        let mut game = Service::new("gmod", Role::Game);
        game.proofs = Proofs { a2s: true, rcon: true, ..Proofs::default() };
        game.depends_on = vec![DATABASE];
        let mut database = Service::new("mysql", Role::Database);
        database.proofs = Proofs { database: true, tcp: true, ..Proofs::default() };
        let stack = Stack::new("test", vec![game, database], Settings::default(), runbooks());
        let engine = Engine::new(stack, State::default());
        let now = Moment::from_ms(1_000_000);
        let mut world = Self { engine, now, records: Vec::new(), acts: Vec::new() };
        world.event(Event::Began { version: String::from("test") });
        for id in [GAME, DATABASE] {
            let up_for = Some(Duration::from_secs(3600));
            let seen = Inspection { state: RuntimeState::Running, up_for, ..Inspection::default() };
            world.fact(id, Fact::Inspected(seen));
        }
        world.all_well();
        world
    }

    fn event(&mut self, event: Event) -> Effects {
        let effects = self.engine.handle(self.now, event);
        self.records.extend(effects.records.iter().map(|record| (self.now, record.clone())));
        self.acts.extend(effects.acts.iter().cloned());
        effects
    }

    fn fact(&mut self, service: ServiceId, fact: Fact) {
        self.event(Event::Observed(Observation { service, at: self.now, fact }));
    }

    fn runtime(&mut self, service: ServiceId, event: RuntimeEvent) {
        self.fact(service, Fact::Runtime(event));
    }

    fn a2s(&mut self, good: bool) {
        let sample = A2sSample {
            players: 3,
            max_players: 24,
            map: Arc::from("gm_construct"),
            latency: Duration::from_millis(5),
        };
        self.fact(GAME, Fact::A2s(good.then_some(sample).ok_or(Refusal::Timeout)));
    }

    fn rcon(&mut self, good: bool) {
        let latency = Duration::from_millis(5);
        self.fact(GAME, Fact::Rcon(good.then_some(latency).ok_or(Refusal::Timeout)));
    }

    fn database(&mut self, good: bool) {
        let latency = Duration::from_millis(2);
        let sample = DatabaseSample { latency, connections: 1, slow_queries: 0 };
        self.fact(DATABASE, Fact::Database(good.then_some(sample).ok_or(Refusal::Refused)));
    }

    fn all_well(&mut self) {
        self.a2s(true);
        self.rcon(true);
        self.database(true);
    }

    /// Lets time pass, waking the engine when it asked to be.
    fn pass(&mut self, ms: i64) {
        let end = self.now.steady + ms;
        while let Some(wake) = self.engine.next_wake().filter(|wake| wake.steady <= end) {
            self.now = Moment::from_ms(wake.steady.max(self.now.steady));
            self.event(Event::Tick);
            let stuck = self.engine.next_wake().is_some_and(|next| next.steady <= wake.steady);
            assert!(!stuck, "the engine asks to be woken at a moment that has passed");
        }
        self.now = Moment::from_ms(end);
    }

    fn collect(&mut self, state: RuntimeState, exit_code: Option<i32>) {
        let run = self.live();
        let inspection = Inspection { state, exit_code, ..Inspection::default() };
        let evidence = Box::new(Evidence { inspection, ..Evidence::default() });
        self.event(Event::Collected { run, evidence });
    }

    fn live(&self) -> crate::respond::RunId {
        self.engine.state().live_runs().next().expect("a live run").id
    }

    fn step_done(&mut self) {
        let run = self.live();
        self.event(Event::StepEnded { run, result: StepResult::Done });
    }

    fn executed(&self) -> Vec<Step> {
        let steps = self.acts.iter().filter_map(|act| match act {
            Act::Execute { step, .. } => Some(step.clone()),
            _ => None,
        });
        steps.collect()
    }

    fn incident(&self, number: u64) -> &crate::incident::Incident {
        &self.engine.state().incidents[&IncidentId(number)]
    }

    fn crash(&mut self, code: i32) {
        self.runtime(GAME, RuntimeEvent::Died { exit_code: Some(code) });
    }

    /// Comes back after a boot of `ms`.
    fn boot(&mut self, ms: i64) {
        self.runtime(GAME, RuntimeEvent::Started);
        self.pass(ms);
        self.a2s(true);
        self.rcon(true);
    }

    /// What was recorded makes the state that the engine has.
    fn replays(&self) {
        assert_eq!(&State::replay(self.records.clone()), self.engine.state());
    }
}

#[test]
fn a_crash_is_repaired_by_case_a_and_verified() {
    let mut world = World::new();
    world.crash(139);
    assert_eq!(world.incident(1).state, Lifecycle::Repairing);
    world.collect(RuntimeState::Exited, Some(139));
    assert_eq!(world.executed(), [Step::Up { recreate: false }]);
    world.runtime(GAME, RuntimeEvent::Started);
    world.step_done();
    world.pass(1500);
    world.a2s(true);
    world.pass(1900);
    assert!(world.incident(1).restored.is_none(), "not stable yet");
    world.pass(200);
    let incident = world.incident(1);
    assert_eq!(incident.state, Lifecycle::Restored);
    assert_eq!(incident.restored, Some(Moment::from_ms(1_001_500)));
    let run = &world.engine.state().runs[&incident.runs[0]];
    assert_eq!(run.case.as_deref(), Some("A"));
    assert_eq!(run.rejected.len(), 7, "every other case says why not");
    world.replays();
    world.pass(700_000);
    assert_eq!(world.incident(1).state, Lifecycle::Resolved);
    world.replays();
}

#[test]
fn an_operators_stop_is_respected() {
    let mut world = World::new();
    world.runtime(GAME, RuntimeEvent::Killed { signal: 15 });
    world.crash(143);
    world.runtime(GAME, RuntimeEvent::Stopped);
    world.pass(60_000);
    assert!(world.engine.state().incidents.is_empty());
    assert!(world.executed().is_empty());
    assert!(world.records.iter().any(|(_, r)| matches!(r, Record::StoodDown { .. })));
    world.boot(1000);
    assert!(world.records.iter().any(|(_, r)| matches!(r, Record::StoodUp { .. })));
}

#[test]
fn a_signal_without_the_word_of_a_stop_is_a_fault() {
    let mut world = World::new();
    world.runtime(GAME, RuntimeEvent::Killed { signal: 15 });
    world.crash(143);
    world.pass(600);
    assert_eq!(world.incident(1).service, "gmod");
}

#[test]
fn docker_kill_is_a_fault() {
    let mut world = World::new();
    world.runtime(DATABASE, RuntimeEvent::Killed { signal: 9 });
    world.runtime(DATABASE, RuntimeEvent::Died { exit_code: Some(137) });
    assert_eq!(world.incident(1).service, "mysql");
}

fn freeze(world: &mut World, seconds: i64) {
    for _ in 0..seconds / 5 {
        world.pass(5000);
        world.a2s(false);
        world.rcon(false);
        world.database(true);
    }
}

#[test]
fn a_freeze_needs_both_proofs_and_is_killed_by_case_e() {
    let mut world = World::new();
    freeze(&mut world, 15);
    assert!(world.incident(1).shows("gmod", SymptomKind::Frozen));
    world.collect(RuntimeState::Running, None);
    assert_eq!(world.executed(), [Step::Restart { kill: true }]);
    // The kill that vigie asked for is no new fault.
    world.runtime(GAME, RuntimeEvent::Killed { signal: 9 });
    world.crash(137);
    world.boot(0);
    world.step_done();
    world.pass(3000);
    assert_eq!(world.incident(1).state, Lifecycle::Restored);
    assert_eq!(world.engine.state().incidents.len(), 1);
    world.replays();
}

#[test]
fn a2s_alone_failing_touches_nothing() {
    let mut world = World::new();
    for _ in 0..20 {
        world.pass(5000);
        world.a2s(false);
        world.rcon(true);
    }
    assert!(world.incident(1).shows("gmod", SymptomKind::Unreachable));
    assert!(world.executed().is_empty());
}

#[test]
fn a_crash_loop_spends_the_budget_and_escalates_once() {
    let mut world = World::new();
    for _ in 0..6 {
        world.crash(139);
        world.pass(150_000);
        if world.engine.state().live_runs().next().is_none() {
            break;
        }
        if !world.engine.state().live_runs().any(|run| run.in_step()) {
            world.collect(RuntimeState::Exited, Some(139));
        }
        world.pass(30_000);
        if world.engine.state().live_runs().any(|run| run.in_step()) {
            world.runtime(GAME, RuntimeEvent::Started);
            world.step_done();
        }
        world.pass(1000);
    }
    let escalations =
        world.records.iter().filter(|(_, r)| matches!(r, Record::Escalated { .. })).count();
    assert_eq!(escalations, 1, "{:#?}", world.records.iter().map(|r| &r.1).collect::<Vec<_>>());
    let restarts = world.executed().iter().filter(|step| step.restarts()).count();
    assert!(restarts <= 3, "{restarts}");
    assert_eq!(world.engine.state().incidents.len(), 1);
    world.replays();
}

#[test]
fn deaths_that_are_told_late_make_no_crash_loop() {
    let mut world = World::new();
    world.pass(40 * 60_000);
    // Vigie was away, and is told everything at once, in no particular order of the services.
    for minutes in [36, 24, 12] {
        let at = Moment::from_ms(world.now.steady - minutes * 60_000);
        let died = Fact::Runtime(RuntimeEvent::Died { exit_code: Some(139) });
        world.event(Event::Observed(Observation { service: GAME, at, fact: died }));
        let at = at.plus(Duration::from_secs(1));
        let started = Fact::Runtime(RuntimeEvent::Started);
        world.event(Event::Observed(Observation { service: GAME, at, fact: started }));
    }
    let exits = &world.engine.state().services["gmod"].exits;
    let ago = exits.iter().map(|exit| world.now.since(exit.at).as_secs() / 60);
    assert_eq!(ago.collect::<Vec<_>>(), [36, 24, 12]);
    world.all_well();
    let looped = world.records.iter().any(|(_, record)| {
        matches!(record, Record::SymptomBegan { kind: SymptomKind::CrashLoop, .. })
    });
    assert!(!looped, "{:#?}", world.records);
    world.replays();
}

#[test]
fn one_cause_is_one_incident() {
    let mut world = World::new();
    // The game complains first, the database's death is told behind it.
    let lost = || Fact::Console(ConsoleFact::DatabaseLost(Arc::from("connection refused")));
    world.fact(GAME, lost());
    world.pass(500);
    world.fact(GAME, Fact::Runtime(RuntimeEvent::Health(crate::observe::Health::Unhealthy)));
    world.pass(500);
    world.runtime(DATABASE, RuntimeEvent::Died { exit_code: Some(137) });
    world.pass(5000);
    assert_eq!(world.engine.state().incidents.len(), 1);
    let incident = world.incident(1);
    assert_eq!(incident.service, "mysql");
    assert!(incident.shows("gmod", SymptomKind::DatabaseLink));
    assert!(incident.shows("gmod", SymptomKind::Unhealthy));
}

#[test]
fn an_unfinished_step_is_looked_at_and_not_repeated() {
    let mut world = World::new();
    world.crash(139);
    world.collect(RuntimeState::Exited, Some(139));
    let state = State::replay(world.records.clone());
    world.engine = Engine::new(world.engine.stack().clone(), state);
    world.acts.clear();
    world.pass(2000);
    world.event(Event::Began { version: String::from("test") });
    assert!(world.executed().is_empty());
    let seen = Inspection {
        state: RuntimeState::Running,
        up_for: Some(Duration::from_secs(1)),
        ..Inspection::default()
    };
    world.fact(GAME, Fact::Inspected(seen));
    world.a2s(true);
    world.rcon(true);
    world.pass(3000);
    assert_eq!(world.incident(1).state, Lifecycle::Restored);
    assert!(world.executed().is_empty());
    world.replays();
}

#[test]
fn after_a_restart_ignorance_ends_no_symptom() {
    let mut world = World::new();
    world.crash(139);
    let state = State::replay(world.records.clone());
    world.engine = Engine::new(world.engine.stack().clone(), state);
    world.event(Event::Began { version: String::from("test") });
    world.database(true);
    world.a2s(false);
    world.pass(1000);
    assert!(world.incident(1).shows("gmod", SymptomKind::Down), "nobody has looked yet");
    let seen =
        Inspection { state: RuntimeState::Exited, exit_code: Some(139), ..Inspection::default() };
    world.fact(GAME, Fact::Inspected(seen));
    assert!(world.incident(1).shows("gmod", SymptomKind::Down), "it is down still");
    assert_eq!(world.incident(1).symptoms.len(), 1, "the same symptom, not another");
    world.boot(500);
    assert!(!world.incident(1).shows("gmod", SymptomKind::Down), "now it is known");
    world.replays();
}

#[test]
fn a_relapse_is_repaired_also_when_a_person_had_been_called() {
    let mut world = World::new();
    world.crash(127);
    world.collect(RuntimeState::Exited, Some(127));
    assert_eq!(world.incident(1).state, Lifecycle::Escalated);
    world.boot(500);
    world.pass(30_000);
    assert_eq!(world.incident(1).state, Lifecycle::Restored);
    world.crash(139);
    assert_eq!(world.incident(1).relapses, 1);
    world.collect(RuntimeState::Exited, Some(139));
    assert_eq!(world.executed(), [Step::Up { recreate: false }]);
    world.replays();
}

#[test]
fn a_crash_loop_that_lives_again_is_waited_for() {
    let mut world = World::new();
    for _ in 0..3 {
        world.crash(139);
        world.boot(500);
        world.pass(1000);
    }
    world.collect(RuntimeState::Running, None);
    world.pass(60_000);
    world.a2s(true);
    world.pass(20_000);
    assert_eq!(world.incident(1).runs.len(), 1);
    assert!(world.executed().is_empty(), "it lives: nothing is tried on it");
    assert_eq!(world.incident(1).state, Lifecycle::Restored);
}

#[test]
fn maintenance_opens_nothing_until_it_ends() {
    let mut world = World::new();
    let by = Actor::Person(String::from("anna"));
    let until = world.now.plus(Duration::from_secs(60));
    world.event(Event::Ordered(Order::Maintenance(Some(until), by)));
    world.crash(139);
    world.pass(59_000);
    assert!(world.engine.state().incidents.is_empty());
    world.pass(2000);
    assert_eq!(world.incident(1).state, Lifecycle::Repairing);
}

#[test]
fn a_boot_is_excused_and_learned() {
    let mut world = World::new();
    world.runtime(GAME, RuntimeEvent::Started);
    freeze(&mut world, 60);
    assert!(world.engine.state().incidents.is_empty());
    world.a2s(true);
    world.rcon(true);
    assert_eq!(world.engine.state().services["gmod"].boots.last(), Some(&60_000));
}

#[test]
fn silence_with_our_own_network_down_blames_nobody() {
    let mut world = World::new();
    world.fact(GAME, Fact::OwnNetwork(false));
    freeze(&mut world, 60);
    assert!(world.engine.state().incidents.is_empty());
}

#[test]
fn a_resolved_symptom_stays_quiet_until_it_came_back() {
    let mut world = World::new();
    for _ in 0..4 {
        world.pass(5000);
        world.a2s(false);
        world.rcon(true);
    }
    let by = Actor::Person(String::from("anna"));
    world.event(Event::Ordered(Order::Resolve(IncidentId(1), by)));
    world.pass(5000);
    world.a2s(false);
    assert_eq!(world.engine.state().incidents.len(), 1);
    world.pass(5000);
    world.a2s(true);
    for _ in 0..4 {
        world.pass(5000);
        world.a2s(false);
        world.rcon(true);
    }
    assert_eq!(world.engine.state().last_incident, 2);
}
