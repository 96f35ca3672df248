//! Decides what an observation changes in the senses, and which facts are worth a record: exits and
//! who asked for them, boots, operator stops. Opens no incident.

use std::time::Duration;

use crate::engine::Engine;
use crate::incident::Actor;
use crate::moment::Moment;
use crate::observe::{
    ConsoleFact, Exit, Fact, Health, Inspection, NewError, Observation, Probe, ProofState,
    RuntimeEvent, RuntimeState,
};
use crate::record::Record;
use crate::respond::Step;
use crate::stack::ServiceId;

/// How long the word that a stop was asked for may come behind the exit itself.
const STOP_WORD: Duration = Duration::from_millis(500);
/// A signal asked for this long ago can still explain an exit (the stop grace period and more).
const SIGNAL_MEMORY: Duration = Duration::from_secs(120);
/// A process is another one when it is younger than the known one by more than this.
const START_DOUBT_MS: i64 = 2_000;
const SIGKILL: i32 = 9;
/// Players whose rejects are counted at a time.
const REJECTERS: usize = 256;
/// Exit codes of a process that was asked to end: itself, by SIGINT, by SIGTERM.
const ASKED_CODES: [i32; 3] = [0, 130, 143];

impl Engine {
    /// Takes a fact in. False when it says nothing new.
    pub(super) fn sense_fact(&mut self, observation: Observation) -> bool {
        let Observation { service: id, at, fact } = observation;
        self.dirty |= matches!(
            fact,
            Fact::Runtime(_) | Fact::Inspected(_) | Fact::OwnNetwork(_) | Fact::RuntimeReachable(_)
        );
        match fact {
            Fact::Runtime(event) => self.sense_runtime(id, at, event),
            Fact::Inspected(inspection) => self.sense_inspection(id, at, &inspection),
            Fact::Console(fact) => self.sense_console(id, at, fact),
            Fact::A2s(result) => {
                let sense = &mut self.senses[id.index()];
                let result = result.map(|sample| {
                    sense.players = Some((sample.players, sample.max_players, sample.map));
                    sample.latency
                });
                let failed = result.is_err();
                let first = !failed && sense.a2s.last_good().is_none();
                if !sense.a2s.look(at, result) {
                    return false;
                }
                self.after_look(id, Probe::A2s, failed);
                // Also once as soon as it lives: RCON has to have passed before its failures count.
                let asked = failed || (first && !self.is_proved(id, Probe::Rcon));
                if asked && self.stack.service(id).proofs.rcon {
                    self.look(id, Probe::Rcon);
                }
            }
            Fact::Rcon(result) => {
                let failed = result.is_err();
                if !self.senses[id.index()].rcon.look(at, result) {
                    return false;
                }
                self.after_look(id, Probe::Rcon, failed);
            }
            Fact::Tcp(result) => {
                let failed = result.is_err();
                if !self.senses[id.index()].tcp.look(at, result) {
                    return false;
                }
                self.after_look(id, Probe::Tcp, failed);
            }
            Fact::Database(result) => return self.sense_database(id, at, result),
            Fact::Usage { cpu_pct, mem_bytes, mem_limit } => {
                let limits = &self.stack.service(id).thresholds;
                let sense = &mut self.senses[id.index()];
                sense.cpu_pct = cpu_pct;
                sense.memory = Some((mem_bytes, mem_limit));
                let memory_pct = sense.memory_pct().unwrap_or_default();
                if let Some(pct) = cpu_pct {
                    sense.cpu_above.measure(at, pct > limits.cpu_pct);
                }
                sense.memory_above.measure(at, memory_pct > limits.memory_pct);
                sense.memory_high.measure(at, memory_pct >= limits.memory_high_pct);
            }
            Fact::Drift(differences) => {
                let sense = &mut self.senses[id.index()];
                if sense.drift.as_ref().is_none_or(Vec::is_empty) {
                    sense.drift_since = at;
                }
                sense.drift = Some(differences);
            }
            Fact::Backups { late, drills } => {
                let sense = &mut self.senses[id.index()];
                if sense.backups_late.as_ref().is_none_or(Vec::is_empty) {
                    sense.late_since = at;
                }
                if sense.drills_failed.as_ref().is_none_or(Vec::is_empty) {
                    sense.drills_since = at;
                }
                sense.backups_late = Some(late);
                sense.drills_failed = Some(drills);
            }
            Fact::HostMemory { available_pct } => {
                let low = available_pct < self.stack.settings.host_memory_pct;
                let sense = &mut self.senses[id.index()];
                sense.host_memory_pct = Some(available_pct);
                sense.host_memory_low.measure(at, low);
            }
            Fact::HostDisk { used_pct, mount } => {
                let over = used_pct > self.stack.settings.disk_pct[0];
                let sense = &mut self.senses[id.index()];
                let since = match &sense.disk {
                    Some((before, _, since))
                        if over && *before > self.stack.settings.disk_pct[0] =>
                    {
                        *since
                    }
                    _ => at,
                };
                sense.disk = Some((used_pct, mount, since));
            }
            Fact::OwnNetwork(works) => self.sense_own_network(works),
            Fact::RuntimeReachable(reachable) => self.sense_reachable(reachable),
        }
        true
    }

