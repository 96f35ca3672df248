//! Decides when the parts of a split reply are one: same id, same total, each part once. Bounded in
//! parts and bytes, whatever the headers claim.

use super::A2sError;
use super::reader::Reader;

/// Parts of one reply; a real one has two or three.
const PARTS: u8 = 32;
/// Bytes of one part: a datagram's own limit.
const PART_BYTES: usize = 65_536;

/// Puts a split reply together.
#[derive(Debug, Clone, Default)]
pub struct Assembler {
    id: Option<i32>,
    total: u8,
    parts: Vec<Option<Vec<u8>>>,
}

impl Assembler {
    /// Takes one part, without its `FE FF FF FF`; the whole reply once the last part is there. A
    /// part of another reply starts anew: an answer to an earlier question is not waited for.
    ///
    /// # Errors
    /// See [`A2sError`].
    pub fn part(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, A2sError> {
        let mut read = Reader::new(bytes, 0);
        let id = read.i32("the reply's id")?;
        let total = read.u8("the number of parts")?;
        let number = read.u8("the part's number")?;
        read.u16("the part's size")?;
        if id < 0 {
            return Err(A2sError::Compressed);
        }
        if total == 0 || total > PARTS {
            return Err(A2sError::Parts("their number is out of bounds"));
        }
        if number >= total {
            return Err(A2sError::Parts("a part's number is beyond their total"));
        }
        let body = bytes.get(read.at()..).unwrap_or_default();
        if body.len() > PART_BYTES {
            return Err(A2sError::Parts("a part is too long"));
        }
        if self.id != Some(id) {
            *self = Self { id: Some(id), total, parts: vec![None; usize::from(total)] };
        }
        if self.total != total {
            return Err(A2sError::Parts("they name different totals"));
        }
        if let Some(place) = self.parts.get_mut(usize::from(number)) {
            // The same part twice says nothing new.
            place.get_or_insert_with(|| body.to_vec());
        }
        if self.parts.iter().any(Option::is_none) {
            return Ok(None);
        }
        // A part that comes twice must not begin the same reply again.
        let parts = std::mem::take(self).parts;
        Ok(Some(parts.into_iter().flatten().flatten().collect()))
    }
}
