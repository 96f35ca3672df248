//! A world with a truth of its own: processes that live, freeze and die, a runtime that tells (or
//! not), probes that answer late or never, and a vigie that can be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use vigie_core::event::{Act, Event, Order};
use vigie_core::incident::Actor;
use vigie_core::observe::{
    A2sSample, ConsoleFact, DatabaseSample, Fact, Health, Inspection, Observation, Refusal,
    RuntimeEvent, RuntimeState,
};
use vigie_core::respond::{Evidence, Phase, Runbook, Step, StepResult};
use vigie_core::stack::{Proofs, Role, Service, ServiceId, Settings, Stack};
use vigie_core::{Engine, Moment, State};

use crate::invariants::{Delivered, Ledger, settled};

/// What can happen.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Pass(i64),
    Crash(u16, i32),
    Oom(u16),
    Freeze(u16),
    Thaw(u16),
    OperatorStop(u16),
    OperatorKill(u16),
    OperatorStart(u16),
    Sicken(u16),
    RuntimeAway(bool),
    NetworkDown(bool),
    KillVigie,
    Lossy(u8),
    BadSteps(u8),
    Maintenance(bool),
    Approve(bool),
    ClockJump(i64),
    DatabaseComplaint(u16),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Process {
    Dead { code: i32, oom: bool },
    Booting { ready: i64 },
    Up,
    Frozen,
}

#[derive(Debug)]
struct Truth {
    process: Process,
    started: i64,
    sick: bool,
    restart_at: Option<i64>,
}

pub(crate) struct World {
    engine: Engine,
    ledger: Ledger,
    steady: i64,
    wall_offset: i64,
    random: u64,
    truths: Vec<Truth>,
    delivered: BTreeMap<String, Delivered>,
    queue: BTreeMap<(i64, u64), Event>,
    counter: u64,
    next_probe: i64,
    restarts_itself: bool,
    runtime_away: bool,
    missed: BTreeSet<u16>,
    network_down: bool,
    loss: u8,
    bad_steps: u8,
}

const GAME: u16 = 0;
const DATABASE: u16 = 1;

fn runbooks() -> Vec<Runbook> {
    [
        include_str!("../../../vigie/runbooks/p1-unreachable.toml"),
        include_str!("../../../vigie/runbooks/p2-database-down.toml"),
        include_str!("../../../vigie/runbooks/p1-host-memory.toml"),
        include_str!("../../../vigie/runbooks/p1-other.toml"),
        include_str!("../../../vigie/runbooks/p2-broken-feature.toml"),
        include_str!("../../../vigie/runbooks/p3-performance.toml"),
    ]
    .map(|text| toml::from_str(text).unwrap())
    .to_vec()
}

fn stack() -> Stack {
    let mut game = Service::new("gmod", Role::Game);
    game.proofs = Proofs { a2s: true, rcon: true, ..Proofs::default() };
    game.depends_on = vec![ServiceId(DATABASE)];
    let mut database = Service::new("mysql", Role::Database);
    database.proofs = Proofs { database: true, tcp: true, ..Proofs::default() };
    database.boot_grace = Duration::from_secs(60);
    let mut other = Service::new("web", Role::Other);
    other.proofs = Proofs { tcp: true, ..Proofs::default() };
    Stack::new("simulated", vec![game, database, other], Settings::default(), runbooks())
}

impl World {
    pub(crate) fn new(seed: u64, restarts_itself: bool) -> Self {
        let truth = || Truth { process: Process::Up, started: 0, sick: false, restart_at: None };
        let mut world = Self {
            engine: Engine::new(stack(), State::default()),
            ledger: Ledger::default(),
            steady: 1_000_000_000,
            wall_offset: 0,
            random: seed | 1,
            truths: vec![truth(), truth(), truth()],
            delivered: BTreeMap::new(),
            queue: BTreeMap::new(),
            counter: 0,
            next_probe: 1_000_000_000,
            restarts_itself,
            runtime_away: false,
            missed: BTreeSet::new(),
            network_down: false,
            loss: 0,
            bad_steps: 0,
        };
        let began = world.begin().and_then(|()| world.pass(6_000));
        began.expect("a calm world");
        world
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn now(&self) -> Moment {
        Moment { steady: self.steady, wall: self.steady + self.wall_offset }
    }

    fn name(id: u16) -> &'static str {
        ["gmod", "mysql", "web"][usize::from(id)]
    }

    fn begin(&mut self) -> Result<(), String> {
        self.hand(Event::Began { version: String::from("sim") })?;
        for id in 0..3 {
            self.inspect(id)?;
        }
        Ok(())
    }

