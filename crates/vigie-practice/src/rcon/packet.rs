//! RCON packets: `i32` size of the rest, `i32` id, `i32` kind, body, two NULs.

/// The smallest value of the size field: id, kind and the two NULs.
const SMALLEST: usize = 10;
/// The largest one.
const LARGEST: usize = 4096;
/// Bytes of a whole packet at most, its size field included.
pub(super) const LONGEST: usize = 4 + LARGEST;
/// The longest body of one packet.
const LONGEST_BODY: usize = LARGEST - SMALLEST;

/// Kinds, as they are on the wire. 2 means two things, by direction.
pub(super) const RESPONSE: i32 = 0;
pub(super) const EXEC: i32 = 2;
pub(super) const AUTH_RESPONSE: i32 = 2;
pub(super) const AUTH: i32 = 3;

/// One packet from a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) id: i32,
    pub(super) kind: i32,
    pub(super) body: &'a [u8],
}

/// Bytes that are no packet: the connection is of no use any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Junk;

/// The first packet in `bytes` and its length; `None` when it is not complete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, Junk> {
    let Some((size, rest)) = bytes.split_first_chunk() else { return Ok(None) };
    // Judged before the rest arrives: `GET ` is a size of half a gigabyte.
    let size = usize::try_from(i32::from_le_bytes(*size)).map_err(|_| Junk)?;
    if !(SMALLEST..=LARGEST).contains(&size) {
        return Err(Junk);
    }
    let Some(packet) = rest.get(..size) else { return Ok(None) };
    let (id, packet) = packet.split_first_chunk().ok_or(Junk)?;
    let (kind, packet) = packet.split_first_chunk().ok_or(Junk)?;
    let body = packet.strip_suffix(b"\0\0").ok_or(Junk)?;
    let body = body.split(|byte| *byte == 0).next().unwrap_or_default();
    let packet = Packet { id: i32::from_le_bytes(*id), kind: i32::from_le_bytes(*kind), body };
    Ok(Some((packet, 4 + size)))
}

/// One packet; a body over the limit is cut, see [`answer`].
pub(super) fn encode(id: i32, kind: i32, body: &[u8]) -> Vec<u8> {
    let body = body.get(..LONGEST_BODY).unwrap_or(body);
    let size = i32::try_from(SMALLEST + body.len()).unwrap_or(0);
    let mut packet = Vec::with_capacity(4 + SMALLEST + body.len());
    for word in [size, id, kind] {
        packet.extend(word.to_le_bytes());
    }
    packet.extend(body);
    packet.extend([0, 0]);
    packet
}

/// The packets of an answer of any length, one after the other. An empty
/// answer is one empty packet.
pub(super) fn answer(id: i32, body: &[u8]) -> Vec<u8> {
    if body.is_empty() {
        return encode(id, RESPONSE, body);
    }
    body.chunks(LONGEST_BODY).flat_map(|part| encode(id, RESPONSE, part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_the_documented_layout() {
        let bytes = encode(7, AUTH, b"pw");
        assert_eq!(bytes, b"\x0c\0\0\0\x07\0\0\0\x03\0\0\0pw\0\0");
        let (packet, length) = parse(&bytes).unwrap().unwrap();
        assert_eq!(packet, Packet { id: 7, kind: AUTH, body: b"pw" });
        assert_eq!(length, bytes.len());
        assert_eq!(parse(&bytes[..bytes.len() - 1]), Ok(None));
        assert_eq!(parse(&bytes[..3]), Ok(None));
    }

    #[test]
    fn junk_is_known_by_its_first_four_bytes() {
        assert_eq!(parse(b"GET / HTTP/1.1\r\n"), Err(Junk));
        assert_eq!(parse(&9_i32.to_le_bytes()), Err(Junk));
        assert_eq!(parse(&4097_i32.to_le_bytes()), Err(Junk));
        assert_eq!(parse(&(-1_i32).to_le_bytes()), Err(Junk));
        assert_eq!(parse(&4096_i32.to_le_bytes()), Ok(None));
    }

    #[test]
    fn a_packet_must_end_with_two_nuls() {
        let mut bytes = encode(1, EXEC, b"status");
        *bytes.last_mut().unwrap() = b'x';
        assert_eq!(parse(&bytes), Err(Junk));
    }

    #[test]
    fn a_full_body_makes_the_largest_packet() {
        assert_eq!(answer(1, &[b'x'; LONGEST_BODY]).len(), LONGEST);
        assert_eq!(answer(1, &[b'x'; LONGEST_BODY + 1]).len(), LONGEST + 15);
        assert_eq!(answer(1, b"").len(), 14);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn an_answer_reads_back(body in prop::collection::vec(1_u8.., 0..10_000)) {
            let bytes = answer(3, &body);
            let (mut rest, mut read) = (&bytes[..], Vec::<u8>::new());
            while let Some((packet, length)) = parse(rest).unwrap() {
                prop_assert_eq!((packet.id, packet.kind), (3, RESPONSE));
                read.extend(packet.body);
                rest = &rest[length..];
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read, body);
        }
    }
}
