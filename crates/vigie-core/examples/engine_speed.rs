//! Measures how many events a second the engine takes: a thousand services whose proofs answer, with
//! a crash, its repair and its verification now and then. Prints the median of nine rounds.
#![expect(clippy::disallowed_methods, reason = "an example measures, and starts what it measures")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "the built-in runbook is tested elsewhere")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_core::observe::{A2sSample, Fact, Inspection, Observation, RuntimeEvent, RuntimeState};
use vigie_core::respond::{Evidence, Runbook, StepResult};
use vigie_core::stack::{Proofs, Role, Service, ServiceId, Settings, Stack};
use vigie_core::{Act, Engine, Event, Moment, State};

const SERVICES: u16 = 1000;
const EVENTS: u64 = 2_000_000;
const ROUNDS: usize = 9;
/// One event in this many is a death.
const DEATH_EVERY: u64 = 20_000;

struct World {
    engine: Engine,
    now: i64,
    map: Arc<str>,
}

impl World {
    fn new() -> Self {
        let services = (0..SERVICES).map(|number| {
            let mut service = Service::new(format!("server-{number}"), Role::Game);
            service.proofs = Proofs { a2s: true, rcon: true, ..Proofs::default() };
            service
        });
        let book = include_str!("../../vigie/runbooks/p1-unreachable.toml");
        let book: Runbook = toml::from_str(book).expect("a built-in runbook");
        let stack = Stack::new("speed", services.collect(), Settings::default(), vec![book]);
        let engine = Engine::new(stack, State::default());
        let mut world = Self { engine, now: 1_000_000, map: Arc::from("gm_construct") };
        for number in 0..SERVICES {
            let up_for = Some(Duration::from_secs(3600));
            let seen = Inspection { state: RuntimeState::Running, up_for, ..Inspection::default() };
            world.observe(number, Fact::Inspected(seen));
        }
        world
    }

    /// Hands over an event and does at once what the engine asks for.
    fn event(&mut self, event: Event) {
        let effects = self.engine.handle(Moment::from_ms(self.now), event);
        for act in effects.acts {
            match act {
                Act::Collect { run, service } => {
                    let state = self.engine.sense(service).runtime;
                    let inspection = Inspection { state, ..Inspection::default() };
                    let evidence = Box::new(Evidence { inspection, ..Evidence::default() });
                    self.event(Event::Collected { run, evidence });
                }
                Act::Execute { run, service, .. } => {
                    self.observe(service.index(), Fact::Runtime(RuntimeEvent::Started));
                    self.event(Event::StepEnded { run, result: StepResult::Done });
                }
                _ => {}
            }
        }
    }

    fn observe(&mut self, service: impl TryInto<u16>, fact: Fact) {
        let service = ServiceId(service.try_into().unwrap_or_default());
        let at = Moment::from_ms(self.now);
        self.event(Event::Observed(Observation { service, at, fact }));
    }

    fn one(&mut self, number: u64) {
        // A thousand services asked every five seconds by three probes.
        self.now += i64::from(number.is_multiple_of(3)) * 5;
        let service = u16::try_from(number / 3 % u64::from(SERVICES)).unwrap_or_default();
        let latency = Duration::from_millis(4);
        if number.is_multiple_of(DEATH_EVERY) {
            let service = u16::try_from(number / DEATH_EVERY % 1000).unwrap_or_default();
            return self
                .observe(service, Fact::Runtime(RuntimeEvent::Died { exit_code: Some(139) }));
        }
        match number % 3 {
            0 => {
                let map = Arc::clone(&self.map);
                let sample = A2sSample { players: 3, max_players: 24, map, latency };
                self.observe(service, Fact::A2s(Ok(sample)));
            }
            1 => self.observe(service, Fact::Rcon(Ok(latency))),
            _ => {
                let usage = Fact::Usage {
                    cpu_pct: Some(20.0),
                    mem_bytes: 1 << 30,
                    mem_limit: Some(3 << 30),
                };
                self.observe(service, usage);
            }
        }
        if self.engine.next_wake().is_some_and(|wake| wake.steady <= self.now) {
            self.event(Event::Tick);
        }
    }
}

fn main() {
    let mut rates = Vec::new();
    let mut incidents = 0;
    for _ in 0..ROUNDS {
        let mut world = World::new();
        let begun = Instant::now();
        for number in 1..=EVENTS {
            world.one(number);
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        rates.push(EVENTS as f64 / begun.elapsed().as_secs_f64());
        incidents = world.engine.state().last_incident;
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "engine: {:.0} events/s (median of {ROUNDS}; {:.0} to {:.0}), {SERVICES} services, \
         {incidents} incidents a round",
        rates[ROUNDS / 2],
        rates[0],
        rates[ROUNDS - 1]
    );
}
