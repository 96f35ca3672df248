//! What a client sent and nobody read yet: one packet's worth, never more.

use std::io::{self, Read};

use super::packet::{self, Junk, LONGEST, Packet};

/// A fixed buffer; its size never depends on what is in it.
pub(super) struct Inbox {
    bytes: Box<[u8; LONGEST]>,
    /// Where the unread part begins.
    start: usize,
    /// Where it ends.
    end: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { bytes: Box::new([0; LONGEST]), start: 0, end: 0 }
    }

    /// The next whole packet.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'_>>, Junk> {
        let unread = self.bytes.get(self.start..self.end).unwrap_or_default();
        let Some((packet, length)) = packet::parse(unread)? else { return Ok(None) };
        self.start += length;
        Ok(Some(packet))
    }

    /// Reads more; 0 means that the client hung up. Called only when no whole
    /// packet is left, so there always is room.
    pub(super) fn fill(&mut self, from: &mut impl Read) -> io::Result<usize> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let read = from.read(self.bytes.get_mut(self.end..).unwrap_or_default())?;
        self.end += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However the bytes are cut on their way, the packets are the same.
        #[test]
        fn packets_survive_any_cutting(
            bodies in prop::collection::vec(prop::collection::vec(1_u8.., 0..3000), 1..6),
            cuts in prop::collection::vec(1_usize..5000, 1..8),
        ) {
            let stream: Vec<u8> =
                bodies.iter().flat_map(|body| packet::encode(1, packet::EXEC, body)).collect();
            let (mut inbox, mut read, mut at) = (Inbox::new(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let mut part = &stream[at..(at + cut).min(stream.len())];
                while !part.is_empty() {
                    while let Some(packet) = inbox.next().unwrap() {
                        read.push(packet.body.to_vec());
                    }
                    at += inbox.fill(&mut part).unwrap();
                }
                if at == stream.len() {
                    break;
                }
            }
            while let Some(packet) = inbox.next().unwrap() {
                read.push(packet.body.to_vec());
            }
            prop_assert_eq!(read, bodies);
        }
    }
}
