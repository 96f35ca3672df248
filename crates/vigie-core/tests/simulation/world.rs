//! A world with a truth of its own: processes that live, freeze and die, a runtime that tells (or
//! not), probes that answer late or never, and a vigie that can be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use vigie_core::event::{Act, Event};
use vigie_core::observe::{
    A2sSample, DatabaseSample, Fact, Health, Inspection, Observation, Probe, Refusal, RuntimeEvent,
    RuntimeState,
};
use vigie_core::respond::{Evidence, Runbook, Silence, Step, StepResult};
use vigie_core::stack::{Mode, Proofs, Role, Service, ServiceId, Settings, Stack, WhenSpent};
use vigie_core::{Engine, Moment, State};

use crate::invariants::{Delivered, Ledger};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Process {
    Dead { code: i32, oom: bool },
    Booting { ready: i64 },
    Up,
    Frozen,
}

#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) process: Process,
    pub(crate) started: i64,
    pub(crate) sick: bool,
    pub(crate) restart_at: Option<i64>,
    /// Since when it has answered whoever asked.
    pub(crate) answers: Option<i64>,
    pub(crate) ill: Option<Illness>,
    pub(crate) dies_at: Option<i64>,
}

/// What no repair cures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Illness {
    /// Every process of it dies after a while.
    Dies,
    /// No process of it ever answers.
    Hangs,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    pub(crate) steady: i64,
    pub(crate) wall_offset: i64,
    pub(crate) random: u64,
    pub(crate) truths: Vec<Truth>,
    pub(crate) delivered: BTreeMap<String, Delivered>,
    pub(crate) queue: BTreeMap<(i64, u64), Event>,
    pub(crate) counter: u64,
    pub(crate) next_probe: i64,
    pub(crate) restarts_itself: bool,
    pub(crate) runtime_away: bool,
    pub(crate) missed: BTreeSet<u16>,
    pub(crate) network_down: bool,
    pub(crate) loss: u8,
    pub(crate) bad_steps: u8,
    pub(crate) away: bool,
    pub(crate) stack: Stack,
    pub(crate) map_change_until: i64,
    /// When the runtime's first look is there.
    pub(crate) next_look: i64,
}

pub(crate) const GAME: u16 = 0;
pub(crate) const DATABASE: u16 = 1;

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
    let mut runbooks = runbooks();
    match seed % 9 {
        0 => settings.mode = Mode::Observe,
        1 => settings.mode = Mode::Assist,
        2 => {
            settings.budget.when_spent = WhenSpent::Leave;
            settings.budget.restarts = 2;
            game.thresholds.failures = 5;
            database.thresholds.failures = 2;
        }
        3 => {
            // Nobody's answer is a yes, to whatever it is.
            settings.mode = Mode::Assist;
            for case in runbooks.iter_mut().flat_map(|book| &mut book.cases) {
                case.approve_timeout = Some(Duration::from_secs(20));
                case.approve_default = Silence::Approve;
            }
        }
        _ => {}
    }
    Stack::new("simulated", vec![game, database, other], settings, runbooks)
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

    pub(crate) fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    pub(crate) fn now(&self) -> Moment {
        Moment { steady: self.steady, wall: self.steady + self.wall_offset }
    }

    pub(crate) fn name(id: u16) -> &'static str {
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
    pub(crate) fn hand(&mut self, event: Event) -> Result<(), String> {
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

    pub(crate) fn later(&mut self, after: i64, event: Event) {
        self.counter += 1;
        self.queue.insert((self.steady + after, self.counter), event);
    }

    pub(crate) fn seen(&self, id: u16, fact: Fact) -> Event {
        Event::Observed(Observation { service: ServiceId(id), at: self.now(), fact })
    }

    pub(crate) fn tell(&mut self, id: u16, event: RuntimeEvent) -> Result<(), String> {
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

    pub(crate) fn inspect(&mut self, id: u16) -> Result<(), String> {
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

    pub(crate) fn boot(&mut self, id: u16) {
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

    pub(crate) fn die(&mut self, id: u16, code: i32, oom: bool) -> Result<(), String> {
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

    pub(crate) fn runtime_back(&mut self) -> Result<(), String> {
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
    pub(crate) fn kill_vigie(&mut self, away: i64) -> Result<(), String> {
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
}
