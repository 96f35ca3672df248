//! Does: seals and opens what a repository's master key protects, in restic's format. Never writes
//! anything anywhere.

use aes256ctr_poly1305aes::aead::Aead;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce};
use rustic_core::Id;
use rustic_core::repofile::MasterKey;
use sha2::{Digest, Sha256};

/// Bytes of a nonce, and of a seal.
const NONCE: usize = 16;
/// Nothing but packs is larger than this when it is unpacked.
const LARGEST: usize = 256 << 20;

/// What opens a repository.
#[derive(Clone)]
pub(crate) struct Seal(Box<[u8; 64]>);

impl Seal {
    /// Of this key; none when it is no key.
    pub(crate) fn new(key: &MasterKey) -> Option<Self> {
        let bytes = [&key.encrypt[..], &key.mac.k[..], &key.mac.r[..]].concat();
        bytes.try_into().ok().map(|bytes: [u8; 64]| Self(Box::new(bytes)))
    }

    fn cipher(&self) -> Aes256CtrPoly1305Aes {
        Aes256CtrPoly1305Aes::new(Key::from_slice(&self.0[..]))
    }

    /// Sealed; none when it is too long for that.
    pub(crate) fn close(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let nonce = Sha256::digest(Id::random().to_hex().as_str());
        let nonce = &nonce[..NONCE];
        let sealed = self.cipher().encrypt(Nonce::from_slice(nonce), plain).ok()?;
        Some([nonce, &sealed].concat())
    }

    /// What was sealed; none when it is not what was sealed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        self.cipher().decrypt(Nonce::from_slice(nonce), sealed).ok()
    }

    /// What a file that is no pack has in it: JSON, which newer repositories compress.
    pub(crate) fn open_file(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = self.open(sealed)?;
        match plain.first()? {
            2 => unpacked(&plain[1..], LARGEST),
            _ => Some(plain),
        }
    }
}

/// Unpacks at most so many bytes; none when there are more or it is not packed.
pub(crate) fn unpacked(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).ok()?;
    decoder.take(most as u64 + 1).read_to_end(&mut plain).ok()?;
    (plain.len() <= most).then_some(plain)
}

/// The name of a content.
pub(crate) fn hash(content: &[u8]) -> Id {
    Id::new(Sha256::digest(content).into())
}
