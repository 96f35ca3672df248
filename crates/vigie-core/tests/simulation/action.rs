//! What can happen to the world, and what it leaves behind when everything works again.

use std::sync::Arc;
use std::time::Duration;

use vigie_core::Record;
use vigie_core::event::{Event, Order};
use vigie_core::incident::Actor;
use vigie_core::observe::{ConsoleFact, Fact, Health, RuntimeEvent};
use vigie_core::respond::Phase;
use vigie_core::stack::ServiceId;

use crate::invariants::settled;
use crate::world::{GAME, Illness, Process, World};

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

impl World {
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
                let event =
                    self.seen(id, Fact::Usage { cpu_pct: Some(10.0), mem_bytes, mem_limit });
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
        let since = self.now();
        self.pass(1_800_000)?;
        // Who is asked for every step is told by that.
        let records = self.ledger.records.iter().rev();
        let mut lately = records.take_while(|(at, _)| at.steady >= since.steady);
        let asked = lately.any(|(_, record)| matches!(record, Record::ApprovalAsked { .. }));
        for id in ill {
            let name = Self::name(id);
            let told = |one: &vigie_core::incident::Incident| {
                one.escalated.is_some() && one.symptoms.iter().any(|shown| shown.service == name)
            };
            let state = self.engine.state();
            let stopped = state.service(name).is_some_and(|memory| memory.stood_down);
            if !stopped && !asked && !state.active().any(told) {
                let why = format!("nobody was told of {name}, which nothing cures");
                return Err(format!("{why}\n{}", self.ledger.tail()));
            }
        }
        Ok(())
    }
}
