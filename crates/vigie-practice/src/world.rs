//! The state that the threads of one server share: who listens to whom.
//!
//! It holds the gags, the town, the bans, the jobs and the death; it decides
//! nothing about protocols.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::{Archive, Effect};
use crate::config::Config;
use crate::console::Console;
use crate::death::Death;
use crate::fate::Fate;
use crate::gag::Gag;
use crate::jobs::Jobs;
use crate::lock::locked;
use crate::rcon::Bans;
use crate::town::Town;

/// How long an effect asked for over RCON waits, so that the asker gets the
/// answer (and the end marker) before the server breaks.
const FUSE: Duration = Duration::from_millis(100);

/// One server, seen from inside.
#[derive(Debug)]
pub(crate) struct World {
    config: Config,
    port: u16,
    console: Console,
    up: AtomicBool,
    started: Instant,
    fate: Fate,
    town: Mutex<Town>,
    archive: Mutex<Archive>,
    bans: Bans,
    jobs: Jobs,
    /// Nothing answers and nothing is printed.
    pub(crate) frozen: Gag,
    /// A2S alone does not answer.
    pub(crate) deaf_a2s: Gag,
    /// RCON alone does not answer.
    pub(crate) deaf_rcon: Gag,
    /// A map change is under way.
    pub(crate) loading: Gag,
}

impl World {
    /// A server that has not booted yet, its port already chosen.
    pub(crate) fn new(config: Config, port: u16, console: Console) -> Self {
        let town = Town::new(&config.map, config.players);
        let bans = Bans::new(config.rcon_min_failures, config.rcon_ban);
        Self {
            archive: Mutex::new(Archive::seeded()),
            config,
            port,
            console,
            up: AtomicBool::new(false),
            started: Instant::now(),
            fate: Fate::default(),
            town: Mutex::new(town),
            bans,
            jobs: Jobs::default(),
            frozen: Gag::default(),
            deaf_a2s: Gag::default(),
            deaf_rcon: Gag::default(),
            loading: Gag::default(),
        }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn town(&self) -> MutexGuard<'_, Town> {
        locked(&self.town)
    }

    pub(crate) fn archive(&self) -> MutexGuard<'_, Archive> {
        locked(&self.archive)
    }

    pub(crate) fn bans(&self) -> &Bans {
        &self.bans
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Marks the boot as finished.
    pub(crate) fn rise(&self) {
        self.up.store(true, Ordering::SeqCst);
    }

    /// Whether the boot is finished and the server lives.
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst) && !self.is_dead()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.fate.is_sealed()
    }

    /// Whether the main loop is stuck: nobody reads the sockets.
    pub(crate) fn is_stuck(&self) -> bool {
        self.frozen.holds() || self.loading.holds()
    }

    /// Sleeps for `time` or until the server dies; whether it still lives.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        self.fate.wait(time).is_none() && !self.is_dead()
    }

    /// Waits for the death, at most `patience`.
    pub(crate) fn wait_death(&self, patience: Duration) -> Option<Death> {
        self.fate.wait(patience)
    }

    /// What the server died of.
    pub(crate) fn death(&self) -> Option<Death> {
        self.fate.death()
    }

    /// Prints a line, unless frozen: a stuck main loop prints nothing.
    pub(crate) fn print(&self, line: &str) {
        if !self.frozen.holds() && !self.is_dead() {
            self.console.line(line);
        }
    }

    /// Prints lines that already end with a line break, unless frozen.
    pub(crate) fn print_block(&self, lines: &str) {
        if !self.frozen.holds() && !self.is_dead() {
            self.console.block(lines);
        }
    }

    /// Dies, with the last line on the console even when frozen. Only the
    /// first death counts.
    pub(crate) fn die(&self, death: Death) {
        if self.fate.claim() {
            self.console.last_words(death.line(self.port));
            self.fate.toll(death);
        }
    }

    /// Undoes all that can be undone.
    pub(crate) fn heal(&self) {
        self.jobs.end_all();
        self.bans.forget();
        for gag in [&self.frozen, &self.deaf_a2s, &self.deaf_rcon, &self.loading] {
            gag.lift();
        }
    }

    /// Applies effects after the [`FUSE`].
    pub(crate) fn light_fuse(self: &Arc<Self>, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        let world = Arc::clone(self);
        let lit = thread::Builder::new().name("fuse".to_owned()).spawn(move || {
            if world.pause(FUSE) {
                effects.into_iter().for_each(|effect| effect.apply(&world));
            }
        });
        if let Err(error) = lit {
            self.print(&format!("practice: cannot start the fuse: {error}"));
        }
    }
}
