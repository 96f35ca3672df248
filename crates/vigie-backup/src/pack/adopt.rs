//! Does: takes packs into the index that somebody wrote who was killed before the index was. Without it,
//! an interrupted first backup begins anew. A pack that is not whole is left to the next prune.

use std::collections::HashSet;

use rustic_core::Id;

use super::{Blob, header, index};
use crate::crypt::Seal;
use crate::store::{Area, Fault, Object, Part, Store};

/// A header of more would be of a pack with more blobs than any has.
const LARGEST: u64 = 64 << 20;

/// What was taken into the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Adopted {
    /// Packs.
    pub(crate) packs: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Looks for packs that no index knows. Others may be writing: a pack of theirs that is taken in has its
/// place in two index files then, which does no harm.
pub(crate) fn adopt(store: &dyn Store, seal: &Seal) -> Result<Adopted, Fault> {
    // In this order, so that whoever ends meanwhile has written an index that we see.
    let listed = store.list(Area::Data)?;
    let mut known = HashSet::new();
    for (_, file) in index::files(store, seal)? {
        let file = file.unwrap_or_default();
        known.extend(file.packs.iter().chain(&file.packs_to_delete).map(|pack| pack.id));
    }
    let (mut adopted, mut found) = (Adopted::default(), Vec::new());
    for (id, size) in listed.into_iter().filter(|(id, _)| !known.contains(id)) {
        if let Some(blobs) = contents(store, seal, id, size)? {
            adopted.packs += 1;
            adopted.bytes += size;
            found.push((id, blobs));
        }
    }
    if !found.is_empty() {
        index::write(store, seal, &index::of(found))?;
    }
    Ok(adopted)
}

/// What is in a pack, as it says itself; none when it is not whole.
pub(crate) fn contents(
    store: &dyn Store,
    seal: &Seal,
    id: Id,
    size: u64,
) -> Result<Option<Vec<Blob>>, Fault> {
    let object = Object::new(Area::Data, id);
    let read = |offset, length| match store.read(&object, Some(Part { offset, length })) {
        Err(fault) if fault.is_of_the_file() => Ok(None),
        read => read.map(Some),
    };
    let Some(end) = size.checked_sub(4) else { return Ok(None) };
    let Some(length) = read(end, 4)? else { return Ok(None) };
    let length = length.first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    if length == 0 || length > end || length > LARGEST {
        return Ok(None);
    }
    let Some(sealed) = read(end - length, length)? else { return Ok(None) };
    Ok(header::read(seal, &sealed, size))
}
