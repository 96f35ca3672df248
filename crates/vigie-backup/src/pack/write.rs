//! Does: writes blobs into new packs, with an index of them. Nothing refers to what it writes before all
//! of it is there.

use std::num::NonZeroU32;

use bytes::Bytes;
use rustic_core::Id;

use super::{Blob, Kind, header, index};
use crate::crypt::{Seal, hash};
use crate::store::{Area, Fault, Object, Store, Trouble};

/// A pack is written when it has so many bytes.
const PACK: usize = 8 << 20;

/// Packs that are being filled.
pub(crate) struct Packer<'a> {
    store: &'a dyn Store,
    seal: &'a Seal,
    open: [(Kind, Vec<u8>, Vec<Blob>); 2],
    written: Vec<(Id, Vec<Blob>)>,
}

impl<'a> Packer<'a> {
    /// Nothing is written yet.
    pub(crate) fn new(store: &'a dyn Store, seal: &'a Seal) -> Self {
        let open = [Kind::Data, Kind::Tree].map(|kind| (kind, Vec::new(), Vec::new()));
        Self { store, seal, open, written: Vec::new() }
    }

    /// Adds a blob.
    pub(crate) fn add(&mut self, kind: Kind, id: Id, plain: &[u8]) -> Result<(), Fault> {
        let packed = zstd::stream::encode_all(plain, 3).map_err(|_| wrong())?;
        let sealed = self.seal.close(&packed).ok_or_else(wrong)?;
        let number = |size: usize| u32::try_from(size).map_err(|_| wrong());
        let uncompressed_length = NonZeroU32::new(number(plain.len())?);
        // What has no bytes cannot say that it was packed.
        let sealed = match uncompressed_length {
            Some(_) => sealed,
            None => self.seal.close(plain).ok_or_else(wrong)?,
        };
        let (_, content, blobs) = &mut self.open[usize::from(kind == Kind::Tree)];
        let (offset, length) = (number(content.len())?, number(sealed.len())?);
        blobs.push(Blob { id, kind, offset, length, uncompressed_length });
        content.extend(sealed);
        if content.len() >= PACK { self.flush(kind) } else { Ok(()) }
    }

    fn flush(&mut self, kind: Kind) -> Result<(), Fault> {
        let (_, content, blobs) = &mut self.open[usize::from(kind == Kind::Tree)];
        if blobs.is_empty() {
            return Ok(());
        }
        let (mut content, blobs) = (std::mem::take(content), std::mem::take(blobs));
        content.extend(header::write(self.seal, &blobs).ok_or_else(wrong)?);
        let content = Bytes::from(content);
        let id = hash(&content);
        self.store.write(&Object::new(Area::Data, id), &[content])?;
        self.written.push((id, blobs));
        Ok(())
    }

    /// Writes what is left, and the index. Says how many blobs were written.
    pub(crate) fn finish(mut self) -> Result<u64, Fault> {
        self.flush(Kind::Data)?;
        self.flush(Kind::Tree)?;
        let count = self.written.iter().map(|(_, blobs)| blobs.len() as u64).sum();
        if count > 0 {
            index::write(self.store, self.seal, &index::of(std::mem::take(&mut self.written)))?;
        }
        Ok(count)
    }
}

fn wrong() -> Fault {
    Fault::new(Trouble::Wrong, "a blob could not be packed")
}
