//! Decides what is remembered of a service between observations. Nothing here is in the journal:
//! after a restart it is looked up again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::moment::Moment;
use crate::observe::{Health, Proof, RuntimeState};

/// An exit whose cause is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// When the process ended.
    pub at: Moment,
    /// Its exit code.
    pub code: Option<i32>,
    /// Until when the word that it was asked for may still come.
    pub judged_at: Moment,
}

/// Since when a measurement has been above its limit without a break.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sustained {
    since: Option<Moment>,
    before: Option<Moment>,
}

impl Sustained {
    /// Takes a measurement.
    pub fn measure(&mut self, at: Moment, above: bool) {
        if above {
            self.since.get_or_insert(at);
        } else {
            self.since = None;
            self.before = Some(at);
        }
    }

    /// Since when it has been above.
    #[must_use]
    pub const fn since(&self) -> Option<Moment> {
        self.since
    }

    /// When it was last below.
    #[must_use]
    pub const fn before(&self) -> Option<Moment> {
        self.before
    }
}

/// Counts over the last minute, in ten-second slots: bounded whatever arrives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    slots: [(i64, u32); 7],
    first: Option<Moment>,
    last: Option<Moment>,
}

impl Rate {
    const SLOT_MS: i64 = 10_000;

    /// Counts `n` at `at`.
    pub fn add(&mut self, at: Moment, n: u32) {
        let slot = at.steady / Self::SLOT_MS;
        let place = &mut self.slots[usize::try_from(slot.rem_euclid(7)).unwrap_or(0)];
        if place.0 != slot {
            *place = (slot, 0);
        }
        place.1 = place.1.saturating_add(n);
        if self.last.is_none_or(|last| at.since(last) >= Duration::from_secs(60)) {
            self.first = Some(at);
        }
        self.last = Some(at);
    }

    /// The count over the last minute.
    #[must_use]
    pub fn per_minute(&self, now: Moment) -> u32 {
        let slot = now.steady / Self::SLOT_MS;
        let recent = self.slots.iter().filter(|(at, _)| slot - at < 6);
        recent.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    /// When the present run of counts began; a quiet minute ends a run.
    #[must_use]
    pub const fn first(&self) -> Option<Moment> {
        self.first
    }

    /// The last time anything was counted.
    #[must_use]
    pub const fn last(&self) -> Option<Moment> {
        self.last
    }
}

/// A Lua error that was new when it was first seen.
#[derive(Debug, Clone)]
pub struct NewError {
    /// Its signature.
    pub signature: u64,
    /// When it was first seen.
    pub first: Moment,
    /// When it was last seen.
    pub last: Moment,
    /// What it looks like.
    pub sample: Arc<str>,
}

/// What vigie knows of one service right now.
#[derive(Debug, Clone, Default)]
pub struct Sense {
    /// Its container or process.
    pub runtime: RuntimeState,
    /// Whether `runtime` is old: the runtime was away, and nobody has asked it since.
    pub doubted: bool,
    /// When `runtime` last changed.
    pub since: Moment,
    /// When it was last known to live, where `since` is only when its end was found out.
    pub alive_at: Option<Moment>,
    /// When the living process was started, as far as seen.
    pub started: Option<Moment>,
    /// When vigie came to know of the living process; its start, where that was before the watch.
    pub begun: Option<Moment>,
    /// When the living process last said that it reads its Workshop.
    pub loading: Option<Moment>,
    /// Whether the living process has proved itself since its start.
    pub ready: bool,
    /// Whether its start was told by the runtime, so that its boot can be timed.
    pub boot_seen: bool,
    /// The last exit.
    pub exit_code: Option<i32>,
    /// Whether the last exit was for memory; told before the exit itself.
    pub oom: Option<Moment>,
    /// A signal asked for through the runtime, which may explain the next exit.
    pub signalled: Option<(Moment, i32)>,
    /// An exit that is still being judged.
    pub pending_exit: Option<Exit>,
    /// Its health check.
    pub health: Health,
    /// When the health check last changed its mind.
    pub health_since: Moment,
    /// Starts by its own runtime.
    pub restarts: u32,
    /// Whether its runtime's policy starts it again by itself.
    pub restarts_itself: bool,
    /// The Source query.
    pub a2s: Proof,
    /// RCON.
    pub rcon: Proof,
    /// TCP.
    pub tcp: Proof,
    /// Database login.
    pub database: Proof,
    /// Players, places and map, as last answered.
    pub players: Option<(u8, u8, Arc<str>)>,
    /// Bytes in use and the limit.
    pub memory: Option<(u64, Option<u64>)>,
    /// CPU in percent of the limit.
    pub cpu_pct: Option<f32>,
    /// Memory above the first limit.
    pub memory_above: Sustained,
    /// Memory above the second limit.
    pub memory_high: Sustained,
    /// CPU above its limit.
    pub cpu_above: Sustained,
    /// Connections above their limit.
    pub connections_above: Sustained,
    /// The last database counters.
    pub connections: u32,
    /// Slow queries at the beginning of the present hour, and its beginning.
    pub slow_base: Option<(Moment, u64)>,
    /// Slow queries within the hour.
    pub slow_in_hour: u64,
    /// Lua errors.
    pub lua: Rate,
    /// The last Lua error whose signature had not been seen before.
    pub lua_new: Option<NewError>,
    /// The last Lua error.
    pub lua_last: Option<Arc<str>>,
    /// Rejected net messages by player; bounded.
    pub rejects: BTreeMap<Arc<str>, (Rate, Arc<str>)>,
    /// The game's own word that its database is gone: first and last time, and the error.
    pub database_lost: Option<(Moment, Moment, Arc<str>)>,
    /// Until when silence is excused by a map change.
    pub map_change_until: Option<Moment>,
    /// Differences to the compose file, once compared.
    pub drift: Option<Vec<String>>,
    /// When drift was first seen.
    pub drift_since: Moment,
    /// Backups that are late; none where nobody has looked.
    pub backups_late: Option<Vec<String>>,
    /// When one was first late.
    pub late_since: Moment,
    /// Drills that failed; none where nobody has looked.
    pub drills_failed: Option<Vec<String>>,
    /// When one first failed.
    pub drills_since: Moment,
    /// Host only: available memory below its limit.
    pub host_memory_low: Sustained,
    /// Host only: percent available.
    pub host_memory_pct: Option<f32>,
    /// Host only: percent used and mount point.
    pub disk: Option<(f32, Arc<str>, Moment)>,
    /// The last line that only a dying server prints.
    pub crash_line: Option<(Moment, Arc<str>)>,
}

impl Sense {
    /// Proofs that begin to fail within this time of each other fail together.
    const TOGETHER: Duration = Duration::from_secs(30);

