//! Does: reads single blobs, and believes none whose content is not what its name says.

use rustic_core::Id;
use rustic_core::repofile::Tree;

use super::{Index, Kind, Place};
use crate::crypt::{Seal, hash, unpacked_piece};
use crate::store::{Area, Fault, Object, Part, Store};

/// Nobody cuts files into larger pieces than 8 MiB.
const LARGEST_DATA: u64 = 32 << 20;
/// Directories with very many entries are larger.
const LARGEST_TREE: u64 = 128 << 20;

/// Why there is no content.
#[derive(Debug)]
pub(crate) enum Damage {
    /// The index does not know it, or its pack is not there.
    Missing,
    /// What is there is something else.
    Flipped,
    /// The site failed.
    Site(Fault),
}

/// The content of a blob.
pub(crate) fn blob(
    store: &dyn Store,
    seal: &Seal,
    index: &Index,
    kind: Kind,
    id: &Id,
) -> Result<Vec<u8>, Damage> {
    let place = index.place(kind, id).ok_or(Damage::Missing)?;
    let pack = index.pack(&place).ok_or(Damage::Missing)?;
    let part = Part { offset: place.offset.into(), length: u64::from(place.length).max(1) };
    let sealed = match store.read(&Object::new(Area::Data, pack), Some(part)) {
        Err(fault) if fault.is_missing() => return Err(Damage::Missing),
        Err(fault) if fault.is_of_the_file() => return Err(Damage::Flipped),
        sealed => sealed.map_err(Damage::Site)?,
    };
    opened(seal, &sealed, kind, &place, id).ok_or(Damage::Flipped)
}

/// What a sealed blob has in it, if that is what its name says.
pub(crate) fn opened(
    seal: &Seal,
    sealed: &[u8],
    kind: Kind,
    place: &Place,
    id: &Id,
) -> Option<Vec<u8>> {
    let largest = if kind == Kind::Tree { LARGEST_TREE } else { LARGEST_DATA };
    if place.content() > largest || sealed.len() as u64 > largest + 64 {
        return None;
    }
    let mut plain = seal.open(sealed)?;
    if place.unpacked > 0 {
        plain = unpacked_piece(&plain, place.unpacked as usize)?;
    }
    (hash(&plain) == *id).then_some(plain)
}

/// A directory.
pub(crate) fn tree(store: &dyn Store, seal: &Seal, index: &Index, id: &Id) -> Result<Tree, Damage> {
    let plain = blob(store, seal, index, Kind::Tree, id)?;
    serde_json::from_slice(&plain).map_err(|_| Damage::Flipped)
}
