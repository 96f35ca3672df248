//! What each line of a story does to the world.

use vigie_core::Order;
use vigie_core::event::Event;
use vigie_core::incident::{Actor, IncidentId};
use vigie_core::observe::{Fact, RuntimeEvent, RuntimeState};
use vigie_core::respond::{Phase, RunId};
use vigie_core::span;
use vigie_core::stack::ServiceId;

use crate::story::{Line, What};
use crate::world::{HOST, World};

fn anna() -> Actor {
    Actor::Person(String::from("anna"))
}

impl World {
    pub(crate) fn line(&mut self, line: &Line) {
        let id = self.engine.stack().find(&line.service).expect("a service of the stack");
        let truth = self.truths.get_mut(id.index()).expect("a service with a container");
        match line.what.clone() {
            What::Dies(code) => self.ends(id, code),
            What::Oom(kills) => self.out_of_memory(id, kills),
            What::Doomed(after) => {
                truth.doom = after.map(|after| (span::parse(&after).unwrap(), 139));
            }
            What::Broken(code) => {
                truth.doom = Some((std::time::Duration::from_millis(50), code));
                self.ends(id, code);
            }
            What::Frozen(frozen) => truth.frozen = frozen,
            What::A2s(answer) => truth.a2s = answer,
            What::Rcon(answer) => truth.rcon = answer,
            What::Db(answer) => truth.db = answer,
            What::Health(health) => {
                truth.health = health;
                self.tell(id, RuntimeEvent::Health(health));
            }
            What::Memory(pct) => truth.memory_pct = pct,
            What::Cpu(pct) => truth.cpu_pct = pct,
            What::Connections(open) => truth.connections = open,
            What::SlowQueries(count) => truth.slow_queries = count,
            What::Drift(differences) => truth.drift = differences,
            What::Late(late) => self.saw(HOST, Fact::Backups { late, drills: Vec::new() }),
            What::Drills(drills) => self.saw(HOST, Fact::Backups { late: Vec::new(), drills }),
            What::Says(said) => self.says(id, &said),
            What::HostMemory(pct) => self.host_memory = pct,
            What::Disk(pct) => self.disk = pct,
            What::Network(works) => {
                self.network = works;
                self.saw(id, Fact::OwnNetwork(works));
            }
            What::Runtime(reachable) => self.reachable(id, reachable),
            What::Finds(found) => self.found = *found,
            What::Steps(steps) => self.steps = steps,
            What::Docker(command) => self.docker(id, &command),
            What::Swapped(boot) => truth.start(self.now, span::parse(&boot).unwrap()),
            What::Away(time) => self.vigie_goes(span::parse(&time).unwrap()),
            What::Run(runbook) => {
                self.order(Order::Run { service: id, runbook, by: anna() });
            }
            What::Acknowledge(number) => {
                self.order(Order::Acknowledge(IncidentId(number), anna()));
            }
            What::Approve(granted) => {
                let run = self.asking().expect("a run that asks");
                self.order(Order::Approve { run, granted, by: anna() });
            }
            What::Resolve(number) => self.order(Order::Resolve(IncidentId(number), anna())),
            What::Maintenance(time) => {
                let until = time.map(|time| self.now.plus(span::parse(&time).unwrap()));
                self.order(Order::Maintenance(until, anna()));
            }
        }
    }

    fn order(&mut self, order: Order) {
        self.hand(Event::Ordered(order));
    }

    fn asking(&self) -> Option<RunId> {
        let mut runs = self.engine.state().live_runs();
        runs.find(|run| matches!(run.phase, Phase::Approval { .. })).map(|run| run.id)
    }

    /// The kernel takes the service, or only a child of it.
    fn out_of_memory(&mut self, id: ServiceId, kills: bool) {
        self.tell(id, RuntimeEvent::Oom);
        if kills {
            self.truths[id.index()].oom_killed = true;
            self.ends(id, 137);
        }
    }

    fn reachable(&mut self, id: ServiceId, reachable: bool) {
        self.runtime = reachable;
        self.saw(id, Fact::RuntimeReachable(reachable));
        if reachable {
            self.inspect_all();
        }
    }

    /// An operator at the host's shell.
    fn docker(&mut self, id: ServiceId, command: &str) {
        match command {
            "stop" => self.stop(id, 15),
            "start" => self.starts(id),
            "kill" => self.stop(id, 9),
            "restart" => {
                self.stop(id, 15);
                self.starts(id);
            }
            "rm" => {
                self.stop(id, 9);
                self.truths[id.index()].state = RuntimeState::Missing;
                self.tell(id, RuntimeEvent::Destroyed);
            }
            "pause" => {
                self.truths[id.index()].state = RuntimeState::Paused;
                self.tell(id, RuntimeEvent::Paused);
            }
            "unpause" => {
                self.truths[id.index()].state = RuntimeState::Running;
                self.tell(id, RuntimeEvent::Unpaused);
            }
            other => panic!("no such command: {other}"),
        }
    }
}
