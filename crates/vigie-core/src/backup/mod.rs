//! Decides about backups: what an asset is, which backups stay, when one is late, and how redundant
//! each asset is. Never reads a repository, a clock or a disk.

mod asset;
mod late;
mod redundancy;
mod retention;
#[cfg(test)]
mod tests;

pub use asset::{Asset, Kind, Wanted, WantedError};
pub use late::{Due, late};
pub use redundancy::{Copied, Facts, Level, Medium, Row, judge};
pub use retention::{Retention, expire};
