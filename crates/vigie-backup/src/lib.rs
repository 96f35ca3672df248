//! Does: keeps directories and streams in repositories of restic's format: deduplicated, compressed,
//! encrypted, and readable by restic itself, on a disk or at a site. What to keep and for how long is
//! decided elsewhere.
//!
//! It wraps `rustic_core`, which has traps that lose data in silence; each of them is closed here and
//! has its test:
//! * a short read shrinks the chunker's buffer for good, and files are packed by half a processor: sources
//!   are read, cut and packed by our own ([`archive`]);
//! * a stream is recorded with the size 0, and older restics restore it empty ([`source`]);
//! * a program that fails leaves a truncated snapshot, and errors while reading a source are only logged:
//!   a source counts its own, a program's end is asked for, and only then is the snapshot written
//!   ([`source`], [`repository`]);
//! * a damaged pack or a full disk panics, and what could not be set is only logged: restores are our own
//!   ([`restore`]), and no panic leaves a call of [`Repository`];
//! * a dead site is asked pack by pack: a breaker ends the work at the first final fault ([`store`]);
//! * a restore holds a pack for each of twenty threads: ours holds a piece of one for each of six, and what
//!   is read at once is bounded everywhere ([`restore`], [`store`]);
//! * an interrupted first backup begins anew: what has been written is taken into the index ([`pack`]);
//! * it takes no locks: ours are restic's, renewed, and those of the dead are nobody's ([`lock`]);
//! * a copy skips in silence what its index does not have, takes two snapshots of the same moment for one, and
//!   believes every blob, however large it unpacks: ours looks for both before, and at each blob while it
//!   carries it ([`repository`]).
//!
//! A site is a [`Site`], behind one port with one contract that every kind is tested for.

mod archive;
mod backend;
mod crypt;
mod error;
mod key;
#[cfg(test)]
mod lab;
mod lock;
mod pack;
mod progress;
mod random;
mod repository;
mod restore;
mod site;
mod source;
mod store;
#[cfg(test)]
mod tests;

pub use error::{Error, SiteTrouble};
pub use progress::Meter;
pub use repository::{
    Concerned, Copied, Damaged, Entry, Freed, Gift, Given, Kind, Part, Repaired, Repository,
    SnapshotId, Stored, Verified, Writers,
};
pub use restore::{Piece, WriteBehind};
pub use site::{Access, HostKeys, Rclone, Rest, S3, Secret, Sftp, Site, WebDav};
