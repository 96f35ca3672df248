//! Does: reads and writes packs and the index of them in restic's format, below what `rustic_core` lets
//! one see: for whoever has to go on where it gives up. It never trusts a length or a name that it reads.

mod adopt;
mod header;
mod index;
mod read;
mod write;

use std::num::NonZeroU32;

use rustic_core::Id;
use serde::{Deserialize, Serialize};

pub(crate) use adopt::adopt;
pub(crate) use index::{Index, Place, forget};
pub(crate) use read::{Damage, blob, is_possible, opened, proved, tree};
pub(crate) use write::Packer;

/// What a blob is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A file.
    Data,
    /// A directory.
    Tree,
}

/// A blob in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    /// The hash of its content.
    pub(crate) id: Id,
    /// What it is.
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// Its first byte in the pack.
    pub(crate) offset: u32,
    /// Bytes in the pack.
    pub(crate) length: u32,
    /// Bytes when it is unpacked; none when it is not packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uncompressed_length: Option<NonZeroU32>,
}

/// A pack in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pack {
    /// Its name.
    pub(crate) id: Id,
    /// What is in it.
    #[serde(default)]
    pub(crate) blobs: Vec<Blob>,
    /// When it was written, or marked; kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
    /// Its bytes, where somebody wrote them down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u32>,
}

impl Pack {
    /// The bytes that a pack with these blobs has.
    pub(crate) fn length(&self) -> u64 {
        if let Some(size) = self.size {
            return size.into();
        }
        let blobs: u64 = self.blobs.iter().map(|blob| u64::from(blob.length)).sum();
        blobs + header::length(&self.blobs) + 4
    }
}

/// An index file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexFile {
    /// What it replaces; of no use any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supersedes: Option<Vec<Id>>,
    /// Packs.
    #[serde(default)]
    pub(crate) packs: Vec<Pack>,
    /// Packs that are marked to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) packs_to_delete: Vec<Pack>,
}

/// Lets the index forget every file's content, and gives back what was there.
#[cfg(test)]
pub(crate) fn forget_for_test(
    store: &std::sync::Arc<dyn crate::store::Store>,
    seal: &crate::crypt::Seal,
) -> Vec<(crate::store::Object, bytes::Bytes)> {
    use crate::store::{Area, Object};
    let mut before = Vec::new();
    for (id, file) in index::files(store, seal).unwrap() {
        let mut file = file.unwrap();
        file.packs.retain(|pack| pack.blobs.iter().all(|blob| blob.kind == Kind::Tree));
        let object = Object::new(Area::Index, id);
        before.push((object, store.read(&object, None).unwrap()));
        store.remove(&object).unwrap();
        index::write(store, seal, &file).unwrap();
    }
    before
}