    fn sense_own_network(&mut self, works: bool) {
        if std::mem::replace(&mut self.own_network, works) == works {
            return;
        }
        if works {
            return self.record(Record::NetworkBack);
        }
        self.record(Record::NetworkLost);
        for sense in &mut self.senses {
            // Nobody can say how long a boot takes that could not be watched.
            sense.boot_seen = false;
        }
    }

    fn sense_reachable(&mut self, reachable: bool) {
        match (self.state.runtime_lost, reachable) {
            (false, false) => {
                self.senses.iter_mut().for_each(|sense| sense.doubted = true);
                self.record(Record::RuntimeLost);
            }
            (true, true) => self.record(Record::RuntimeBack),
            _ => return,
        }
        self.assess_all();
    }

    /// Whether a proof has passed at least once.
    fn is_proved(&self, id: ServiceId, proof: Probe) -> bool {
        let memory = self.memory(id);
        memory.is_some_and(|memory| memory.proved.contains(&proof))
    }

    /// Silence that is to be expected does not count; what was answered is remembered.
    fn after_look(&mut self, id: ServiceId, proof: Probe, failed: bool) {
        if !failed && self.watches[id.index()].credited & proof.bit() != 0 {
            return;
        }
        let memory = self.memory(id);
        let proved = memory.is_some_and(|memory| memory.proved.contains(&proof));
        let trusted = memory.is_none_or(|memory| memory.trusts(proof));
        if !failed {
            if !proved || !trusted {
                let service = self.name(id).to_owned();
                self.record(Record::Proved { service, proof });
            }
            self.watches[id.index()].credited |= proof.bit();
            return;
        }
        let alone = proof == Probe::Rcon && !self.senses[id.index()].rcon_testifies();
        if trusted && alone {
            self.watches[id.index()].credited &= !proof.bit();
            let service = self.name(id).to_owned();
            self.record(Record::Distrusted { service, proof });
        }
        if self.view(id).silence_excused() {
            let sense = &mut self.senses[id.index()];
            sense.a2s.excuse();
            sense.rcon.excuse();
            sense.tcp.excuse();
            sense.database.excuse();
        }
    }

