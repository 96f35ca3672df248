//! Decides how packets lie on the wire: `i32 size, i32 id, i32 type, body, NUL, NUL`.

use super::RconError;

/// Type of a login.
pub(super) const AUTH: i32 = 3;
/// Type of a command, and of a login's answer.
pub(super) const EXEC: i32 = 2;
/// Type of an answer.
pub(super) const RESPONSE: i32 = 0;

const SMALLEST: usize = 10;
const LARGEST: usize = 4096;
/// What srcds itself sends at most is a little more than it says.
const SLACK: usize = 16;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The id that an answer repeats; −1 refuses a login.
    pub id: i32,
    /// 3 login, 2 command or login's answer, 0 answer.
    pub kind: i32,
    /// The body, without its NULs.
    pub body: Vec<u8>,
}

impl Packet {
    /// The bytes to send. The body is cut to what a packet can hold.
    #[must_use]
    pub fn encode(id: i32, kind: i32, body: &[u8]) -> Vec<u8> {
        let body = &body[..body.len().min(LARGEST - SMALLEST)];
        let size = i32::try_from(body.len() + SMALLEST).unwrap_or(i32::MAX);
        let mut bytes = Vec::with_capacity(body.len() + SMALLEST + 4);
        for field in [size, id, kind] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend_from_slice(body);
        bytes.extend([0, 0]);
        bytes
    }
}

/// Cuts a stream into packets.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    // Where the next packet begins: what was read goes with the next feed, not packet by packet.
    read: usize,
}

impl Decoder {
    /// Takes what arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.read));
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet, when it is complete.
    ///
    /// # Errors
    /// When what arrived cannot be a packet; the stream is of no use then.
    pub fn packet(&mut self) -> Result<Option<Packet>, RconError> {
        let Some(size) = self.i32_at(0) else { return Ok(None) };
        let length = usize::try_from(size).unwrap_or(0);
        if !(SMALLEST..=LARGEST + SLACK).contains(&length) {
            return Err(RconError::Malformed { size, why: "packets have 10 to 4096 bytes" });
        }
        let Some(rest) = self.rest().get(12..4 + length) else { return Ok(None) };
        let (body, end) = rest.split_at(rest.len() - 2);
        if end != [0, 0] {
            return Err(RconError::Malformed { size, why: "it does not end with two NULs" });
        }
        let body = body.to_vec();
        let (id, kind) = (self.i32_at(4).unwrap_or(0), self.i32_at(8).unwrap_or(0));
        self.read += 4 + length;
        Ok(Some(Packet { id, kind, body }))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.read..).unwrap_or_default()
    }

    fn i32_at(&self, at: usize) -> Option<i32> {
        let bytes = self.rest().get(at..at + 4)?;
        bytes.try_into().ok().map(i32::from_le_bytes)
    }
}
