//! A small obedient world: a game, its database and a web server in containers, a runtime that tells
//! at once, probes on their usual rhythm, and vigie's steps carried out as they were meant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use vigie_core::observe::Refusal::Timeout;
use vigie_core::observe::{Fact, Observation, Probe, RuntimeEvent, RuntimeState};
use vigie_core::respond::{Evidence, RunId, Runbook, Step, StepResult};
use vigie_core::stack::{Proofs, Role, Service, ServiceId, Settings, Stack};
use vigie_core::{Act, Engine, Event, Moment, Record, State};

use crate::service::Truth;
use crate::story::{Answer, Found, Header, Line, Steps, Story};
use crate::timeline::Timeline;

/// The usual rhythm of the looks, and the one while a repair is being verified.
const BEAT: Duration = Duration::from_secs(5);
const QUICK: Duration = Duration::from_millis(250);
const INSPECT_EVERY: u64 = 6;
const DRIFT_EVERY: u64 = 12;
/// How long a probe waits for an answer, evidence takes, and a step takes.
const TIMEOUT: Duration = Duration::from_millis(1_500);
const COLLECT: Duration = Duration::from_millis(250);
const STEP: Duration = Duration::from_millis(1_000);
pub(crate) const HOST: ServiceId = ServiceId(3);

/// What is due later.
#[derive(Debug, Clone)]
enum Due {
    Line(Line),
    Beat(u64),
    Quick(ServiceId),
    Saw(Observation),
    Collected(RunId, ServiceId),
    Starts(ServiceId, u32),
    Ends(ServiceId, u32, i32),
    Finished(RunId),
    Returns,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) timeline: Timeline,
    pub(crate) now: Moment,
    pub(crate) truths: Vec<Truth>,
    pub(crate) network: bool,
    pub(crate) runtime: bool,
    pub(crate) steps: Steps,
    pub(crate) found: Found,
    pub(crate) host_memory: f32,
    pub(crate) disk: f32,
    boot: Duration,
    hastened: [bool; 3],
    records: Vec<(Moment, Record)>,
    queue: BTreeMap<(i64, u64), Due>,
    counter: u64,
    telling: bool,
    away: bool,
    stack: Stack,
}

fn runbooks() -> Vec<Runbook> {
    [
        include_str!("../../../vigie/runbooks/p1-unreachable.toml"),
        include_str!("../../../vigie/runbooks/p2-database-down.toml"),
        include_str!("../../../vigie/runbooks/p1-host-memory.toml"),
        include_str!("../../../vigie/runbooks/p1-other.toml"),
        include_str!("../../../vigie/runbooks/p2-broken-feature.toml"),
        include_str!("../../../vigie/runbooks/p2-backup.toml"),
        include_str!("../../../vigie/runbooks/p3-performance.toml"),
    ]
    .map(|text| toml::from_str(text).unwrap())
    .to_vec()
}

fn stack(header: &Header) -> Stack {
    let mut game = Service::new("gmod", Role::Game);
    game.proofs = Proofs { a2s: true, rcon: true, ..Proofs::default() };
    game.depends_on = vec![ServiceId(1)];
    game.boot_grace = header.grace;
    let mut database = Service::new("mysql", Role::Database);
    database.proofs = Proofs { database: true, tcp: true, ..Proofs::default() };
    database.boot_grace = Duration::from_secs(60);
    let settings = Settings { mode: header.mode, ..Settings::default() };
    let mut web = Service::new("web", Role::Other);
    web.proofs = Proofs { tcp: true, ..Proofs::default() };
    web.boot_grace = Duration::from_secs(60);
    let mut runbooks = runbooks();
    for case in runbooks.iter_mut().flat_map(|book| &mut book.cases) {
        case.approve_timeout = header.approve_timeout;
        case.approve_default = header.approve_default;
    }
    Stack::new("story", vec![game, database, web], settings, runbooks)
}

