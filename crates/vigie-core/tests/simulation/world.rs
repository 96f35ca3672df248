//! A world with a truth of its own: processes that live, freeze and die, a runtime that tells (or
//! not), probes that answer late or never, and a vigie that can be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use vigie_core::event::{Act, Event, Order};
use vigie_core::incident::Actor;
use vigie_core::observe::{
    A2sSample, ConsoleFact, DatabaseSample, Fact, Health, Inspection, Observation, Probe, Refusal,
    RuntimeEvent, RuntimeState,
};
use vigie_core::respond::{Evidence, Phase, Runbook, Step, StepResult};
use vigie_core::stack::{Mode, Proofs, Role, Service, ServiceId, Settings, Stack, WhenSpent};
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
    KillVigie(i64),
    Incurable(u16, bool),
    LuaErrors(u64, u32),
    Memory(u16, u64),
    MapChange,
    Resolve,
    Report(u16),
    Run(u16),
    Lossy(u8),
    BadSteps(u8),
    Maintenance(bool),
    Approve(bool),
    ClockJump(i64),
    DatabaseComplaint,
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
    /// Since when it has answered whoever asked.
    answers: Option<i64>,
    ill: Option<Illness>,
    dies_at: Option<i64>,
}

/// What no repair cures.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Illness {
    /// Every process of it dies after a while.
    Dies,
    /// No process of it ever answers.
    Hangs,
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
    away: bool,
    stack: Stack,
    map_change_until: i64,
    /// When the runtime's first look is there.
    next_look: i64,
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

/// The reference stack; every third one is configured in another way.
fn stack(seed: u64) -> Stack {
    let mut game = Service::new("gmod", Role::Game);
    game.proofs = Proofs { a2s: true, rcon: true, ..Proofs::default() };
    game.depends_on = vec![ServiceId(DATABASE)];
    let mut database = Service::new("mysql", Role::Database);
    database.proofs = Proofs { database: true, tcp: true, ..Proofs::default() };
    database.boot_grace = Duration::from_secs(60);
    let mut other = Service::new("web", Role::Other);
    other.proofs = Proofs { tcp: true, ..Proofs::default() };
    let mut settings = Settings::default();
    match seed % 9 {
        0 => settings.mode = Mode::Observe,
        1 => settings.mode = Mode::Assist,
        2 => {
            settings.budget.when_spent = WhenSpent::Leave;
            settings.budget.restarts = 2;
            game.thresholds.failures = 5;
            database.thresholds.failures = 2;
        }
        _ => {}
    }
    Stack::new("simulated", vec![game, database, other], settings, runbooks())
}

