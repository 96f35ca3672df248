//! Does: a database's dump and its way back, through the client programs of the service itself, for
//! restore points and for backups alike. The password is in their environment, never on a command line.

mod client;
mod dump;
mod error;
mod survey;
mod tools;

pub use client::Client;
pub(in crate::backup) use client::{BINLOG, Names, bare};
pub(in crate::backup) use dump::may_place;
pub use dump::{Dumped, Wish, dump, play};
pub use error::DatabaseError;
pub use survey::{Count, Survey};
pub use tools::Tools;
