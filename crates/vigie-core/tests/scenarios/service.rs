//! The truth about one service of the world, and how it answers when it is asked.

use std::sync::Arc;
use std::time::Duration;

use vigie_core::Moment;
use vigie_core::observe::{
    A2sSample, DatabaseSample, Fact, Health, Inspection, Refusal, RuntimeState,
};
use vigie_core::stack::Role;

use crate::story::Answer;

pub(crate) const LIMIT: u64 = 4 << 30;

/// What is so, whether vigie knows it or not.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) role: Role,
    pub(crate) state: RuntimeState,
    pub(crate) started: Moment,
    pub(crate) ready: Moment,
    /// Counts its processes, so that what was meant for one does not meet the next.
    pub(crate) life: u32,
    pub(crate) exit_code: Option<i32>,
    pub(crate) oom_killed: bool,
    pub(crate) restarts_itself: bool,
    /// Lives in a row that were too short for Docker's policy.
    pub(crate) short_lives: u32,
    /// How long every process of it lives, and its exit code.
    pub(crate) doom: Option<(Duration, i32)>,
    pub(crate) frozen: bool,
    pub(crate) a2s: Answer,
    pub(crate) rcon: Answer,
    pub(crate) db: Answer,
    pub(crate) health: Health,
    pub(crate) memory_pct: u64,
    pub(crate) cpu_pct: f32,
    pub(crate) connections: u32,
    pub(crate) slow_queries: u64,
    pub(crate) drift: Vec<String>,
}

impl Truth {
    /// Up for an hour already.
    pub(crate) fn well(role: Role, now: Moment, restarts_itself: bool) -> Self {
        let started = Moment::from_ms(now.steady - 3_600_000);
        Self {
            role,
            state: RuntimeState::Running,
            started,
            ready: started,
            life: 0,
            exit_code: None,
            oom_killed: false,
            restarts_itself,
            short_lives: 0,
            doom: None,
            frozen: false,
            a2s: Answer::Ok,
            rcon: Answer::Ok,
            db: Answer::Ok,
            health: Health::None,
            memory_pct: 50,
            cpu_pct: 20.0,
            connections: 3,
            slow_queries: 0,
            drift: Vec::new(),
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.state == RuntimeState::Running
    }

    /// A new process begins with nothing of the old one's trouble.
    pub(crate) fn start(&mut self, now: Moment, boot: Duration) {
        self.state = RuntimeState::Running;
        self.started = now;
        self.ready = now.plus(boot);
        self.life += 1;
        self.exit_code = None;
        self.oom_killed = false;
        self.frozen = false;
        self.health = Health::None;
        self.memory_pct = 50;
        self.cpu_pct = 20.0;
    }

    /// When Docker's policy starts it again: a wait that doubles and is forgotten after a life of
    /// ten seconds.
    pub(crate) fn policy_wait(&mut self, now: Moment) -> Duration {
        let lasted = now.since(self.started) >= Duration::from_secs(10);
        self.short_lives = if lasted { 0 } else { self.short_lives + 1 };
        Duration::from_millis(100 << self.short_lives.min(10)).min(Duration::from_secs(60))
    }

    pub(crate) fn inspection(&self, now: Moment) -> Inspection {
        Inspection {
            state: self.state,
            exit_code: self.exit_code,
            oom_killed: self.oom_killed,
            health: self.health,
            up_for: self.runs().then(|| now.since(self.started)),
            restarts: 0,
            restarts_itself: self.restarts_itself,
        }
    }

    /// Why nothing answers at all, if so.
    fn silence(&self, now: Moment, network: bool) -> Option<Refusal> {
        match (self.runs(), self.frozen || !now.reached(self.ready) || !network) {
            (false, _) => Some(Refusal::Refused),
            (true, true) => Some(Refusal::Timeout),
            (true, false) => None,
        }
    }

    pub(crate) fn asked_a2s(&self, now: Moment, network: bool) -> Fact {
        let sample = A2sSample {
            players: 12,
            max_players: 24,
            map: Arc::from("rp_downtown"),
            latency: Duration::from_millis(20),
        };
        Fact::A2s(answer(self.silence(now, network), self.a2s, sample))
    }

    pub(crate) fn asked_rcon(&self, now: Moment, network: bool) -> Fact {
        let took = Duration::from_millis(20);
        Fact::Rcon(answer(self.silence(now, network), self.rcon, took))
    }

    pub(crate) fn asked_tcp(&self, now: Moment, network: bool) -> Fact {
        let took = Duration::from_millis(2);
        Fact::Tcp(answer(self.silence(now, network), Answer::Ok, took))
    }

    pub(crate) fn asked_database(&self, now: Moment, network: bool) -> Fact {
        let ms = if self.db == Answer::Slow { 6_000 } else { 3 };
        let sample = DatabaseSample {
            latency: Duration::from_millis(ms),
            connections: self.connections,
            slow_queries: self.slow_queries,
        };
        Fact::Database(answer(self.silence(now, network), self.db, sample))
    }

    pub(crate) fn usage(&self) -> Fact {
        let mem_bytes = LIMIT / 100 * self.memory_pct;
        Fact::Usage { cpu_pct: Some(self.cpu_pct), mem_bytes, mem_limit: Some(LIMIT) }
    }
}

fn answer<T>(silence: Option<Refusal>, how: Answer, good: T) -> Result<T, Refusal> {
    match (silence, how) {
        (Some(why), _) => Err(why),
        (None, Answer::Fail) => Err(Refusal::Timeout),
        (None, Answer::Ok | Answer::Slow) => Ok(good),
    }
}
