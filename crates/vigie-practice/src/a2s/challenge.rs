//! Challenges: proof that the asker's address is its own.
//!
//! A challenge is a keyed hash of the address, so nothing is remembered for
//! an asker and no flood of askers can fill a table.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;

use super::wire::Reply;

/// The challenges of one server, keyed at its start.
#[derive(Debug, Default)]
pub(super) struct Challenges(RandomState);

impl Challenges {
    /// The challenge of an address and port.
    pub(super) fn of(&self, asker: SocketAddr) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0.hash_one(asker).to_le_bytes();
        match [a, b, c, d] {
            // Clients write this one for "I have none".
            [0xff, 0xff, 0xff, 0xff] => [0, 0, 0, 1],
            other => other,
        }
    }
}

/// The reply that hands a challenge out.
pub(super) fn reply(challenge: [u8; 4]) -> Vec<u8> {
    let mut reply = Reply::new(b'A');
    reply.bytes(&challenge);
    reply.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stable_for_an_address_and_differs_by_port() {
        let challenges = Challenges::default();
        let one: SocketAddr = "192.0.2.1:1000".parse().unwrap();
        let two: SocketAddr = "192.0.2.1:1001".parse().unwrap();
        assert_eq!(challenges.of(one), challenges.of(one));
        assert_ne!(challenges.of(one), challenges.of(two));
        assert_eq!(reply([1, 2, 3, 4]), b"\xff\xff\xff\xffA\x01\x02\x03\x04");
    }
}