    fn sense_database(
        &mut self,
        id: ServiceId,
        at: Moment,
        result: Result<crate::observe::DatabaseSample, crate::observe::Refusal>,
    ) -> bool {
        let limits = &self.stack.service(id).thresholds;
        let sense = &mut self.senses[id.index()];
        let look = match result {
            Ok(sample) => {
                sense.connections = sample.connections;
                let loaded = sample.connections > limits.database_connections;
                sense.connections_above.measure(at, loaded);
                let (began, base) = match sense.slow_base {
                    Some((began, base))
                        if at.since(began) < Duration::from_secs(3600)
                            && sample.slow_queries >= base =>
                    {
                        (began, base)
                    }
                    _ => (at, sample.slow_queries),
                };
                sense.slow_base = Some((began, base));
                sense.slow_in_hour = sample.slow_queries - base;
                if sample.latency > limits.database_slow {
                    Err(crate::observe::Refusal::Timeout)
                } else {
                    Ok(sample.latency)
                }
            }
            Err(why) => Err(why),
        };
        let failed = look.is_err();
        let first = !failed && sense.database.last_good().is_none();
        if !sense.database.look(at, look) {
            return false;
        }
        self.after_look(id, Probe::Database, failed);
        // The greeting is asked for when a login fails, each one being a warning in the server's log;
        // and once while all is well, or its silence would prove nothing later.
        let asked = failed || (first && !self.is_proved(id, Probe::Tcp));
        if asked && self.stack.service(id).proofs.tcp {
            self.look(id, Probe::Tcp);
        }
        true
    }

    fn sense_runtime(&mut self, id: ServiceId, at: Moment, event: RuntimeEvent) {
        let told = matches!(
            event,
            RuntimeEvent::Started | RuntimeEvent::Died { .. } | RuntimeEvent::Destroyed
        );
        self.senses[id.index()].doubted &= !told;
        match event {
            RuntimeEvent::Started => {
                self.sense_start(id, at);
                self.senses[id.index()].boot_seen = true;
            }
            RuntimeEvent::Died { exit_code } if self.overtaken(id, at) => {
                let code = &mut self.senses[id.index()].exit_code;
                *code = code.or(exit_code);
            }
            RuntimeEvent::Died { exit_code } => self.sense_death(id, at, exit_code),
            RuntimeEvent::Oom => self.senses[id.index()].oom = Some(at),
            RuntimeEvent::Killed { signal } => self.sense_signal(id, at, signal),
            RuntimeEvent::Stopped => {
                let judged = self.senses[id.index()].pending_exit.take();
                if let Some(exit) = judged {
                    self.judge(id, exit, Some(self.who_asked(id, at)));
                }
            }
            RuntimeEvent::Paused => self.senses[id.index()].set_runtime(at, RuntimeState::Paused),
            RuntimeEvent::Unpaused => {
                let sense = &mut self.senses[id.index()];
                sense.set_runtime(at, RuntimeState::Running);
                sense.a2s.excuse();
                sense.rcon.excuse();
            }
            RuntimeEvent::Destroyed => {
                self.settle_exit(id);
                self.senses[id.index()].set_runtime(at, RuntimeState::Missing);
            }
            RuntimeEvent::Renamed { to } => {
                let service = self.name(id).to_owned();
                self.record(Record::Renamed { service, to });
            }
            RuntimeEvent::Health(health) => self.sense_health(id, at, health),
        }
    }

    fn sense_health(&mut self, id: ServiceId, at: Moment, health: Health) {
        let sense = &mut self.senses[id.index()];
        if sense.health != health {
            sense.health = health;
            sense.health_since = at;
        }
    }

    fn sense_start(&mut self, id: ServiceId, at: Moment) {
        // A start behind an exit that was not judged yet: somebody restarted it on purpose, or its
        // runtime did; only a signal that was asked for makes it the former.
        let sense = &mut self.senses[id.index()];
        if let Some(exit) = sense.pending_exit.take() {
            let asked = sense.signalled.is_some();
            let by = asked.then(|| self.who_asked(id, exit.at));
            self.judge(id, exit, by);
        }
        let known = self.senses[id.index()].runtime != RuntimeState::Unknown;
        let begun = if known { self.now } else { at };
        let sense = &mut self.senses[id.index()];
        let said = (sense.map_change_until, sense.loading);
        sense.begin_process(at);
        sense.begun = Some(begun);
        if !known {
            // The first sight of it, not its start: what its console said already holds.
            (sense.map_change_until, sense.loading) = said;
        }
        self.watches[id.index()].acting = None;
        let name = self.name(id).to_owned();
        if self.state.service(&name).is_some_and(|memory| memory.stood_down) {
            self.record(Record::StoodUp { service: name });
        }
    }