    /// Hands one event to the engine, checks, and does what it wants done.
    fn hand(&mut self, event: Event) -> Result<(), String> {
        self.deliver(&event);
        let now = self.now();
        let effects = self.engine.handle(now, event);
        let delivered = &self.delivered;
        let look = |name: &str| delivered.get(name).copied().unwrap_or_default();
        let held = self.ledger.take(now, &effects.records, &self.engine, &look);
        held.map_err(|why| format!("{why}\n{}", self.ledger.tail()))?;
        for act in effects.acts {
            self.carry_out(act);
        }
        Ok(())
    }

    /// Keeps what the engine could know, as the invariants see it.
    fn deliver(&mut self, event: &Event) {
        let Event::Observed(observation) = event else { return };
        if observation.service.0 > 2 {
            return;
        }
        let seen = self.delivered.entry(Self::name(observation.service.0).to_owned()).or_default();
        let count = |failures: &mut u32, bad: bool| *failures = if bad { *failures + 1 } else { 0 };
        match &observation.fact {
            Fact::A2s(result) => {
                seen.answers = result.is_ok();
                count(&mut seen.a2s_failures, result.is_err());
            }
            Fact::Rcon(result) => count(&mut seen.rcon_failures, result.is_err()),
            Fact::Database(result) => {
                seen.answers = result.is_ok();
                count(&mut seen.database_failures, result.is_err());
            }
            Fact::Tcp(result) => {
                if observation.service.0 == 2 {
                    seen.answers = result.is_ok();
                }
                count(&mut seen.tcp_failures, result.is_err());
            }
            Fact::Inspected(look) => {
                seen.running = look.state == RuntimeState::Running;
                seen.unhealthy = look.health == Health::Unhealthy;
            }
            Fact::Runtime(RuntimeEvent::Started) => {
                *seen = Delivered { running: true, ..Delivered::default() };
            }
            Fact::Runtime(RuntimeEvent::Died { .. }) => {
                seen.running = false;
            }
            _ => {}
        }
    }

    fn later(&mut self, after: i64, event: Event) {
        self.counter += 1;
        self.queue.insert((self.steady + after, self.counter), event);
    }

    fn seen(&self, id: u16, fact: Fact) -> Event {
        Event::Observed(Observation { service: ServiceId(id), at: self.now(), fact })
    }

    fn tell(&mut self, id: u16, event: RuntimeEvent) -> Result<(), String> {
        if self.runtime_away {
            self.missed.insert(id);
            return Ok(());
        }
        let event = self.seen(id, Fact::Runtime(event));
        self.hand(event)
    }

    fn inspection(&self, id: u16) -> Inspection {
        let truth = &self.truths[usize::from(id)];
        let (state, exit_code, oom_killed) = match truth.process {
            Process::Dead { code, oom } => (RuntimeState::Exited, Some(code), oom),
            _ => (RuntimeState::Running, None, false),
        };
        let up = u64::try_from(self.steady - truth.started).unwrap_or(0);
        Inspection {
            state,
            exit_code,
            oom_killed,
            up_for: Some(Duration::from_millis(up)),
            health: if truth.sick { Health::Unhealthy } else { Health::None },
            restarts_itself: self.restarts_itself,
            ..Inspection::default()
        }
    }

    fn inspect(&mut self, id: u16) -> Result<(), String> {
        if self.runtime_away {
            return Ok(());
        }
        let event = self.seen(id, Fact::Inspected(self.inspection(id)));
        self.hand(event)
    }

    fn carry_out(&mut self, act: Act) {
        match act {
            Act::Collect { run, service } => {
                let inspection = match (self.runtime_away, service.0) {
                    (false, 0..=2) => self.inspection(service.0),
                    _ => Inspection::default(),
                };
                let evidence = Box::new(Evidence { inspection, ..Evidence::default() });
                // Sometimes late, sometimes never.
                match self.random(10) {
                    0 => {}
                    1 => self.later(8_000, Event::Collected { run, evidence }),
                    _ => self.later(50, Event::Collected { run, evidence }),
                }
            }
            Act::Execute { run, service, step } => {
                let bad = u64::from(self.bad_steps) > self.random(4);
                let result = if bad {
                    StepResult::Failed(String::from("simulated"))
                } else {
                    StepResult::Done
                };
                // A step that is said to have failed may have happened all the same.
                if !bad || self.random(2) == 0 {
                    self.happen(service.0, &step);
                }
                if self.random(12) > 0 {
                    let after = i64::try_from(self.random(4_000)).unwrap_or(0);
                    self.later(after, Event::StepEnded { run, result });
                }
            }
            Act::Look { .. } | Act::Hasten { .. } | Act::Abort { .. } => {}
        }
    }

