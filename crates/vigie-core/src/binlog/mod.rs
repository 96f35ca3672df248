//! Decides about a database's binary log: what an event is, where a transaction ends, whether a piece
//! joins the one before it, and which dump and which pieces bring a database to a moment. Never reads
//! a log: bytes come in, and it says what they are.

mod event;
mod follow;
mod foreign;
mod group;
mod gtid;
mod pick;
mod position;
mod segment;
mod stop;
#[cfg(test)]
mod tests;

pub use event::{Event, EventError, HEADER, Kind, MAGIC, Rotation, is_checksummed};
pub use follow::{Follow, FollowError, Gap, Keep, Step};
pub use foreign::{Foreign, foreign};
pub use group::{Group, Groups, Place};
pub use gtid::{Gtid, GtidError, Reach};
pub use pick::{Covered, Dump, Furthest, Piece, Plan, Refusal, Short, Target, furthest, pick};
pub use position::Position;
pub use segment::{Segment, Spans, Tail};
pub use stop::Stop;