    fn sense_signal(&mut self, id: ServiceId, at: Moment, signal: i32) {
        let sense = &mut self.senses[id.index()];
        // `docker stop` of a deaf process sends SIGKILL after its first signal: the first one tells.
        let known = sense.signalled.filter(|(since, _)| at.since(*since) < SIGNAL_MEMORY);
        if known.is_none() {
            sense.signalled = Some((at, signal));
        }
    }

    /// Whether the word of a death at `at` comes behind a look that has found it out already.
    fn overtaken(&self, id: ServiceId, at: Moment) -> bool {
        let sense = &self.senses[id.index()];
        match sense.runtime {
            RuntimeState::Exited | RuntimeState::Restarting | RuntimeState::Missing => {
                at <= sense.since
            }
            RuntimeState::Running => sense.started.is_some_and(|started| at < started),
            RuntimeState::Unknown | RuntimeState::Created | RuntimeState::Paused => false,
        }
    }

    fn sense_death(&mut self, id: ServiceId, at: Moment, code: Option<i32>) {
        let vigie_asked = self.acting_on(id, at);
        let sense = &mut self.senses[id.index()];
        sense.exit_code = code;
        sense.set_runtime(at, RuntimeState::Exited);
        let signalled = sense.signalled.filter(|(since, _)| at.since(*since) < SIGNAL_MEMORY);
        let exit = Exit { at, code, judged_at: self.now.plus(STOP_WORD) };
        match (vigie_asked, signalled) {
            (Some(by), _) => self.judge(id, exit, Some(by)),
            // A stop sends a signal first; whether it was one is told within moments.
            (None, Some((_, signal))) if signal != SIGKILL => {
                sense.pending_exit = Some(exit);
            }
            (None, _) => self.judge(id, exit, None),
        }
    }

    /// Settles an exit about which nobody said in time that it was asked for.
    pub(super) fn settle_exit(&mut self, id: ServiceId) {
        if let Some(exit) = self.senses[id.index()].pending_exit.take() {
            self.judge(id, exit, None);
        }
    }

    fn judge(&mut self, id: ServiceId, exit: Exit, asked: Option<Actor>) {
        let sense = &mut self.senses[id.index()];
        sense.signalled = None;
        let oom = sense.oom.take().is_some();
        let by_person = matches!(asked, Some(Actor::Person(_)));
        // What happens during declared maintenance is part of it, and makes no crash loop later.
        let declared = self.in_maintenance().then(|| Actor::Person(String::from("maintenance")));
        let asked = asked.or(declared);
        let service = self.name(id).to_owned();
        let (name, at) = (service.clone(), Some(exit.at));
        self.record(Record::Exited { service: name, exit_code: exit.code, oom, asked, at });
        if by_person {
            self.record(Record::StoodDown { service });
        }
    }

    /// The run whose step explains an exit at `at`.
    fn acting_on(&self, id: ServiceId, at: Moment) -> Option<Actor> {
        let name = self.name(id);
        let run = self.state.holder()?;
        let explains = |step: &crate::respond::StepRecord| {
            let ends = step.step.ends_process();
            let whole_stack = step.step == Step::DownUp;
            let open = step.ended.as_ref().is_none_or(|(ended, _)| at <= *ended);
            // Behind the start that the step made, a death is the new process's own.
            let started = self.senses[id.index()].started.filter(|_| step.step.restarts());
            let open = open && started.is_none_or(|started| started < step.began);
            ends && (run.service == name || whole_stack) && at >= step.began && open
        };
        run.steps.iter().any(explains).then(|| Actor::Runbook(run.runbook.clone()))
    }

