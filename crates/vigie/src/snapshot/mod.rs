//! Does: restore points: everything that is needed to go back, made, listed, compared, pruned, and gone
//! back to. In which order is decided in `vigie_core::snapshot`.

mod adopt;
mod changed;
mod create;
mod database;
mod diff;
mod engine;
mod error;
pub(crate) mod exchange;
mod good;
mod project;
mod refuse;
mod registry;
mod remove;
mod rollback;
mod shelf;
mod verify;

pub use adopt::{Candidate, Legacy, adopt, candidates, found, names};
pub use changed::changed_files;
pub use create::{Wish, create};
pub(crate) use database::FILE as DUMP;
pub use diff::{Changed, Difference, diff};
pub use engine::Place;
pub(crate) use engine::room;
pub use error::SnapshotError;
pub use good::{image_back, image_forward, last_good, note_good, running, watch_good, way_back};
pub use refuse::outline;
pub use registry::{pull, push};
pub(crate) use remove::leftovers;
pub use remove::remove;
pub use rollback::{Journey, check, hiding, plan, resume, rollback};
pub(crate) use shelf::Unread;
pub use shelf::{Intent, Making, Shelf};
