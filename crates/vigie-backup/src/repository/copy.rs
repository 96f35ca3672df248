//! Does: brings what one repository has and another lacks to the other. What was interrupted goes on
//! where it was.

use std::collections::HashSet;

use rustic_core::repofile::SnapshotFile;

use super::Repository;
use super::work::Work;
use crate::Error;
use crate::lock::Hold;

/// What a copy brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Snapshots that the other repository lacked.
    pub snapshots: u64,
    /// Snapshots that it had.
    pub known: u64,
}

/// What makes two snapshots the same in different repositories.
pub(super) fn identity(snapshot: &SnapshotFile) -> String {
    let SnapshotFile { time, label, tags, tree, hostname, .. } = snapshot;
    format!("{}\0{label}\0{tags}\0{tree}\0{hostname}", time.timestamp())
}

impl Repository {
    /// Copies every snapshot to `other` that is not there yet. Only data that `other` lacks is sent; the
    /// meter of this repository hears of it.
    ///
    /// # Errors
    /// When either site fails, somebody removes things in one of them, the two cut data in different
    /// places, or something of a snapshot is damaged here; whole snapshots that were copied before stay.
    pub fn copy_to(&self, other: &Self) -> Result<Copied, Error> {
        let other = Self { meter: self.meter.clone(), ..other.clone() };
        self.holding(Hold::Read, |from, _| {
            other.holding(Hold::Write, |to, interrupted| self.copied(from, &other, to, interrupted))
        })
    }

    fn copied(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        interrupted: bool,
    ) -> Result<Copied, Error> {
        let (ours, here) = self.guarded(from, || {
            let opened = from.opened()?;
            Ok((opened.config().clone(), opened.get_all_snapshots()?))
        })?;
        let (theirs, there) = other.guarded(to, || {
            let opened = to.opened()?;
            Ok((opened.config().clone(), opened.get_all_snapshots()?))
        })?;
        if !ours.has_same_chunker(&theirs) {
            let (from, to) = (self.place(), other.place());
            let why = "cut data in different places, so a copy would be all of it each time";
            return Err(Error::Strangers(format!("{from} and {to} {why}; make {to} like {from}")));
        }
        if interrupted || there.is_empty() {
            other.adopt(to)?;
        }
        let there: HashSet<_> = there.iter().map(identity).collect();
        let (known, mut lacking): (Vec<_>, Vec<_>) =
            here.into_iter().partition(|one| there.contains(&identity(one)));
        lacking.sort_by(|one, other| one.time.cmp(&other.time));
        let copied = Copied { snapshots: lacking.len() as u64, known: known.len() as u64 };
        let lacking = self.lacking(from, other, to, lacking)?;
        self.carry(from, other, to, lacking)?;
        Ok(copied)
    }

    /// Takes packs into the index that somebody left there who was killed.
    pub(super) fn adopt(&self, work: &Work<'_>) -> Result<(), Error> {
        let adopted = crate::pack::adopt(&work.site, &self.seal()?);
        adopted.map(drop).map_err(|fault| self.failed(fault))
    }
}
