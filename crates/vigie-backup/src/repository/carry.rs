//! Does: carries snapshots from one repository into another, blob by blob. Nobody at the other end looks again
//! at what is there, so nothing is carried whose content is not what its name says; and nothing refers to
//! what was carried before all of it is there.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustic_core::Id;
use rustic_core::repofile::SnapshotFile;

use super::Repository;
use super::work::Work;
use crate::Error;
use crate::crypt::Seal;
use crate::pack::{self, Damage, Index, Kind, Packer, Place};
use crate::progress::Meter;
use crate::store::{Area, Fault, Object, Part, Store};

/// Bytes that are read at once, where blobs stand beside each other.
const RUN: u64 = 8 << 20;
/// Bytes between two blobs that are rather read than asked past.
const GAP: u64 = 64 << 10;
/// Threads that carry: each has a run in memory.
const CARRIERS: usize = 4;

/// Snapshots that the other repository lacks.
pub(super) struct Lacking {
    /// What is in this one.
    here: Index,
    /// Each with the blobs that those before it do not bring, and that the other repository lacks.
    snapshots: Vec<(SnapshotFile, Vec<(Kind, Id)>)>,
    /// Bytes of packs that these blobs take.
    pub(super) bytes: u64,
}

/// Blobs of one pack that are read at once.
struct Run {
    pack: Id,
    offset: u64,
    length: u64,
    blobs: Vec<(Place, Kind, Id)>,
}

impl Repository {
    /// What `other` lacks of `snapshots`, in their order.
    ///
    /// # Errors
    /// When anything of them is in neither index.
    pub(super) fn lacking(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        snapshots: Vec<SnapshotFile>,
    ) -> Result<Lacking, Error> {
        let mut lacking = Lacking { here: Index::default(), snapshots: Vec::new(), bytes: 0 };
        if snapshots.is_empty() {
            return Ok(lacking);
        }
        let seal = self.seal()?;
        let here = Index::load(&from.site, &seal).map_err(|fault| self.failed(fault))?;
        let there = Index::load(&to.site, &other.seal()?).map_err(|fault| other.failed(fault))?;
        let mut seen = HashSet::new();
        for snapshot in snapshots {
            let damaged = |what: &str| self.damaged(&snapshot, what);
            let mut blobs = Vec::new();
            let mut open: Vec<Id> = vec![*snapshot.tree];
            while let Some(id) = open.pop() {
                if !seen.insert((Kind::Tree, id)) {
                    continue;
                }
                // Also below one that is there: who was killed may have left a directory without its files.
                let tree = pack::tree(&from.site, &seal, &here, &id).map_err(|why| match why {
                    Damage::Site(fault) => self.failed(fault),
                    Damage::Missing | Damage::Flipped => damaged("a directory"),
                })?;
                if there.place(Kind::Tree, &id).is_none() {
                    blobs.push((Kind::Tree, id));
                }
                for node in tree.nodes {
                    for id in node.content.iter().flatten().map(|id| **id) {
                        if there.place(Kind::Data, &id).is_some() {
                            continue;
                        }
                        if here.place(Kind::Data, &id).is_none() {
                            return Err(damaged(&format!("the file {:?}", node.name())));
                        }
                        if seen.insert((Kind::Data, id)) {
                            blobs.push((Kind::Data, id));
                        }
                    }
                    open.extend(node.subtree.iter().map(|id| **id));
                }
            }
            let places = blobs.iter().filter_map(|(kind, id)| here.place(*kind, id));
            lacking.bytes += places.map(|place| u64::from(place.length)).sum::<u64>();
            lacking.snapshots.push((snapshot, blobs));
        }
        Ok(Lacking { here, ..lacking })
    }

    /// Carries them over. Whole snapshots that were carried before something failed stay.
    ///
    /// # Errors
    /// When either site fails, or a blob is damaged here.
    pub(super) fn carry(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        lacking: Lacking,
    ) -> Result<(), Error> {
        let Lacking { here, mut snapshots, bytes } = lacking;
        if let Some(meter) = other.meter.as_ref().filter(|_| bytes > 0) {
            meter.total(bytes);
        }
        // Rounds grow, since each writes an index; the first are small, so that the oldest are safe soon.
        let mut round = 1;
        while !snapshots.is_empty() {
            let later = snapshots.split_off(round.min(snapshots.len()));
            self.carry_round(from, other, to, &here, &snapshots)?;
            let whole = snapshots.into_iter().map(|(snapshot, _)| named(snapshot)).collect();
            other.guarded(to, || to.opened()?.save_snapshots(whole))?;
            snapshots = later;
            round *= 2;
        }
        Ok(())
    }