    /// What a step does to the world; its events are told a little later.
    fn happen(&mut self, id: u16, step: &Step) {
        if id > 2 {
            return;
        }
        let lives = !matches!(self.truths[usize::from(id)].process, Process::Dead { .. });
        let ends = matches!(step, Step::Stop | Step::Restart { .. } | Step::Up { recreate: true });
        if lives && ends {
            self.truths[usize::from(id)].process = Process::Dead { code: 137, oom: false };
            let died = self.seen(id, Fact::Runtime(RuntimeEvent::Died { exit_code: Some(137) }));
            self.later(5, died);
        }
        if step.restarts() && (!lives || ends) {
            self.boot(id);
            let started = self.seen(id, Fact::Runtime(RuntimeEvent::Started));
            self.later(10, started);
        }
        if *step == Step::Stop {
            self.truths[usize::from(id)].restart_at = None;
        }
    }

    fn boot(&mut self, id: u16) {
        let takes = 500 + i64::try_from(self.random(20_000)).unwrap_or(0);
        let truth = &mut self.truths[usize::from(id)];
        truth.process = Process::Booting { ready: self.steady + takes };
        truth.started = self.steady;
        truth.restart_at = None;
        truth.sick = false;
    }

    fn die(&mut self, id: u16, code: i32, oom: bool) -> Result<(), String> {
        let truth = &mut self.truths[usize::from(id)];
        if matches!(truth.process, Process::Dead { .. }) {
            return Ok(());
        }
        truth.process = Process::Dead { code, oom };
        truth.restart_at = self.restarts_itself.then_some(self.steady + 200);
        if oom {
            self.tell(id, RuntimeEvent::Oom)?;
        }
        self.tell(id, RuntimeEvent::Died { exit_code: Some(code) })
    }

    /// Lets time pass, step by step, delivering what is due in between.
    pub(crate) fn pass(&mut self, ms: i64) -> Result<(), String> {
        let end = self.steady + ms;
        loop {
            let restart = self.truths.iter().filter_map(|truth| truth.restart_at).min();
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let wake = self.engine.next_wake().map(|wake| wake.steady);
            let next = [restart, queued, wake, Some(self.next_probe)].into_iter().flatten().min();
            let next = next.unwrap_or(end).max(self.steady);
            if next > end {
                self.steady = end;
                return Ok(());
            }
            self.steady = next;
            if let Some((key, event)) =
                self.queue.first_key_value().map(|(key, event)| (*key, event.clone()))
                && key.0 <= self.steady
            {
                self.queue.remove(&key);
                self.hand(event)?;
                continue;
            }
            self.restart_by_policy()?;
            if self.steady >= self.next_probe {
                self.next_probe = self.steady + 5_000;
                self.probe()?;
            }
            self.hand(Event::Tick)?;
        }
    }

    fn restart_by_policy(&mut self) -> Result<(), String> {
        for id in 0..3 {
            if self.truths[usize::from(id)].restart_at.is_some_and(|at| at <= self.steady) {
                self.boot(id);
                self.tell(id, RuntimeEvent::Started)?;
            }
        }
        Ok(())
    }

    fn probe(&mut self) -> Result<(), String> {
        for id in 0..3 {
            let steady = self.steady;
            let truth = &mut self.truths[usize::from(id)];
            if matches!(truth.process, Process::Booting { ready } if ready <= steady) {
                truth.process = Process::Up;
            }
            let good = truth.process == Process::Up && !self.network_down;
            for fact in self.looks(id, good) {
                let event = self.seen(id, fact);
                // Lost, late (and so out of order), or in time.
                match self.random(10) < u64::from(self.loss) {
                    true if self.random(2) == 0 => {}
                    true => self.later(3_000, event),
                    false => self.hand(event)?,
                }
            }
            if self.random(4) == 0 {
                self.inspect(id)?;
            }
        }
        Ok(())
    }

    fn looks(&self, id: u16, good: bool) -> Vec<Fact> {
        let latency = Duration::from_millis(3);
        let refused = || Refusal::Timeout;
        match id {
            GAME => {
                let map = Arc::from("gm_construct");
                let sample = A2sSample { players: 1, max_players: 24, map, latency };
                vec![
                    Fact::A2s(good.then_some(sample).ok_or_else(refused)),
                    Fact::Rcon(good.then_some(latency).ok_or_else(refused)),
                ]
            }
            DATABASE => {
                let sample = DatabaseSample { latency, connections: 1, slow_queries: 0 };
                vec![
                    Fact::Database(good.then_some(sample).ok_or_else(refused)),
                    Fact::Tcp(good.then_some(latency).ok_or_else(refused)),
                ]
            }
            _ => vec![Fact::Tcp(good.then_some(latency).ok_or_else(refused))],
        }
    }

    fn runtime_back(&mut self) -> Result<(), String> {
        self.runtime_away = false;
        let back = self.seen(3, Fact::RuntimeReachable(true));
        self.hand(back)?;
        self.missed.clear();
        for id in 0..3 {
            self.inspect(id)?;
        }
        Ok(())
    }