    /// Changes the runtime state; the time of a state that stays the same stays too.
    pub fn set_runtime(&mut self, at: Moment, state: RuntimeState) {
        if self.runtime != state {
            self.runtime = state;
            self.since = at;
            self.alive_at = None;
        }
    }

    /// The runtime state as far as it can be relied on.
    #[must_use]
    pub const fn known_runtime(&self) -> RuntimeState {
        if self.doubted { RuntimeState::Unknown } else { self.runtime }
    }

    /// Whether RCON's failures belong to the present silence. What was broken while A2S still
    /// answered is a wrong password or a closed port, and no second proof of a freeze.
    #[must_use]
    pub fn rcon_testifies(&self) -> bool {
        let began = self.rcon.failing_since().map(|bounds| bounds.latest);
        match (began, self.a2s.last_good()) {
            (Some(began), Some(good)) => good.since(began) < Self::TOGETHER,
            _ => true,
        }
    }

    /// A new process: nothing said of the old one holds for it.
    pub fn begin_process(&mut self, at: Moment) {
        self.runtime = RuntimeState::Running;
        self.since = at;
        self.started = Some(at);
        if self.health != Health::None {
            self.health = Health::Starting;
            self.health_since = at;
        }
        self.loading = None;
        self.ready = false;
        self.boot_seen = false;
        self.pending_exit = None;
        self.signalled = None;
        self.oom = None;
        self.map_change_until = None;
        self.a2s.restart(at);
        self.rcon.restart(at);
        self.tcp.restart(at);
        self.database.restart(at);
        self.memory_above = Sustained::default();
        self.memory_high = Sustained::default();
        self.cpu_above = Sustained::default();
    }

    /// Memory in percent of the limit, where there is one.
    #[must_use]
    pub fn memory_pct(&self) -> Option<f32> {
        let (used, Some(limit)) = self.memory? else { return None };
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people and limits")]
        let pct = (limit > 0).then(|| used as f32 * 100.0 / limit as f32);
        pct
    }

    /// Until when a living process may be silent because it is starting. A process that still reads
    /// its Workshop is given the time again.
    #[must_use]
    pub fn boots_until(&self, grace: Duration) -> Option<Moment> {
        let from = self.started?.max(self.loading.unwrap_or_default());
        (!self.ready).then(|| from.plus(grace))
    }

    /// Whether a living process may still be silent because it is starting.
    #[must_use]
    pub fn starting(&self, now: Moment, grace: Duration) -> bool {
        self.boots_until(grace).is_some_and(|until| !now.reached(until))
    }

    /// Whether a map change excuses silence.
    #[must_use]
    pub fn changing_map(&self, now: Moment) -> bool {
        self.map_change_until.is_some_and(|until| !now.reached(until))
    }
}