    fn who_asked(&self, id: ServiceId, at: Moment) -> Actor {
        self.acting_on(id, at).unwrap_or_else(|| Actor::Person(String::from("operator")))
    }

    pub(super) fn sense_inspection(&mut self, id: ServiceId, at: Moment, seen: &Inspection) {
        let before = self.senses[id.index()].runtime;
        self.senses[id.index()].doubted = false;
        self.senses[id.index()].restarts = seen.restarts;
        self.senses[id.index()].restarts_itself = seen.restarts_itself;
        self.sense_health(id, at, seen.health);
        // An event that is newer than this look has the last word.
        if at < self.senses[id.index()].since {
            return;
        }
        match seen.state {
            RuntimeState::Running => {
                let up = i64::try_from(seen.up_for.unwrap_or_default().as_millis());
                let up = up.unwrap_or(0);
                let started = Moment { steady: at.steady - up, wall: at.wall - up };
                if before != RuntimeState::Running {
                    self.sense_start(id, started.max(self.senses[id.index()].since));
                    self.senses[id.index()].started = Some(started);
                    if before == RuntimeState::Unknown {
                        self.senses[id.index()].begun = Some(started);
                    }
                } else if seen.up_for.is_some() && self.is_another(id, started) {
                    // Nobody told: it ended, with a code that is not known, and was started.
                    self.sense_death(id, started, None);
                    self.sense_start(id, started);
                }
            }
            RuntimeState::Exited => match before {
                RuntimeState::Running | RuntimeState::Paused => {
                    let sense = &mut self.senses[id.index()];
                    if seen.oom_killed {
                        sense.oom = Some(at);
                    }
                    let good = [&sense.a2s, &sense.rcon, &sense.tcp, &sense.database];
                    let good = good.into_iter().filter_map(|proof| proof.last_good());
                    let alive = good.chain(sense.started).max();
                    self.sense_death(id, at, seen.exit_code);
                    // Found out later than it happened.
                    self.senses[id.index()].alive_at = alive.filter(|alive| *alive <= at);
                }
                RuntimeState::Unknown => self.first_sight_of_exited(id, at, seen),
                _ => {
                    self.senses[id.index()].exit_code = seen.exit_code;
                    self.senses[id.index()].set_runtime(at, RuntimeState::Exited);
                }
            },
            state => {
                if state == RuntimeState::Restarting && before == RuntimeState::Running {
                    self.sense_death(id, at, seen.exit_code);
                }
                self.senses[id.index()].exit_code = seen.exit_code;
                self.senses[id.index()].set_runtime(at, state);
            }
        }
    }

    /// Whether a process that was started at `started` is not the one that is known. Ages are told
    /// by the steady clock or by the host's: what only one of them says is a clock that jumped.
    fn is_another(&self, id: ServiceId, started: Moment) -> bool {
        let later = |known: Moment| {
            let by = (started.steady - known.steady).min(started.wall - known.wall);
            by > START_DOUBT_MS
        };
        self.senses[id.index()].started.is_some_and(later)
    }

    /// A service that had ended before the watch began: an exit code of something that was asked to
    /// end is taken for an operator's stop, and left alone.
    fn first_sight_of_exited(&mut self, id: ServiceId, at: Moment, seen: &Inspection) {
        let sense = &mut self.senses[id.index()];
        sense.exit_code = seen.exit_code;
        sense.set_runtime(at, RuntimeState::Exited);
        let asked = seen.exit_code.is_some_and(|code| ASKED_CODES.contains(&code));
        let service = self.name(id).to_owned();
        let remembered = self.state.service(&service);
        // What an incident shows already was recorded before vigie was away.
        let had_incident = self.watches[id.index()].shown != 0;
        if asked && !had_incident && remembered.is_none_or(|memory| !memory.stood_down) {
            self.record(Record::StoodDown { service });
        } else if !asked && !had_incident && seen.oom_killed {
            self.record(Record::Exited {
                service,
                exit_code: seen.exit_code,
                oom: true,
                asked: None,
                // Nobody saw when.
                at: None,
            });
        }
    }

