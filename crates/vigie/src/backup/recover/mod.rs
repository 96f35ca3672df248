//! Does: `vigie recover`: brings a whole stack back on a bare host from one site: the project, images,
//! volumes, directories, databases; starts it in order and proves it from the player's side. Every step is
//! noted before the next one, so that one that was killed goes on. Never writes over what lives.

mod dump;
mod error;
mod images;
mod ledger;
mod living;
mod log;
mod picks;
mod plan;
mod report;
mod source;
mod volumes;
mod work;

pub(in crate::backup) use dump::played;
pub use error::RecoverError;
pub use ledger::Done;
pub(in crate::backup) use plan::named;
pub use plan::{Ask, Plan, Wish, plan};
pub use report::{Back, Report};
pub use source::{PASSWORD, SECRET, Source, SourceError, word};
pub use work::recover;