    /// Vigie dies: what it was doing is gone, what it had recorded is not.
    fn kill_vigie(&mut self) -> Result<(), String> {
        self.ledger.replays(&self.engine)?;
        let state = State::replay(self.ledger.records.clone());
        self.engine = Engine::new(stack(), state);
        self.queue.retain(|_, event| matches!(event, Event::Observed(_)));
        self.steady += 1_500;
        if self.runtime_away {
            self.begin()?;
            let away = self.seen(3, Fact::RuntimeReachable(false));
            return self.hand(away);
        }
        self.begin()
    }

    pub(crate) fn act(&mut self, action: &Action) -> Result<(), String> {
        let person = || Actor::Person(String::from("anna"));
        match *action {
            Action::Pass(ms) => self.pass(ms),
            Action::Crash(id, code) => self.die(id, code, false),
            Action::Oom(id) => self.die(id, 137, true),
            Action::Freeze(id) => {
                let truth = &mut self.truths[usize::from(id)];
                if truth.process == Process::Up {
                    truth.process = Process::Frozen;
                }
                Ok(())
            }
            Action::Thaw(id) => {
                let truth = &mut self.truths[usize::from(id)];
                if truth.process == Process::Frozen {
                    truth.process = Process::Up;
                }
                Ok(())
            }
            Action::OperatorStop(id) => {
                if matches!(self.truths[usize::from(id)].process, Process::Dead { .. }) {
                    return Ok(());
                }
                self.tell(id, RuntimeEvent::Killed { signal: 15 })?;
                self.die(id, 0, false)?;
                self.truths[usize::from(id)].restart_at = None;
                self.tell(id, RuntimeEvent::Stopped)
            }
            Action::OperatorKill(id) => {
                self.tell(id, RuntimeEvent::Killed { signal: 9 })?;
                self.die(id, 137, false)
            }
            Action::OperatorStart(id) => {
                if !matches!(self.truths[usize::from(id)].process, Process::Dead { .. }) {
                    return Ok(());
                }
                self.boot(id);
                self.tell(id, RuntimeEvent::Started)
            }
            Action::Sicken(id) => {
                self.truths[usize::from(id)].sick = true;
                self.tell(id, RuntimeEvent::Health(Health::Unhealthy))
            }
            Action::RuntimeAway(true) => {
                self.runtime_away = true;
                let away = self.seen(3, Fact::RuntimeReachable(false));
                self.hand(away)
            }
            Action::RuntimeAway(false) => self.runtime_back(),
            Action::NetworkDown(down) => {
                self.network_down = down;
                let network = self.seen(3, Fact::OwnNetwork(!down));
                self.hand(network)
            }
            Action::KillVigie => self.kill_vigie(),
            Action::Lossy(loss) => {
                self.loss = loss;
                Ok(())
            }
            Action::BadSteps(bad) => {
                self.bad_steps = bad;
                Ok(())
            }
            Action::Maintenance(on) => {
                let until = on.then(|| self.now().plus(Duration::from_secs(60)));
                self.hand(Event::Ordered(Order::Maintenance(until, person())))
            }
            Action::Approve(granted) => {
                let asking = self.engine.state().live_runs();
                let asking = asking.filter(|run| matches!(run.phase, Phase::Approval { .. }));
                let Some(run) = asking.map(|run| run.id).next() else { return Ok(()) };
                self.hand(Event::Ordered(Order::Approve { run, granted, by: person() }))
            }
            Action::ClockJump(by) => {
                self.wall_offset += by;
                self.hand(Event::ClockJumped(by))
            }
            Action::DatabaseComplaint(id) => {
                let lost = ConsoleFact::DatabaseLost(Arc::from("refused"));
                let event = self.seen(id, Fact::Console(lost));
                self.hand(event)
            }
        }
    }

    /// Everything works and stays so for long: now every incident must have come to an end.
    pub(crate) fn calm_down(&mut self) -> Result<(), String> {
        self.loss = 0;
        self.bad_steps = 0;
        self.network_down = false;
        self.ledger.replays(&self.engine)?;
        let network = self.seen(3, Fact::OwnNetwork(true));
        self.hand(network)?;
        if self.runtime_away {
            self.runtime_back()?;
        }
        self.pass(400_000)?;
        for id in 0..3 {
            let truth = &mut self.truths[usize::from(id)];
            truth.sick = false;
            if truth.process == Process::Frozen {
                truth.process = Process::Up;
            }
            self.act(&Action::OperatorStart(id))?;
            self.inspect(id)?;
        }
        self.pass(1_600_000)?;
        self.ledger.replays(&self.engine)?;
        settled(self.engine.state()).map_err(|why| format!("{why}\n{}", self.ledger.tail()))
    }
}