    fn sense_console(&mut self, id: ServiceId, at: Moment, fact: ConsoleFact) {
        let map_change = self.stack.service(id).thresholds.map_change;
        let name = self.name(id).to_owned();
        let sense = &mut self.senses[id.index()];
        match fact {
            // The proofs decide when it is ready; the line only ends a map change early.
            ConsoleFact::Ready => sense.map_change_until = None,
            ConsoleFact::Crash(line) => sense.crash_line = Some((at, line)),
            ConsoleFact::LuaErrors { signature, count, sample } => {
                sense.lua.add(at, count);
                sense.lua_last = Some(std::sync::Arc::clone(&sample));
                let known = self.state.service(&name);
                if let Some(new) = sense.lua_new.as_mut().filter(|new| new.signature == signature) {
                    new.last = at;
                }
                if known.is_none_or(|memory| !memory.signatures.contains(&signature)) {
                    let seen = std::sync::Arc::clone(&sample);
                    sense.lua_new = Some(NewError { signature, first: at, last: at, sample: seen });
                    let sample = sample.to_string();
                    self.record(Record::SignatureSeen { service: name, signature, sample });
                }
            }
            ConsoleFact::Rejects { steamid, count, nick } => {
                if sense.rejects.len() >= REJECTERS && !sense.rejects.contains_key(&steamid) {
                    let now = self.now;
                    sense.rejects.retain(|_, (rate, _)| rate.per_minute(now) > 0);
                }
                if sense.rejects.len() < REJECTERS || sense.rejects.contains_key(&steamid) {
                    let entry = sense.rejects.entry(steamid).or_default();
                    entry.0.add(at, count);
                    entry.1 = nick;
                }
            }
            ConsoleFact::DatabaseLost(why) => {
                let first = sense.database_lost.as_ref().map_or(at, |(first, ..)| *first);
                sense.database_lost = Some((first, at, why));
            }
            ConsoleFact::DatabaseFound => sense.database_lost = None,
            ConsoleFact::Workshop if !sense.ready => sense.loading = Some(at),
            ConsoleFact::Workshop => {}
            ConsoleFact::MapChange => sense.map_change_until = Some(at.plus(map_change)),
        }
    }

    /// Whether `id` works, as the people who use it would see it.
    pub(super) fn is_well(&self, id: ServiceId) -> bool {
        let service = self.stack.service(id);
        let sense = &self.senses[id.index()];
        let alive = sense.runtime == RuntimeState::Running
            || (self.state.runtime_lost && sense.runtime == RuntimeState::Unknown);
        // A login that works says more than a health check that has not made up its mind.
        let proofs = service.proofs;
        let asked = proofs.a2s || proofs.tcp || proofs.database;
        let healthy = match sense.health {
            Health::Unhealthy => false,
            Health::Starting => asked,
            Health::None | Health::Healthy => true,
        };
        if !alive || !healthy {
            return false;
        }
        let needed = service.thresholds.failures;
        let passes = |asked: bool, proof: &crate::observe::Proof| {
            !asked || proof.state(needed) == ProofState::Passing
        };
        passes(service.proofs.a2s, &sense.a2s)
            && passes(service.proofs.database, &sense.database)
            && (service.proofs.database || passes(service.proofs.tcp, &sense.tcp))
            // Players need no RCON: where A2S answers, a broken RCON is another matter.
            && (service.proofs.a2s || sense.rcon.state(needed.min(2)) != ProofState::Failing)
    }
}
