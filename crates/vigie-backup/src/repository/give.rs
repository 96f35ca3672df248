//! Does: gives single snapshots to another repository, each under a name of its own there. What has the
//! same content is the same there, wherever it was kept first.

use std::collections::BTreeMap;

use rustic_core::repofile::{SnapshotFile, StringList};

use super::put::{TREE, given};
use super::work::Work;
use super::{Repository, SnapshotId};
use crate::Error;
use crate::lock::Hold;

/// A snapshot for another repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// Its name here.
    pub id: SnapshotId,
    /// Its label there.
    pub label: String,
    /// Its tags there, with commas between them.
    pub tags: String,
}

/// What was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// Snapshots that the other repository lacked.
    pub snapshots: u64,
    /// Snapshots that it had.
    pub known: u64,
    /// Bytes of packs that it lacked.
    pub bytes: u64,
}

impl Repository {
    /// What snapshots hold, by their names; those that are not there are left out. What is the same in two
    /// of them, or in two repositories, is the same content with the same metadata.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn contents(&self) -> Result<BTreeMap<SnapshotId, String>, Error> {
        let all = self.reading(|work| work.opened()?.get_all_snapshots())?;
        Ok(all.into_iter().map(|one| (hex(&one.id), hex(&one.tree))).collect())
    }

    /// Gives snapshots to `other`, which may cut data in other places, and may have them under these names
    /// already. Before anything is written, `allowed` hears how many bytes it lacks, and may refuse.
    ///
    /// # Errors
    /// When one is not here or is damaged, either site fails, somebody removes things in one of them, or it
    /// is refused; whole snapshots that were given before stay.
    pub fn give(
        &self,
        other: &Self,
        gifts: &[Gift],
        allowed: impl FnOnce(u64) -> Result<(), Error>,
    ) -> Result<Given, Error> {
        let meter = other.meter.clone().or_else(|| self.meter.clone());
        let other = Self { meter, ..other.clone() };
        self.holding(Hold::Read, |from, _| {
            other.holding(Hold::Write, |to, interrupted| {
                self.given(from, &other, (to, interrupted), gifts, allowed)
            })
        })
    }

    fn given(
        &self,
        from: &Work<'_>,
        other: &Self,
        (to, interrupted): (&Work<'_>, bool),
        gifts: &[Gift],
        allowed: impl FnOnce(u64) -> Result<(), Error>,
    ) -> Result<Given, Error> {
        let here = self.guarded(from, || from.opened()?.get_all_snapshots())?;
        let there = other.guarded(to, || to.opened()?.get_all_snapshots())?;
        if interrupted || there.is_empty() {
            other.adopt(to)?;
        }
        let mut lacking: Vec<SnapshotFile> = Vec::new();
        for gift in gifts {
            let found = here.iter().find(|one| hex(&one.id) == gift.id);
            let found = found.ok_or_else(|| {
                Error::NotThere(self.place(), format!("the snapshot {} ({})", gift.id, gift.label))
            })?;
            let wrapped = wrapped(found, gift);
            if !there.iter().chain(&lacking).any(|one| is_same(one, &wrapped)) {
                lacking.push(wrapped);
            }
        }
        lacking.sort_by(|one, other| one.time.cmp(&other.time));
        let snapshots = lacking.len() as u64;
        let lacking = self.lacking(from, other, to, lacking)?;
        let bytes = lacking.bytes;
        allowed(bytes)?;
        self.carry(from, other, to, lacking)?;
        Ok(Given { snapshots, known: gifts.len() as u64 - snapshots, bytes })
    }
}

/// The snapshot as it is called there.
fn wrapped(snapshot: &SnapshotFile, gift: &Gift) -> SnapshotFile {
    // A comma is the only thing that a list of words can have wrong, and it stands between them.
    let mut tags: StringList = gift.tags.parse().unwrap_or_default();
    if snapshot.tags.contains(TREE) {
        tags.add(TREE.to_owned());
    }
    SnapshotFile { label: gift.label.clone(), tags, ..snapshot.clone() }
}

fn is_same(one: &SnapshotFile, other: &SnapshotFile) -> bool {
    let has = given(&one.tags);
    one.label == other.label
        && one.tree == other.tree
        && given(&other.tags).iter().all(|tag| has.contains(tag))
}

fn hex(id: &rustic_core::Id) -> String {
    id.to_hex().as_str().to_owned()
}
