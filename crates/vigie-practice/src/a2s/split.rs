//! Cuts a reply that is too long for one datagram.

/// Bytes of the header of a part.
const HEADER: usize = 12;

/// Ids stay below this: the top bit means bzip2, and some clients look for
/// that bit in a 16-bit id.
const IDS: u32 = 0x7fff;

/// The datagrams of one reply, none longer than `split_at` unless that would
/// take more parts than the count can say.
pub(super) fn datagrams(id: u32, reply: &[u8], split_at: usize) -> Vec<Vec<u8>> {
    if reply.len() <= split_at {
        return vec![reply.to_vec()];
    }
    let most_parts = usize::from(u8::MAX);
    let size = split_at.saturating_sub(HEADER).max(reply.len().div_ceil(most_parts)).max(1);
    let total = u8::try_from(reply.len().div_ceil(size)).unwrap_or(u8::MAX);
    (0..total)
        .zip(reply.chunks(size))
        .map(|(number, part)| {
            let mut datagram = Vec::with_capacity(HEADER + part.len());
            datagram.extend(0xffff_fffe_u32.to_le_bytes());
            datagram.extend((id % IDS).to_le_bytes());
            datagram.extend([total, number]);
            datagram.extend(u16::try_from(size).unwrap_or(u16::MAX).to_le_bytes());
            datagram.extend(part);
            datagram
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_reply_stays_whole() {
        assert_eq!(datagrams(1, b"abc", 3), [b"abc"]);
    }

    #[test]
    fn the_header_is_the_documented_one() {
        let parts = datagrams(0x0102, &[7; 30], 32);
        assert_eq!(parts.len(), 1);
        let parts = datagrams(0x0102, &[7; 33], 32);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1][..12], [0xfe, 0xff, 0xff, 0xff, 2, 1, 0, 0, 2, 1, 20, 0]);
        assert_eq!(parts[1].len(), 12 + 13);
    }

    proptest! {
        #[test]
        fn the_parts_make_the_reply_again(
            reply in prop::collection::vec(any::<u8>(), 0..6000),
            split_at in 32_usize..1400,
            id in any::<u32>(),
        ) {
            let parts = datagrams(id, &reply, split_at);
            if reply.len() > split_at {
                let whole: Vec<u8> = parts.iter().flat_map(|part| part[12..].to_vec()).collect();
                prop_assert_eq!(whole, reply);
                prop_assert!(parts.iter().all(|part| usize::from(part[8]) == parts.len()));
            } else {
                prop_assert_eq!(parts, vec![reply]);
            }
        }
    }
}
