//! Does: writes blobs into new packs, with an index of them. Many threads may add at once; while one
//! writes a pack, the others fill the next. Nothing refers to what it writes before all of it is there.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

use super::{Blob, Kind, header, index};
use crate::crypt::{Seal, hash, packed, unpacked_piece};
use crate::store::{Area, Fault, Object, Store, Trouble};

/// A pack is written when it has so many bytes.
const PACK: usize = 8 << 20;
/// An index file is written for so many blobs: whoever is killed then has lost less.
const INDEXED: usize = 50_000;

/// What was added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// Blobs.
    pub(crate) blobs: u64,
    /// Bytes that are in them.
    pub(crate) bytes: u64,
    /// Bytes that they take.
    pub(crate) packed: u64,
}

/// A pack that is being filled.
#[derive(Default)]
struct Open {
    content: Vec<u8>,
    blobs: Vec<Blob>,
    added: Added,
}

#[derive(Default)]
struct State {
    data: Open,
    trees: Open,
    /// What was added, whether it is written or not.
    claimed: HashSet<(Kind, Id)>,
    /// Packs that are in no index yet.
    written: Vec<(Id, Vec<Blob>)>,
}

impl State {
    fn open(&mut self, kind: Kind) -> &mut Open {
        match kind {
            Kind::Data => &mut self.data,
            Kind::Tree => &mut self.trees,
        }
    }
}

/// Packs that are being filled.
pub(crate) struct Packer<'a> {
    store: &'a dyn Store,
    seal: &'a Seal,
    state: Mutex<State>,
}

impl<'a> Packer<'a> {
    /// Nothing is written yet.
    pub(crate) fn new(store: &'a dyn Store, seal: &'a Seal) -> Self {
        Self { store, seal, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a blob, unless it was added before.
    pub(crate) fn add(&self, kind: Kind, id: Id, plain: &[u8]) -> Result<(), Fault> {
        if !self.state().claimed.insert((kind, id)) {
            return Ok(());
        }
        let (sealed, smaller) = self.sealed(plain)?;
        self.put(kind, id, &sealed, (smaller, plain.len()))
    }

    /// Adds a blob that another repository has packed, unless it was added before; `length` is that of its
    /// content. The caller has looked at its content.
    pub(crate) fn add_packed(
        &self,
        kind: Kind,
        id: Id,
        packed: &[u8],
        length: Option<usize>,
    ) -> Result<(), Fault> {
        if !self.state().claimed.insert((kind, id)) {
            return Ok(());
        }
        let sealed = self.seal.close(packed).ok_or_else(wrong)?;
        if self.seal.open(&sealed).is_none_or(|opened| opened != packed) {
            return Err(wrong());
        }
        let smaller = length.map(number).transpose()?.and_then(NonZeroU32::new);
        self.put(kind, id, &sealed, (smaller, length.unwrap_or(packed.len())))
    }

    fn put(
        &self,
        kind: Kind,
        id: Id,
        sealed: &[u8],
        (uncompressed_length, bytes): (Option<NonZeroU32>, usize),
    ) -> Result<(), Fault> {
        let mut state = self.state();
        let open = state.open(kind);
        let (offset, length) = (number(open.content.len())?, number(sealed.len())?);
        open.blobs.push(Blob { id, kind, offset, length, uncompressed_length });
        open.content.extend(sealed);
        open.added.blobs += 1;
        open.added.bytes += bytes as u64;
        open.added.packed += u64::from(length);
        if open.content.len() < PACK {
            return Ok(());
        }
        let full = (std::mem::take(&mut open.content), std::mem::take(&mut open.blobs));
        drop(state);
        self.write(full)
    }

    /// What cannot be packed smaller is only sealed. Memory can be as wrong as a disk, and what is wrong
    /// now would only be found when it is needed: it is opened again at once.
    fn sealed(&self, plain: &[u8]) -> Result<(Vec<u8>, Option<NonZeroU32>), Fault> {
        let packed = packed(plain).ok_or_else(wrong)?;
        let smaller = NonZeroU32::new(number(plain.len())?).filter(|_| packed.len() < plain.len());
        let content = if smaller.is_some() { &packed[..] } else { plain };
        let sealed = self.seal.close(content).ok_or_else(wrong)?;
        let opened = self.seal.open(&sealed).ok_or_else(wrong)?;
        let is_right = match smaller {
            Some(_) => unpacked_piece(&opened, plain.len()).is_some_and(|found| found == plain),
            None => opened == plain,
        };
        if is_right { Ok((sealed, smaller)) } else { Err(wrong()) }
    }

    fn write(&self, (mut content, blobs): (Vec<u8>, Vec<Blob>)) -> Result<(), Fault> {
        if blobs.is_empty() {
            return Ok(());
        }
        content.extend(header::write(self.seal, &blobs).ok_or_else(wrong)?);
        let content = Bytes::from(content);
        let id = hash(&content);
        self.store.write(&Object::new(Area::Data, id), &[content])?;
        let mut state = self.state();
        state.written.push((id, blobs));
        let waiting: usize = state.written.iter().map(|(_, blobs)| blobs.len()).sum();
        if waiting < INDEXED {
            return Ok(());
        }
        let written = std::mem::take(&mut state.written);
        drop(state);
        index::write(self.store, self.seal, &index::of(written)).map(drop)
    }

    /// Writes what is left, and the index. Says what was added of files and of directories.
    pub(crate) fn finish(self) -> Result<(Added, Added), Fault> {
        for kind in [Kind::Data, Kind::Tree] {
            let mut state = self.state();
            let open = state.open(kind);
            let left = (std::mem::take(&mut open.content), std::mem::take(&mut open.blobs));
            drop(state);
            self.write(left)?;
        }
        let mut state = self.state();
        let written = std::mem::take(&mut state.written);
        let added = (state.data.added, state.trees.added);
        drop(state);
        if !written.is_empty() {
            index::write(self.store, self.seal, &index::of(written))?;
        }
        Ok(added)
    }
}

fn number(size: usize) -> Result<u32, Fault> {
    u32::try_from(size).map_err(|_| wrong())
}

fn wrong() -> Fault {
    Fault::new(Trouble::Wrong, "a blob could not be packed")
}
