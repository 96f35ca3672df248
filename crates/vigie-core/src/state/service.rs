//! Decides what is remembered of a service across restarts of vigie: its exits and restarts (for
//! the crash loop and the budget), its boots (for the grace), its known Lua errors. All bounded.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::observe::Probe;

/// An exit that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// When.
    pub at: Moment,
    /// Exit code.
    pub code: Option<i32>,
    /// Whether for memory.
    pub oom: bool,
}

/// What is remembered of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceState {
    /// The last exits that nobody asked for, oldest first.
    pub exits: Vec<ExitRecord>,
    /// The last restarts by vigie, oldest first.
    pub restarts: Vec<Moment>,
    /// Restarts by vigie since the service was last well for long.
    pub streak: u32,
    /// A person stopped it.
    pub stood_down: bool,
    /// Milliseconds of the last boots, oldest first.
    pub boots: Vec<u64>,
    /// Known Lua error signatures, oldest first.
    pub signatures: VecDeque<u64>,
    /// Proofs that have passed at least once: their addresses are right.
    #[serde(default)]
    pub proved: BTreeSet<Probe>,
    /// Proofs that failed by themselves for so long that they are no witness of anything.
    #[serde(default)]
    pub distrusted: BTreeSet<Probe>,
}

impl ServiceState {
    /// Exits that are kept.
    pub const EXITS: usize = 64;
    /// Restarts that are kept.
    pub const RESTARTS: usize = 64;
    const BOOTS: usize = 10;
    const SIGNATURES: usize = 4096;

    pub(super) fn exited(&mut self, exit: ExitRecord) {
        push_bounded(&mut self.exits, exit, Self::EXITS);
        // What was missed can be told behind what came after it.
        self.exits.sort_by_key(|exit| exit.at);
    }

    pub(super) fn restarted(&mut self, at: Moment) {
        push_bounded(&mut self.restarts, at, Self::RESTARTS);
        self.streak = self.streak.saturating_add(1);
    }

    pub(super) fn booted(&mut self, took_ms: u64) {
        push_bounded(&mut self.boots, took_ms, Self::BOOTS);
    }

    pub(super) fn proved(&mut self, proof: Probe) {
        self.proved.insert(proof);
        self.distrusted.remove(&proof);
    }

    pub(super) fn distrust(&mut self, proof: Probe) {
        self.distrusted.insert(proof);
    }

    /// Whether the failures of `proof` say anything.
    #[must_use]
    pub fn trusts(&self, proof: Probe) -> bool {
        !self.distrusted.contains(&proof)
    }

    pub(super) fn learn_signature(&mut self, signature: u64) {
        if self.signatures.len() >= Self::SIGNATURES {
            self.signatures.pop_front();
        }
        self.signatures.push_back(signature);
    }

    /// The exits within `window` before `now`, oldest first.
    pub fn exits_within(
        &self,
        now: Moment,
        window: Duration,
    ) -> impl Iterator<Item = &ExitRecord> + Clone {
        self.exits.iter().filter(move |exit| now.since(exit.at) < window)
    }

    /// The restarts by vigie within `window` before `now`.
    pub fn restarts_within(&self, now: Moment, window: Duration) -> impl Iterator<Item = &Moment> {
        self.restarts.iter().filter(move |at| now.since(**at) < window)
    }

    /// How long a start may take: `configured`, or twice the longest of the last boots and a little
    /// where that is more. Quick boots say nothing of the one that downloads the Workshop again.
    #[must_use]
    pub fn grace(&self, configured: Duration) -> Duration {
        let longest = self.boots.iter().max();
        let learned =
            longest.map(|ms| Duration::from_millis(ms.saturating_mul(2).saturating_add(5_000)));
        configured.max(learned.unwrap_or_default())
    }
}

fn push_bounded<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(item);
}