    fn carry_round(
        &self,
        from: &Work<'_>,
        other: &Self,
        to: &Work<'_>,
        here: &Index,
        snapshots: &[(SnapshotFile, Vec<(Kind, Id)>)],
    ) -> Result<(), Error> {
        let (seal, sealed) = (self.seal()?, other.seal()?);
        let packer = Packer::new(&to.site, &sealed);
        let carrier = Carrier {
            site: &from.site,
            seal: &seal,
            packer: &packer,
            meter: other.meter.as_deref(),
            runs: Mutex::new(runs(here, snapshots.iter().flat_map(|(_, blobs)| blobs))),
            large: Mutex::default(),
            stop: AtomicBool::new(false),
            trouble: Mutex::default(),
        };
        std::thread::scope(|scope| {
            for _ in 0..CARRIERS {
                scope.spawn(|| carrier.work());
            }
        });
        let trouble = carrier.trouble.into_inner().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            None => packer.finish().map(drop).map_err(|fault| other.failed(fault)),
            // A breaker tells the first fault; what comes after it is only its echo.
            Some(Trouble::There(fault)) => Err(other.failed(to.site.first().unwrap_or(fault))),
            Some(Trouble::Here(_, Damage::Site(fault))) => {
                Err(self.failed(from.site.first().unwrap_or(fault)))
            }
            Some(Trouble::Here(id, Damage::Missing | Damage::Flipped)) => {
                let of =
                    snapshots.iter().find(|(_, blobs)| blobs.iter().any(|(_, one)| *one == id));
                let (snapshot, _) = of.unwrap_or(&snapshots[0]);
                Err(self.damaged(snapshot, "a part"))
            }
        }
    }

    fn damaged(&self, snapshot: &SnapshotFile, what: &str) -> Error {
        let name = snapshot.original.unwrap_or(snapshot.id).to_hex();
        let name = &name.as_str()[..8];
        let why = format!("{what} of the snapshot {name} ({}) is damaged", snapshot.label);
        Error::Repository(self.place(), format!("{why}; repair it from another site"))
    }
}

/// The other repository remembers what a snapshot is called here, as restic's copies do.
pub(super) fn named(snapshot: SnapshotFile) -> SnapshotFile {
    let original = snapshot.original.or(Some(snapshot.id));
    SnapshotFile { original, parent: None, parents: Vec::new(), ..snapshot }
}

/// How these blobs are read: few times, and never more than is wanted.
fn runs<'a>(here: &Index, blobs: impl Iterator<Item = &'a (Kind, Id)>) -> Vec<Run> {
    let mut packs: BTreeMap<u32, Vec<(Place, Kind, Id)>> = BTreeMap::new();
    for (kind, id) in blobs {
        if let Some(place) = here.place(*kind, id) {
            packs.entry(place.pack).or_default().push((place, *kind, *id));
        }
    }
    let mut runs: Vec<Run> = Vec::new();
    for (_, mut blobs) in packs {
        blobs.sort_unstable_by_key(|(place, ..)| place.offset);
        let first = runs.len();
        for (place, kind, id) in blobs {
            let Some(pack) = here.pack(&place) else { continue };
            let (offset, length) = (u64::from(place.offset), u64::from(place.length).max(1));
            let end = offset + length;
            let last = runs.get_mut(first..).and_then(<[Run]>::last_mut);
            match last {
                Some(run) if offset <= run.offset + run.length + GAP && end - run.offset <= RUN => {
                    run.length = run.length.max(end - run.offset);
                    run.blobs.push((place, kind, id));
                }
                _ => runs.push(Run { pack, offset, length, blobs: vec![(place, kind, id)] }),
            }
        }
    }
    // Taken from the end.
    runs.reverse();
    runs
}

/// Why a round did not come to its end.
enum Trouble {
    /// A blob here.
    Here(Id, Damage),
    /// The other site.
    There(Fault),
}

/// What the threads of a round share.
struct Carrier<'a> {
    site: &'a dyn Store,
    seal: &'a Seal,
    packer: &'a Packer<'a>,
    meter: Option<&'a dyn Meter>,
    runs: Mutex<Vec<Run>>,
    /// Held for what is larger than a run: one at a time is in memory.
    large: Mutex<()>,
    stop: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
}

impl Carrier<'_> {
    fn work(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let run = self.runs.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(run) = run else { return };
            if let Err(trouble) = self.carry(&run) {
                self.stop.store(true, Ordering::Relaxed);
                let mut first = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(trouble);
            }
        }
    }

    fn carry(&self, run: &Run) -> Result<(), Trouble> {
        let is_large = |place: &Place| place.content() > RUN;
        let is_large = run.length > RUN || run.blobs.iter().any(|(place, ..)| is_large(place));
        let _alone = is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        let impossible = run.blobs.iter().find(|(place, kind, _)| !pack::is_possible(*kind, place));
        if let Some((_, _, id)) = impossible {
            return Err(Trouble::Here(*id, Damage::Flipped));
        }
        let first = run.blobs.first().map_or(run.pack, |(_, _, id)| *id);
        let part = Part { offset: run.offset, length: run.length };
        let read = match self.site.read(&Object::new(Area::Data, run.pack), Some(part)) {
            Err(fault) if fault.is_missing() => Err(Damage::Missing),
            Err(fault) if fault.is_of_the_file() => Err(Damage::Flipped),
            read => read.map_err(Damage::Site),
        };
        let read = read.map_err(|damage| Trouble::Here(first, damage))?;
        for (place, kind, id) in &run.blobs {
            let begin = (u64::from(place.offset) - run.offset) as usize;
            let sealed = read.get(begin..begin + place.length as usize);
            let proved =
                sealed.and_then(|sealed| pack::proved(self.seal, sealed, *kind, place, id));
            let proved = proved.ok_or(Trouble::Here(*id, Damage::Flipped))?;
            let length = proved.plain.map(|plain| plain.len());
            let added = self.packer.add_packed(*kind, *id, &proved.packed, length);
            added.map_err(Trouble::There)?;
            if let Some(meter) = self.meter {
                meter.more(place.length.into());
            }
        }
        Ok(())
    }
}