impl World {
    pub(crate) fn new(seed: u64, restarts_itself: bool) -> Self {
        let truth = || Truth {
            process: Process::Up,
            started: 0,
            sick: false,
            restart_at: None,
            answers: Some(0),
            ill: None,
            dies_at: None,
        };
        let stack = stack(seed);
        let mut world = Self {
            engine: Engine::new(stack.clone(), State::default()),
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
            away: false,
            stack,
            map_change_until: 0,
            next_look: 0,
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
        if self.away {
            return Ok(());
        }
        self.deliver(&event);
        let now = self.now();
        let effects = self.engine.handle(now, event);
        let delivered = &self.delivered;
        let (steady, truths) = (self.steady, &self.truths);
        let look = |name: &str| {
            let at = ["gmod", "mysql", "web"].iter().position(|one| *one == name).unwrap_or(0);
            let seen = delivered.get(name).copied().unwrap_or_default();
            let lives = truths[at].answers.filter(|_| !truths[at].sick);
            Delivered { works: lives.is_some_and(|since| steady - since > 60_000), ..seen }
        };
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
        let steady = self.steady;
        let blind = self.network_down;
        let changing = observation.service.0 == GAME && steady < self.map_change_until;
        let grace = if observation.service.0 == DATABASE { 60_000 } else { 180_000 };
        let seen = self.delivered.entry(Self::name(observation.service.0).to_owned()).or_default();
        let failed = |fact: &Fact| match fact {
            Fact::A2s(result) => Some(result.is_err()),
            Fact::Rcon(result) | Fact::Tcp(result) => Some(result.is_err()),
            Fact::Database(result) => Some(result.is_err()),
            _ => None,
        };
        if let Some(failed) = failed(&observation.fact) {
            let boots = !seen.ready && steady - seen.started < grace;
            let count = match &observation.fact {
                Fact::A2s(_) => &mut seen.a2s_failures,
                Fact::Rcon(_) => &mut seen.rcon_failures,
                Fact::Database(_) => &mut seen.database_failures,
                _ => &mut seen.tcp_failures,
            };
            *count = if failed { *count + 1 } else { 0 };
            let players = match &observation.fact {
                Fact::A2s(_) | Fact::Database(_) => true,
                Fact::Tcp(_) => observation.service.0 == 2,
                _ => false,
            };
            if players {
                seen.answers = !failed;
                seen.ready |= !failed;
            }
            // The same excuses as the engine's: such a silence proves nothing.
            if failed && (blind || boots || changing) {
                seen.a2s_failures = 0;
                seen.rcon_failures = 0;
                seen.database_failures = 0;
                seen.tcp_failures = 0;
            }
            return;
        }
        match &observation.fact {
            Fact::Inspected(look) => {
                let began = observation.at.steady
                    - i64::try_from(look.up_for.unwrap_or_default().as_millis()).unwrap_or(0);
                let runs = look.state == RuntimeState::Running;
                let first = seen.started == 0;
                if runs && first {
                    // The first sight of it; the engine may have had it with a run's evidence.
                    seen.started = began;
                } else if runs && (!seen.running || began > seen.started + 2_000) {
                    *seen = Delivered { running: true, started: began, ..Delivered::default() };
                }
                seen.running = runs;
                seen.unhealthy = look.health == Health::Unhealthy;
            }
            Fact::Runtime(RuntimeEvent::Started) if observation.at.steady >= seen.started => {
                let started = observation.at.steady;
                *seen = Delivered { running: true, started, ..Delivered::default() };
            }
            Fact::Runtime(RuntimeEvent::Died { .. }) if observation.at.steady >= seen.started => {
                seen.running = false;
                seen.answers = false;
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
        // The runtime's word too can be lost, or come late and out of order.
        match self.random(40) < u64::from(self.loss) {
            true if self.random(2) == 0 => Ok(()),
            true => {
                let after = i64::try_from(self.random(2_000)).unwrap_or(0);
                self.later(after, event);
                Ok(())
            }
            false => self.hand(event),
        }
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
                    let whole = step == Step::DownUp;
                    for id in (0..3).filter(|id| whole || *id == service.0) {
                        self.happen(id, &step);
                    }
                }
                if self.random(12) > 0 {
                    let after = i64::try_from(self.random(4_000)).unwrap_or(0);
                    self.later(after, Event::StepEnded { run, result });
                }
            }
            Act::Look { service, probe } if service.0 <= 2 && self.random(20) > 0 => {
                let id = service.0;
                let good = self.is_good(id);
                let facts = self.looks(id, good);
                let fact = match probe {
                    Probe::Runtime if self.runtime_away => None,
                    Probe::Runtime => Some(Fact::Inspected(self.inspection(id))),
                    Probe::Tcp => facts.into_iter().find(|fact| matches!(fact, Fact::Tcp(_))),
                    Probe::A2s => facts.into_iter().find(|fact| matches!(fact, Fact::A2s(_))),
                    Probe::Rcon => facts.into_iter().find(|fact| matches!(fact, Fact::Rcon(_))),
                    Probe::Database => {
                        facts.into_iter().find(|fact| matches!(fact, Fact::Database(_)))
                    }
                };
                if let Some(fact) = fact {
                    let event = self.seen(id, fact);
                    self.later(20, event);
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
        let ends = step.ends_process();
        if lives && ends {
            let truth = &mut self.truths[usize::from(id)];
            truth.process = Process::Dead { code: 137, oom: false };
            truth.answers = None;
            truth.dies_at = None;
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
        if id == GAME {
            self.map_change_until = 0;
        }
        let truth = &mut self.truths[usize::from(id)];
        let takes = if truth.ill == Some(Illness::Hangs) { i64::MAX / 2 } else { takes };
        truth.process = Process::Booting { ready: self.steady + takes };
        truth.answers = None;
        truth.dies_at = (truth.ill == Some(Illness::Dies)).then_some(self.steady + 15_000);
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
        truth.answers = None;
        truth.dies_at = None;
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
            let wake = self.engine.next_wake().filter(|_| !self.away).map(|wake| wake.steady);
            let dies = self.truths.iter().filter_map(|truth| truth.dies_at).min();
            let next =
                [restart, dies, queued, wake, Some(self.next_probe)].into_iter().flatten().min();
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
            self.die_of_illness()?;
            self.restart_by_policy()?;
            if self.steady >= self.next_probe {
                self.next_probe = self.steady + 5_000;
                self.probe()?;
            }
            self.hand(Event::Tick)?;
        }
    }

    fn die_of_illness(&mut self) -> Result<(), String> {
        for id in 0..3 {
            if self.truths[usize::from(id)].dies_at.is_some_and(|at| at <= self.steady) {
                self.die(id, 139, false)?;
            }
        }
        Ok(())
    }

    fn is_good(&self, id: u16) -> bool {
        self.truths[usize::from(id)].process == Process::Up && !self.network_down
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
            let good = self.is_good(id);
            let truth = &mut self.truths[usize::from(id)];
            truth.answers = if good { truth.answers.or(Some(steady)) } else { None };
            // A database is only greeted when a login has failed: the engine asks for that.
            let asked = |fact: &Fact| id != DATABASE || !matches!(fact, Fact::Tcp(_));
            for fact in self.looks(id, good).into_iter().filter(asked) {
                let event = self.seen(id, fact);
                // Lost, late (and so out of order), or in time.
                match self.random(10) < u64::from(self.loss) {
                    true if self.random(2) == 0 => {}
                    true => self.later(3_000, event),
                    false => self.hand(event)?,
                }
            }
            if self.random(4) == 0 && self.next_look <= self.steady {
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

    /// Vigie dies: what it was doing is gone, what it had recorded is not. The world goes on.
    fn kill_vigie(&mut self, away: i64) -> Result<(), String> {
        self.ledger.replays(&self.engine)?;
        self.queue.retain(|_, event| matches!(event, Event::Observed(_)));
        self.away = true;
        self.pass(1_500 + away)?;
        self.away = false;
        self.queue.clear();
        let state = State::replay(self.ledger.records.clone());
        self.engine = Engine::new(self.stack.clone(), state);
        self.delivered.clear();
        // What was announced before the watch began is not known to it.
        self.map_change_until = 0;
        self.hand(Event::Began { version: String::from("sim") })?;
        if self.network_down {
            let network = self.seen(3, Fact::OwnNetwork(false));
            self.hand(network)?;
        }
        if self.runtime_away {
            let away = self.seen(3, Fact::RuntimeReachable(false));
            return self.hand(away);
        }
        // The first look comes behind the beginning, of a busy runtime well behind it.
        let after = if self.random(2) == 0 { 40 } else { self.random(20_000) };
        let after = i64::try_from(after).unwrap_or(0);
        self.next_look = self.steady + after;
        self.pass(after)?;
        for id in 0..3 {
            self.inspect(id)?;
        }
        Ok(())
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
            Action::KillVigie(away) => self.kill_vigie(away),
            Action::Incurable(id, hangs) => {
                let truth = &mut self.truths[usize::from(id)];
                truth.ill = Some(if hangs && id != 2 { Illness::Hangs } else { Illness::Dies });
                self.die(id, 139, false)
            }
            Action::LuaErrors(signature, count) => {
                let sample = Arc::from("addons/a/lua/b.lua:1: attempt to call nil value");
                let errors = ConsoleFact::LuaErrors { signature, count, sample };
                let event = self.seen(GAME, Fact::Console(errors));
                self.hand(event)
            }
            Action::Memory(id, pct) => {
                let (mem_bytes, mem_limit) = (pct << 20, Some(100 << 20));
                let event = self.seen(id, Fact::Usage { cpu_pct: 10.0, mem_bytes, mem_limit });
                self.hand(event)
            }
            Action::MapChange => {
                self.map_change_until = self.steady + 60_000;
                let event = self.seen(GAME, Fact::Console(ConsoleFact::MapChange));
                self.hand(event)
            }
            Action::Resolve => {
                let active = self.engine.state().active().map(|one| one.id).next();
                let Some(id) = active else { return Ok(()) };
                self.hand(Event::Ordered(Order::Resolve(id, person())))
            }
            Action::Report(id) => {
                let (service, text) = (ServiceId(id), String::from("it feels slow"));
                let severity = vigie_core::incident::Severity::P2;
                self.hand(Event::Ordered(Order::Report { service, severity, text, by: person() }))
            }
            Action::Run(id) => {
                let (service, by) = (ServiceId(id), person());
                let runbook = ["p1-unreachable", "p2-database-down", "p1-other"];
                let runbook = runbook[usize::from(id)].to_owned();
                self.hand(Event::Ordered(Order::Run { service, runbook, by }))
            }
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
            Action::DatabaseComplaint => {
                let lost = ConsoleFact::DatabaseLost(Arc::from("refused"));
                let event = self.seen(GAME, Fact::Console(lost));
                self.hand(event)
            }
        }
    }

    /// Everything around works and stays so for long: what no repair cures has to be in a person's
    /// hands by then; and when everything works, every incident must have come to an end.
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
        self.act(&Action::Maintenance(false))?;
        self.despair()?;
        self.pass(400_000)?;
        for id in 0..3 {
            let truth = &mut self.truths[usize::from(id)];
            truth.sick = false;
            truth.ill = None;
            truth.dies_at = None;
            if matches!(truth.process, Process::Frozen | Process::Booting { .. }) {
                truth.process = Process::Up;
            }
            self.act(&Action::OperatorStart(id))?;
            self.inspect(id)?;
            self.act(&Action::Memory(id, 10))?;
        }
        self.pass(1_600_000)?;
        self.ledger.replays(&self.engine)?;
        settled(self.engine.state()).map_err(|why| format!("{why}\n{}", self.ledger.tail()))
    }

    /// Of what no repair cures a person has been told within half an hour.
    fn despair(&mut self) -> Result<(), String> {
        let ill: Vec<u16> =
            (0..3).filter(|id| self.truths[usize::from(*id)].ill.is_some()).collect();
        if ill.is_empty() {
            return Ok(());
        }
        // One more death, that it may be new; a person's stop or word is no part of this.
        for id in &ill {
            self.act(&Action::OperatorStart(*id))?;
            self.pass(1_000)?;
            self.die(*id, 139, false)?;
        }
        self.pass(1_800_000)?;
        for id in ill {
            let name = Self::name(id);
            let told = |one: &vigie_core::incident::Incident| {
                one.escalated.is_some() && one.symptoms.iter().any(|shown| shown.service == name)
            };
            let state = self.engine.state();
            let stopped = state.service(name).is_some_and(|memory| memory.stood_down);
            if !stopped && !state.active().any(told) {
                let why = format!("nobody was told of {name}, which nothing cures");
                return Err(format!("{why}\n{}", self.ledger.tail()));
            }
        }
        Ok(())
    }
}
