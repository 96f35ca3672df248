//! Does: keeps directories and streams in repositories of restic's format: deduplicated, compressed,
//! encrypted, and readable by restic itself. What to keep and for how long is decided elsewhere.
//!
//! It wraps `rustic_core`, which has traps that lose data in silence; each of them is closed here and
//! has its test:
//! * errors while reading a source are only logged there: a source counts its own, and a snapshot that
//!   is not whole is deleted ([`source`]);
//! * a short read shrinks the chunker's buffer for good: readers always fill it ([`source`]);
//! * a stream is recorded with the size 0, and older restics restore it empty ([`source`]);
//! * a program that fails leaves a truncated snapshot: its end is asked for before the snapshot counts;
//! * a damaged pack or a full disk panics: nothing of it leaves a call of [`Repository`].

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
    Concerned, Copied, Damaged, Entry, Freed, Kind, Part, Repaired, Repository, SnapshotId, Stored,
    Verified, Writers,
};
pub use restore::Piece;
pub use site::{Access, HostKeys, Rclone, Rest, S3, Secret, Sftp, Site, WebDav};
