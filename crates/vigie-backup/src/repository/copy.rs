//! Does: brings what one repository has and another lacks to the other. What was interrupted goes on
//! where it was; what is damaged here is not spread.

use std::collections::HashSet;

use rustic_core::Id;
use rustic_core::repofile::SnapshotFile;

use super::Repository;
use super::work::Work;
use crate::Error;
use crate::lock::Hold;
use crate::pack::{self, Damage, Index, Kind};

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
        self.whole(from, other, to, &lacking)?;
        self.bring(from, other, to, lacking)?;
        Ok(copied)
    }

    /// Brings snapshots to the other repository, in their order.
    pub(super) fn bring(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        mut lacking: Vec<SnapshotFile>,
    ) -> Result<(), Error> {
        // Each round begins with the index that the one before has written. Rounds grow, since reading
        // it takes its time; the first are small, so that the oldest are safe soon.
        let mut round = 1;
        while !lacking.is_empty() {
            let later = lacking.split_off(round.min(lacking.len()));
            self.copy_round(from, other, to, &lacking)?;
            lacking = later;
            round *= 2;
        }
        Ok(())
    }

    fn copy_round(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        snapshots: &[SnapshotFile],
    ) -> Result<(), Error> {
        // A fault at the other site is told as such, whatever it looks like from here.
        let done = self.guarded(from, || {
            let source = from.opened()?.to_indexed()?;
            let named: Vec<_> = snapshots.iter().map(named).collect();
            source.copy(&to.opened()?.to_indexed_ids()?, &named)
        });
        match (done, to.site.first()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(fault)) => Err(other.failed(fault)),
            (Err(error), None) => Err(error),
        }
    }

    /// Fails when anything of these snapshots is in neither index: `rustic_core` copies what it finds and
    /// says nothing. What the other repository has was looked at when it got there. Says how many bytes
    /// of packs it lacks.
    pub(super) fn whole(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        snapshots: &[SnapshotFile],
    ) -> Result<u64, Error> {
        if snapshots.is_empty() {
            return Ok(0);
        }
        let seal = self.seal()?;
        let here = Index::load(&from.site, &seal).map_err(|fault| self.failed(fault))?;
        let there = Index::load(&to.site, &other.seal()?).map_err(|fault| other.failed(fault))?;
        let (mut seen, mut sent) = (HashSet::new(), HashSet::new());
        let mut bytes = 0;
        for snapshot in snapshots {
            let damaged = |what: &str| {
                let name = snapshot.id.to_hex();
                let name = &name.as_str()[..8];
                let why = format!("{what} of the snapshot {name} ({}) is damaged", snapshot.label);
                Error::Repository(self.place(), format!("{why}; repair it from another site"))
            };
            let mut open: Vec<Id> = vec![*snapshot.tree];
            while let Some(id) = open.pop() {
                if there.place(Kind::Tree, &id).is_some() || !seen.insert(id) {
                    continue;
                }
                let tree = pack::tree(&from.site, &seal, &here, &id).map_err(|why| match why {
                    Damage::Site(fault) => self.failed(fault),
                    Damage::Missing | Damage::Flipped => damaged("a directory"),
                })?;
                bytes += here.place(Kind::Tree, &id).map_or(0, |place| u64::from(place.length));
                for node in tree.nodes {
                    for id in node.content.iter().flatten().map(|id| **id) {
                        if there.place(Kind::Data, &id).is_some() {
                            continue;
                        }
                        let place = here.place(Kind::Data, &id);
                        let place =
                            place.ok_or_else(|| damaged(&format!("the file {:?}", node.name())))?;
                        if sent.insert(id) {
                            bytes += u64::from(place.length);
                        }
                    }
                    open.extend(node.subtree.iter().map(|id| **id));
                }
            }
        }
        Ok(bytes)
    }

    /// Takes packs into the index that somebody left there who was killed.
    pub(super) fn adopt(&self, work: &Work<'_>) -> Result<(), Error> {
        let adopted = crate::pack::adopt(&work.site, &self.seal()?);
        adopted.map(drop).map_err(|fault| self.failed(fault))
    }
}

/// The other repository remembers what a snapshot is called here, as restic's copies do.
pub(super) fn named(snapshot: &SnapshotFile) -> SnapshotFile {
    let original = snapshot.original.or(Some(snapshot.id));
    SnapshotFile { original, ..snapshot.clone() }
}
