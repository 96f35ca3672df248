//! Does: backups of what a stack cannot lose: found, kept at sites, copied, verified, brought back,
//! proved. What belongs to which moment, what stays and what is late is decided in `vigie_core`.
//!
//! A backup of an asset is two snapshots of one repository: its data, and behind it a manifest that says
//! what it is. It counts when its manifest is there, so that one that was killed in the middle never does.

mod assets;
pub mod binlog;
mod catalog;
pub mod database;
mod drill;
mod error;
mod image;
mod keep;
mod limited;
mod log;
mod manifest;
mod named;
mod outside;
mod physical;
mod points;
pub mod recover;
mod redundancy;
mod restore;
mod schedule;
mod sites;
mod stack;
mod unfinished;
mod work;
mod worker;

pub use assets::{assets, mounts_of, unkept};
pub use catalog::{Catalog, Drilled, Glance, State, glance};
pub use error::{BackupError, Class};
pub(crate) use image::{aside, restored};
pub use log::{Moment, Span, watch as watch_logs};
pub use manifest::{Manifest, Root};
pub use outside::{Outside, There};
pub use physical::Physical;
pub use redundancy::redundancy;
pub use restore::{Restored, Way};
pub use schedule::watch;
pub use sites::Sites;
pub use stack::NAME as STACK;
pub use work::{Done, Job, Tell, newest, perform};
pub use worker::{Limits, run, serve};
