//! Does: reads the whole index of a repository, and tells where a blob is. An index file that is damaged
//! is told and passed over.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use rustic_core::Id;

use super::{Blob, IndexFile, Kind, Pack};
use crate::crypt::{Seal, hash};
use crate::store::{Area, Fault, Object, Store, Trouble};

/// An index file of more bytes is none.
const LARGEST: u64 = 256 << 20;

/// Where a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// In [`Index::packs`].
    pub(crate) pack: u32,
    /// Its first byte there.
    pub(crate) offset: u32,
    /// Bytes there.
    pub(crate) length: u32,
    /// Bytes when it is unpacked; 0 when it is not packed.
    pub(crate) unpacked: u32,
}

impl Place {
    /// Bytes of its content.
    pub(crate) fn content(&self) -> u64 {
        // What is not packed is only sealed.
        u64::from(if self.unpacked > 0 { self.unpacked } else { self.length.saturating_sub(32) })
    }
}

/// What is in which pack.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Packs that are in use, with their sizes.
    pub(crate) packs: Vec<(Id, u64)>,
    /// Packs that are only marked to be removed.
    pub(crate) marked: Vec<Id>,
    /// Index files that are not what their names say.
    pub(crate) damaged: Vec<Id>,
    blobs: HashMap<(Kind, Id), Place>,
}

impl Index {
    /// Reads it.
    pub(crate) fn load(store: &dyn Store, seal: &Seal) -> Result<Self, Fault> {
        let mut index = Self::default();
        for (id, file) in files(store, seal)? {
            let Some(file) = file else {
                index.damaged.push(id);
                continue;
            };
            for pack in file.packs {
                index.add(&pack);
            }
            index.marked.extend(file.packs_to_delete.iter().map(|pack| pack.id));
        }
        Ok(index)
    }

    fn add(&mut self, pack: &Pack) {
        let number = u32::try_from(self.packs.len()).unwrap_or(u32::MAX);
        self.packs.push((pack.id, pack.length()));
        for blob in &pack.blobs {
            let place = Place {
                pack: number,
                offset: blob.offset,
                length: blob.length,
                unpacked: blob.uncompressed_length.map_or(0, std::num::NonZeroU32::get),
            };
            self.blobs.entry((blob.kind, blob.id)).or_insert(place);
        }
    }

    /// Where a blob is.
    pub(crate) fn place(&self, kind: Kind, id: &Id) -> Option<Place> {
        self.blobs.get(&(kind, *id)).copied()
    }

    /// The name of a place's pack.
    pub(crate) fn pack(&self, place: &Place) -> Option<Id> {
        self.packs.get(place.pack as usize).map(|(id, _)| *id)
    }

    /// Every blob with its place.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = ((Kind, Id), Place)> {
        self.blobs.iter().map(|(blob, place)| (*blob, *place))
    }
}

/// Every index file with its content; none in place of one that is not what its name says.
pub(crate) fn files(store: &dyn Store, seal: &Seal) -> Result<Vec<(Id, Option<IndexFile>)>, Fault> {
    let mut all = Vec::new();
    for (id, size) in store.list(Area::Index)? {
        if size > LARGEST {
            all.push((id, None));
            continue;
        }
        let content = match store.read(&Object::new(Area::Index, id), None) {
            // A prune of somebody who takes no locks put another in its place.
            Err(fault) if fault.is_missing() => continue,
            content => content?,
        };
        let plain = (hash(&content) == id).then(|| seal.open_file(&content)).flatten();
        all.push((id, plain.and_then(|plain| serde_json::from_slice(&plain).ok())));
    }
    Ok(all)
}

/// Writes an index file.
pub(crate) fn write(store: &dyn Store, seal: &Seal, file: &IndexFile) -> Result<Id, Fault> {
    let wrong = || Fault::new(Trouble::Wrong, "an index could not be written down");
    let plain = serde_json::to_vec(file).map_err(|_| wrong())?;
    let sealed = Bytes::from(seal.close_file(&plain).ok_or_else(wrong)?);
    let id = hash(&sealed);
    store.write(&Object::new(Area::Index, id), &[sealed])?;
    Ok(id)
}

/// Takes packs out of every index file: a new one is written before the old one is removed.
pub(crate) fn forget(store: &dyn Store, seal: &Seal, packs: &HashSet<Id>) -> Result<(), Fault> {
    for (id, file) in files(store, seal)? {
        let Some(mut file) = file else { continue };
        let before = file.packs.len() + file.packs_to_delete.len();
        file.packs.retain(|pack| !packs.contains(&pack.id));
        file.packs_to_delete.retain(|pack| !packs.contains(&pack.id));
        if file.packs.len() + file.packs_to_delete.len() == before {
            continue;
        }
        if !file.packs.is_empty() || !file.packs_to_delete.is_empty() {
            write(store, seal, &file)?;
        }
        store.remove(&Object::new(Area::Index, id))?;
    }
    Ok(())
}

/// Blobs by pack, as an index file has them.
pub(crate) fn of(packs: Vec<(Id, Vec<Blob>)>) -> IndexFile {
    let pack = |(id, blobs)| Pack { id, blobs, time: None, size: None };
    IndexFile { packs: packs.into_iter().map(pack).collect(), ..IndexFile::default() }
}
