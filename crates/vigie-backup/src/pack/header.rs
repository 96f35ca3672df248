//! Decides how the header of a pack is read and written: what is in the pack, sealed, at its end. Never
//! touches a site.

use std::num::NonZeroU32;

use rustic_core::Id;

use super::{Blob, Kind};
use crate::crypt::Seal;

/// Bytes that sealing adds.
const SEAL: u64 = 32;
/// Bytes of an entry whose blob is not packed.
const PLAIN: usize = 37;
/// Bytes of an entry whose blob is packed.
const PACKED: usize = 41;

/// The bytes of a sealed header of these blobs.
pub(super) fn length(blobs: &[Blob]) -> u64 {
    let entry = |blob: &Blob| if blob.uncompressed_length.is_some() { PACKED } else { PLAIN };
    blobs.iter().map(|blob| entry(blob) as u64).sum::<u64>() + SEAL
}

/// The header of these blobs with its length, as it is at the end of a pack.
pub(super) fn write(seal: &Seal, blobs: &[Blob]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    for blob in blobs {
        let kind = match (blob.kind, blob.uncompressed_length) {
            (Kind::Data, None) => 0,
            (Kind::Tree, None) => 1,
            (Kind::Data, Some(_)) => 2,
            (Kind::Tree, Some(_)) => 3,
        };
        plain.push(kind);
        plain.extend(blob.length.to_le_bytes());
        plain.extend(blob.uncompressed_length.iter().flat_map(|length| length.get().to_le_bytes()));
        plain.extend(bytes(blob.id)?);
    }
    let mut sealed = seal.close(&plain)?;
    let length = u32::try_from(sealed.len()).ok()?;
    sealed.extend(length.to_le_bytes());
    Some(sealed)
}

/// The blobs that a sealed header names, if they are just what is before it in a pack of this size.
pub(super) fn read(seal: &Seal, sealed: &[u8], pack: u64) -> Option<Vec<Blob>> {
    let plain = seal.open(sealed)?;
    let (mut rest, mut offset, mut blobs) = (&plain[..], 0_u32, Vec::new());
    while let Some((kind, after)) = rest.split_first() {
        let packed = kind & 2 != 0;
        let kind = match kind {
            0 | 2 => Kind::Data,
            1 | 3 => Kind::Tree,
            _ => return None,
        };
        let size = if packed { PACKED } else { PLAIN } - 1;
        let (entry, after) = after.split_at_checked(size)?;
        let number = |at: usize| {
            let bytes = entry.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let length = number(0)?;
        let uncompressed_length = if packed { Some(NonZeroU32::new(number(4)?)?) } else { None };
        let id = Id::new(entry[size - 32..].try_into().ok()?);
        blobs.push(Blob { id, kind, offset, length, uncompressed_length });
        offset = offset.checked_add(length)?;
        rest = after;
    }
    (u64::from(offset) + sealed.len() as u64 + 4 == pack).then_some(blobs)
}

fn bytes(id: Id) -> Option<[u8; 32]> {
    let mut all = [0; 32];
    let hex = id.to_hex();
    for (index, byte) in all.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.as_str().get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use rustic_core::repofile::MasterKey;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let seal = Seal::new(&MasterKey::new()).unwrap();
        let blob = |kind, offset, length, packed| Blob {
            id: Id::random(),
            kind,
            offset,
            length,
            uncompressed_length: NonZeroU32::new(packed),
        };
        let blobs = [blob(Kind::Data, 0, 100, 0), blob(Kind::Data, 100, 50, 400)];
        let written = write(&seal, &blobs).unwrap();
        let pack = 150 + written.len() as u64;
        assert_eq!(length(&blobs) + 4, written.len() as u64);
        let (sealed, end) = written.split_at(written.len() - 4);
        assert_eq!(u32::from_le_bytes(end.try_into().unwrap()) as usize, sealed.len());
        assert_eq!(read(&seal, sealed, pack).unwrap(), blobs);
        assert_eq!(read(&seal, sealed, pack + 1), None, "a pack that was cut, or has more");
        let mut flipped = sealed.to_vec();
        flipped[20] ^= 1;
        assert_eq!(read(&seal, &flipped, pack), None);
        let trees = [blob(Kind::Tree, 0, 9, 30), blob(Kind::Tree, 9, 8, 0)];
        let written = write(&seal, &trees).unwrap();
        let sealed = &written[..written.len() - 4];
        assert_eq!(read(&seal, sealed, 17 + written.len() as u64).unwrap(), trees);
    }
}
