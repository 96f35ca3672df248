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
    if !is_possible(kind, &place) {
        return Err(Damage::Flipped);
    }
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
    let Proved { packed, plain } = proved(seal, sealed, kind, place, id)?;
    Some(plain.unwrap_or(packed))
}

/// A blob whose content is what its name says.
pub(crate) struct Proved {
    /// As it is in its pack, without the seal.
    pub(crate) packed: Vec<u8>,
    /// Unpacked, where it is packed.
    pub(crate) plain: Option<Vec<u8>>,
}

/// Opens a sealed blob and looks at all of it.
pub(crate) fn proved(
    seal: &Seal,
    sealed: &[u8],
    kind: Kind,
    place: &Place,
    id: &Id,
) -> Option<Proved> {
    if !is_possible(kind, place) || sealed.len() > place.length as usize {
        return None;
    }
    let packed = seal.open(sealed)?;
    let plain = match place.unpacked {
        0 => None,
        length => Some(unpacked_piece(&packed, length as usize)?),
    };
    (hash(plain.as_ref().unwrap_or(&packed)) == *id).then_some(Proved { packed, plain })
}

/// Whether a blob can be as large as the index says.
pub(crate) fn is_possible(kind: Kind, place: &Place) -> bool {
    let largest = if kind == Kind::Tree { LARGEST_TREE } else { LARGEST_DATA };
    place.content() <= largest && u64::from(place.length) <= largest + 64
}

/// A directory.
pub(crate) fn tree(store: &dyn Store, seal: &Seal, index: &Index, id: &Id) -> Result<Tree, Damage> {
    let plain = blob(store, seal, index, Kind::Tree, id)?;
    serde_json::from_slice(&plain).map_err(|_| Damage::Flipped)
}