impl World {
    pub(crate) fn new(header: &Header) -> Self {
        let now = Moment::from_ms(1_000_000_000);
        let truth = |role| Truth::well(role, now, header.restarts_itself);
        let stack = stack(header);
        let mut world = Self {
            engine: Engine::new(stack.clone(), State::default()),
            timeline: Timeline::new(now.plus(BEAT)),
            now,
            truths: vec![truth(Role::Game), truth(Role::Database), truth(Role::Other)],
            network: true,
            runtime: true,
            steps: Steps::Work,
            found: Found::default(),
            host_memory: 60.0,
            disk: 40.0,
            boot: header.boot,
            hastened: [false; 3],
            records: Vec::new(),
            queue: BTreeMap::new(),
            counter: 0,
            telling: false,
            away: false,
            stack,
        };
        if header.wrong_ports {
            world.truths[0].a2s = Answer::Fail;
            world.truths[0].rcon = Answer::Fail;
        }
        world.hand(Event::Began { version: String::from("story") });
        world.inspect_all();
        world.beat(0);
        world.pass(BEAT);
        world.telling = true;
        world
    }

    pub(crate) fn play(&mut self, story: &Story) {
        for line in &story.lines {
            self.later(line.at, Due::Line(line.clone()));
        }
        self.pass(story.header.lasts);
        let replayed = State::replay(self.records.clone());
        assert_eq!(&replayed, self.engine.state(), "the journal gives another state");
    }

    /// Vigie is killed: what it was told and doing is lost, what it wrote down is not.
    pub(crate) fn vigie_goes(&mut self, time: Duration) {
        self.away = true;
        self.hastened = [false; 3];
        self.queue
            .retain(|_, due| !matches!(due, Due::Saw(_) | Due::Collected(..) | Due::Finished(_)));
        self.later(time, Due::Returns);
    }

    fn vigie_returns(&mut self) {
        self.away = false;
        self.engine = Engine::new(self.stack.clone(), State::replay(self.records.clone()));
        self.hand(Event::Began { version: String::from("story") });
        self.later(COLLECT, Due::Beat(u64::MAX));
    }

    pub(crate) fn hand(&mut self, event: Event) {
        if self.away {
            return;
        }
        let effects = self.engine.handle(self.now, event);
        for record in effects.records {
            if self.telling {
                self.timeline.record(self.now, &record);
            }
            self.records.push((self.now, record));
        }
        for act in effects.acts {
            self.obey(act);
        }
        if let Some(reply) = effects.reply {
            self.timeline.say(self.now, &format!("< {}", reply.unwrap_or_else(|why| why)));
        }
    }

    pub(crate) fn saw(&mut self, service: ServiceId, fact: Fact) {
        self.hand(Event::Observed(Observation { service, at: self.now, fact }));
    }

