//! Decides about backups: what an asset is, which backups stay, when one is late, how redundant each asset
//! is, and how a stack is drilled beside itself. Never reads a repository, a clock or a disk.

mod asset;
mod late;
mod redundancy;
mod retention;
pub mod scratch;
mod target;
#[cfg(test)]
mod tests;

pub use asset::{Asset, Kind, Wanted, WantedError};
pub use late::{Due, late};
pub use redundancy::{Copied, Facts, Level, Medium, Row, judge};
pub use retention::{Retention, expire};
pub use target::{Part, missed};
