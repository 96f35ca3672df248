//! Does: seals and opens what a repository's master key protects, in restic's format. Never writes
//! anything anywhere.

use std::cell::RefCell;

use aes256ctr_poly1305aes::aead::{Aead, AeadInPlace};
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
        let nonce = Nonce::from_slice(&nonce[..NONCE]);
        let mut sealed = Vec::with_capacity(plain.len() + 2 * NONCE);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(plain);
        let tag = self.cipher().encrypt_in_place_detached(nonce, &[], &mut sealed[NONCE..]).ok()?;
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    /// A file that is no pack, sealed as restic does since the second version of its format: 2 says that
    /// it is packed.
    pub(crate) fn close_file(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.close(&[&[2], &packed(plain)?[..]].concat())
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

/// How much is tried: more would take twice the time for one part in a hundred.
const LEVEL: i32 = 3;

thread_local! {
    // Making one anew for each of a million small pieces would cost more than they do.
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> =
        RefCell::new(zstd::bulk::Compressor::new(LEVEL).ok());
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        RefCell::new(zstd::bulk::Decompressor::new().ok());
}

/// Packed.
pub(crate) fn packed(plain: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| packer.as_mut()?.compress(plain).ok())
}

/// Unpacks a piece of a pack, of which the index knows the length; none when there are more bytes or it
/// is not packed.
pub(crate) fn unpacked_piece(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    UNPACKER.with_borrow_mut(|unpacker| unpacker.as_mut()?.decompress(packed, length).ok())
}

/// Unpacks at most so many bytes; none when there are more or it is not packed.
fn unpacked(packed: &[u8], most: usize) -> Option<Vec<u8>> {
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