    fn later(&mut self, after: Duration, due: Due) {
        self.counter += 1;
        self.queue.insert((self.now.plus(after).steady, self.counter), due);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time).steady;
        loop {
            let queued = self.queue.first_key_value().map(|(key, _)| *key);
            let due = queued.map_or(i64::MAX, |(at, _)| at);
            let wake = self.engine.next_wake().filter(|_| !self.away);
            let wake = wake.map_or(i64::MAX, |wake| wake.steady);
            let next = due.min(wake);
            if next > end {
                break;
            }
            self.now = Moment::from_ms(next.max(self.now.steady));
            match queued.filter(|(at, _)| *at <= wake).and_then(|key| self.queue.remove(&key)) {
                Some(due) => self.happen(due),
                None => {
                    self.hand(Event::Tick);
                    let again = self.engine.next_wake().is_some_and(|wake| wake.steady <= next);
                    assert!(!again, "the engine asks to be woken at a moment that has passed");
                }
            }
        }
        self.now = Moment::from_ms(end);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Line(line) => {
                self.timeline.say(self.now, &format!("> {}", line.shown));
                self.line(&line);
            }
            Due::Beat(u64::MAX) => self.inspect_all(),
            Due::Beat(count) => self.beat(count),
            Due::Returns => {
                self.timeline.say(self.now, "> vigie is back");
                self.vigie_returns();
            }
            Due::Quick(id) if self.hastened[id.index()] => {
                self.look_at(id);
                self.later(QUICK, Due::Quick(id));
            }
            Due::Quick(_) => {}
            Due::Saw(observation) => self.hand(Event::Observed(observation)),
            Due::Collected(run, id) => {
                let Found { way_back, suspect, changed } = self.found.clone();
                let mut evidence =
                    Box::new(Evidence { way_back, suspect, changed, ..Evidence::default() });
                if id == HOST {
                    // A runtime that is asked for the host says that there is none.
                    evidence.inspection.state = RuntimeState::Missing;
                } else if self.runtime {
                    evidence.inspection = self.truths[id.index()].inspection(self.now);
                }
                self.hand(Event::Collected { run, evidence });
            }
            Due::Starts(id, life) => {
                if self.truths[id.index()].life == life {
                    self.starts(id);
                }
            }
            Due::Ends(id, life, code) => {
                if self.truths[id.index()].life == life {
                    self.ends(id, code);
                }
            }
            Due::Finished(run) => {
                let result = match self.steps {
                    Steps::Fail => StepResult::Failed(String::from("no such image")),
                    Steps::Work | Steps::Hang => StepResult::Done,
                };
                self.hand(Event::StepEnded { run, result });
            }
        }
    }

    fn beat(&mut self, count: u64) {
        self.later(BEAT, Due::Beat(count + 1));
        if count.is_multiple_of(INSPECT_EVERY) {
            self.inspect_all();
        }
        for id in [ServiceId(0), ServiceId(1), ServiceId(2)] {
            self.look_at(id);
            // A database is only greeted when a login fails: the engine asks for that look.
            if id.0 == 0 {
                self.look(id, Probe::Rcon);
            }
            let truth = &self.truths[id.index()];
            let (usage, drift) = (truth.usage(), Fact::Drift(truth.drift.clone()));
            if truth.runs() && self.runtime {
                self.saw(id, usage);
                if count.is_multiple_of(DRIFT_EVERY) {
                    self.saw(id, drift);
                }
            }
        }
        self.saw(HOST, Fact::HostMemory { available_pct: self.host_memory });
        self.saw(HOST, Fact::HostDisk { used_pct: self.disk, mount: Arc::from("/") });
    }

    fn look_at(&mut self, id: ServiceId) {
        let probe = match self.truths[id.index()].role {
            Role::Game => Probe::A2s,
            Role::Database => Probe::Database,
            Role::Other => Probe::Tcp,
        };
        self.look(id, probe);
    }

    pub(crate) fn inspect_all(&mut self) {
        self.look(ServiceId(0), Probe::Runtime);
        self.look(ServiceId(1), Probe::Runtime);
        self.look(ServiceId(2), Probe::Runtime);
    }

    /// Asks now; silence is told when the time for an answer is over.
    fn look(&mut self, id: ServiceId, probe: Probe) {
        let (now, truth, network) = (self.now, &self.truths[id.index()], self.network);
        let fact = match probe {
            Probe::A2s => truth.asked_a2s(now, network),
            Probe::Rcon => truth.asked_rcon(now, network),
            Probe::Tcp => truth.asked_tcp(now, network),
            Probe::Database => truth.asked_database(now, network),
            Probe::Runtime if self.runtime => Fact::Inspected(truth.inspection(now)),
            Probe::Runtime => return,
        };
        let silent = matches!(
            &fact,
            Fact::A2s(Err(Timeout))
                | Fact::Rcon(Err(Timeout))
                | Fact::Tcp(Err(Timeout))
                | Fact::Database(Err(Timeout))
        );
        let seen = Observation { service: id, at: now, fact };
        if silent {
            self.later(TIMEOUT, Due::Saw(seen));
        } else {
            self.hand(Event::Observed(seen));
        }
    }

    fn obey(&mut self, act: Act) {
        let service = match &act {
            Act::Collect { service, .. }
            | Act::Execute { service, .. }
            | Act::Look { service, .. }
            | Act::Hasten { service, .. } => *service,
            Act::Abort { .. } => HOST,
        };
        let name = self.engine.stack().service(service).name.clone();
        self.timeline.act(self.now, &act, &name);
        match act {
            Act::Collect { run, service } => self.later(COLLECT, Due::Collected(run, service)),
            Act::Execute { run, service, step } => self.execute(run, service, &step),
            Act::Look { service, probe } => self.look(service, probe),
            Act::Hasten { service, on } => {
                self.hastened[service.index()] = on;
                if on {
                    self.later(Duration::ZERO, Due::Quick(service));
                }
            }
            Act::Abort { .. } => {}
        }
    }

    fn execute(&mut self, run: RunId, id: ServiceId, step: &Step) {
        match self.steps {
            Steps::Hang => return,
            Steps::Fail => return self.later(STEP, Due::Finished(run)),
            Steps::Work => {}
        }
        let whole = *step == Step::DownUp;
        for id in (0..3).map(ServiceId).filter(|one| whole || *one == id) {
            if step.ends_process() {
                let kill = *step == Step::Restart { kill: true };
                self.stop(id, if kill { 9 } else { 15 });
            }
            if whole || *step == (Step::Up { recreate: true }) {
                self.tell(id, RuntimeEvent::Destroyed);
            }
            if matches!(step, Step::RollbackImage { .. }) {
                self.truths[id.index()].doom = None;
            }
            if step.restarts() {
                self.later(STEP / 2, Due::Starts(id, self.truths[id.index()].life));
            }
        }
        self.later(STEP, Due::Finished(run));
    }

    /// The runtime tells, while it can be reached.
    pub(crate) fn tell(&mut self, id: ServiceId, event: RuntimeEvent) {
        if self.runtime {
            self.saw(id, Fact::Runtime(event));
        }
    }

    /// Ends a process on request, as `docker stop` and `docker kill` do; of a process that its
    /// policy was about to start again nothing is heard any more.
    pub(crate) fn stop(&mut self, id: ServiceId, signal: i32) {
        if !self.truths[id.index()].runs() {
            let truth = &mut self.truths[id.index()];
            truth.state = RuntimeState::Exited;
            truth.life += 1;
            return;
        }
        self.tell(id, RuntimeEvent::Killed { signal });
        let restarts = std::mem::take(&mut self.truths[id.index()].restarts_itself);
        self.ends(id, 128 + signal);
        self.truths[id.index()].restarts_itself = restarts;
        if signal != 9 {
            self.tell(id, RuntimeEvent::Stopped);
        }
    }

    pub(crate) fn ends(&mut self, id: ServiceId, code: i32) {
        let truth = &mut self.truths[id.index()];
        if !truth.runs() {
            return;
        }
        let (again, life) = (truth.restarts_itself, truth.life);
        truth.state = if again { RuntimeState::Restarting } else { RuntimeState::Exited };
        truth.exit_code = Some(code);
        if again {
            let wait = truth.policy_wait(self.now);
            self.later(wait, Due::Starts(id, life));
        }
        self.tell(id, RuntimeEvent::Died { exit_code: Some(code) });
    }

    pub(crate) fn starts(&mut self, id: ServiceId) {
        let boot = if id.0 == 0 { self.boot } else { Duration::from_secs(3) };
        let now = self.now;
        let truth = &mut self.truths[id.index()];
        if truth.runs() {
            return;
        }
        truth.start(now, boot);
        let (life, doom) = (truth.life, truth.doom);
        if let Some((after, code)) = doom {
            self.later(after, Due::Ends(id, life, code));
        }
        self.tell(id, RuntimeEvent::Started);
    }
}
