//! Does: compares every file of a repository with its name, which is the hash of its content. It does not
//! know what the files are good for.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::Id;
use rustic_core::repofile::SnapshotFile;

use super::{Damaged, Findings, Part};
use crate::crypt::{Seal, hash};
use crate::pack::Index;
use crate::progress::Meter;
use crate::repository::work::Work;
use crate::store::{Area, Fault, Object, Store};

/// Packs that are read at once.
const AT_ONCE: usize = 3;

/// Snapshots that can be read, with their names.
pub(super) type Snapshots = Vec<(Id, SnapshotFile)>;

/// Reads everything but the packs.
pub(super) fn look(site: &dyn Store, seal: &Seal) -> Result<(Findings, Index, Snapshots), Fault> {
    let mut found = Findings::default();
    match site.read(&Object::config(), None) {
        Err(fault) if fault.is_missing() => found.config(true),
        Err(fault) => return Err(fault),
        Ok(content) if seal.open_file(&content).is_none() => found.config(false),
        Ok(_) => {}
    }
    for (id, _) in site.list(Area::Keys)? {
        if hash(&site.read(&Object::new(Area::Keys, id), None)?) != id {
            found.keys.push(id);
            found.damaged(Part::Key, id, false);
        }
    }
    let mut snapshots = Vec::new();
    for (id, _) in site.list(Area::Snapshots)? {
        let content = site.read(&Object::new(Area::Snapshots, id), None)?;
        let plain = (hash(&content) == id).then(|| seal.open_file(&content)).flatten();
        match plain.and_then(|plain| serde_json::from_slice(&plain).ok()) {
            Some(snapshot) => snapshots.push((id, snapshot)),
            None => {
                found.snapshots.push(id);
                found.damaged(Part::Snapshot, id, false);
            }
        }
    }
    found.report.snapshots = snapshots.len() as u64;
    let index = Index::load(site, seal)?;
    for id in &index.damaged {
        found.damaged(Part::Index, *id, false);
    }
    found.indexes.clone_from(&index.damaged);
    sizes(site, &index, &mut found)?;
    Ok((found, index, snapshots))
}

/// Compares the packs that are there with those of the index.
fn sizes(site: &dyn Store, index: &Index, found: &mut Findings) -> Result<(), Fault> {
    let mut there: HashMap<Id, u64> = site.list(Area::Data)?.into_iter().collect();
    // The same pack may be in two index files.
    let packs: BTreeMap<Id, u64> = index.packs.iter().copied().collect();
    for (id, size) in packs {
        let real = there.remove(&id);
        if real != Some(size) {
            found.pack(id, real.is_none());
        }
    }
    for id in &index.marked {
        there.remove(id);
    }
    found.report.unneeded = there.len() as u64;
    Ok(())
}

/// Reads so many percent of the packs.
pub(super) fn read_packs(
    work: &Work<'_>,
    index: &Index,
    percent: u8,
    meter: Option<&Arc<dyn Meter>>,
    found: &mut Findings,
) -> Result<(), Fault> {
    let percent = u64::from(percent.min(100));
    // The names are hashes, so a number from them and from this is as good as dice.
    let salt = crate::random::hex(16);
    let dice = |id: &Id| {
        let thrown = hash(format!("{salt}{}", id.to_hex().as_str()).as_bytes());
        u64::from(thrown.as_u32()) % 100
    };
    let mut chosen: Vec<_> = index.packs.iter().filter(|(id, _)| dice(id) < percent).collect();
    chosen.retain(|(id, _)| !found.packs.contains_key(id));
    chosen.sort_unstable();
    chosen.dedup();
    if let Some(meter) = meter {
        meter.total(chosen.iter().map(|(_, size)| size).sum());
    }
    let (next, bad) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let read = || -> Result<(), Fault> {
        while let Some((id, size)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (damaged, missing) = match work.site.read(&Object::new(Area::Data, *id), None) {
                Err(fault) if fault.is_missing() => (true, true),
                Err(fault) => return Err(fault),
                Ok(content) => (hash(&content) != *id, false),
            };
            if damaged {
                bad.lock().unwrap_or_else(PoisonError::into_inner).push((*id, missing));
            }
            if let Some(meter) = meter {
                meter.more(*size);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(read)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })?;
    for (id, missing) in bad.into_inner().unwrap_or_else(PoisonError::into_inner) {
        found.pack(id, missing);
    }
    found.report.packs_read = chosen.len() as u64;
    found.report.bytes_read = chosen.iter().map(|(_, size)| size).sum();
    Ok(())
}

impl Findings {
    fn damaged(&mut self, part: Part, id: Id, missing: bool) {
        let name = id.to_hex().as_str().to_owned();
        self.report.damaged.push(Damaged { part, name, missing });
    }

    fn config(&mut self, missing: bool) {
        self.config = true;
        self.report.damaged.push(Damaged { part: Part::Config, name: "config".into(), missing });
    }

    pub(super) fn pack(&mut self, id: Id, missing: bool) {
        self.packs.insert(id, !missing);
        self.damaged(Part::Pack, id, missing);
    }
}
