//! Does: a database's binary log, kept as it is written, and played back to a moment. The log comes
//! over the wire as a replica gets it and is kept byte for byte; it goes back through the service's own
//! client programs. Where a transaction ends and what joins what is decided in `vigie_core::binlog`.

mod archive;
mod error;
mod facts;
mod keeper;
mod kept;
mod open;
mod pieces;
mod proof;
mod replay;
mod source;
mod stream;
mod when;
mod wire;

pub use archive::{Archive, Break, breaks, contents};
pub(in crate::backup) use archive::{COVERED, DESCRIPTION, describe, names, whole};
pub use error::BinlogError;
pub use facts::Facts;
pub use kept::{gather, release, seed, trim};
pub use pieces::{Cut, cut, save};
pub use proof::{Proof, prove};
pub use replay::{Way, replay};
pub use source::{Address, Source};
pub use stream::{Note, Start, Wish, stream};
pub use when::explain;
