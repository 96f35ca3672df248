//! Writes the body of an A2S reply, little endian.

/// The longest string in a reply, in bytes.
const LONGEST_STRING: usize = 255;

/// A reply being written.
pub(super) struct Reply(Vec<u8>);

impl Reply {
    /// A reply with its header.
    pub(super) fn new(kind: u8) -> Self {
        Self(vec![0xff, 0xff, 0xff, 0xff, kind])
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn f32(&mut self, value: f32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A string up to its first NUL, cut at a character.
    pub(super) fn string(&mut self, text: &str) -> &mut Self {
        let text = text.split('\0').next().unwrap_or_default();
        let mut end = text.len().min(LONGEST_STRING);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes(text.get(..end).unwrap_or_default().as_bytes()).u8(0)
    }

    /// The finished reply.
    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_bounded_and_end_once() {
        let mut reply = Reply::new(b'I');
        reply.string("a\0b").string(&"é".repeat(200));
        let bytes = reply.done();
        assert_eq!(&bytes[5..7], b"a\0");
        // 255 is odd and an é is two bytes: 254 bytes and the NUL.
        assert_eq!(bytes.len(), 7 + 254 + 1);
    }
}
