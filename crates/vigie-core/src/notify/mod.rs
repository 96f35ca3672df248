//! Decides who is told what, in which order and at which pace. How a message looks and how it gets to
//! the other side is the other floor's work; so is keeping what waits on the disk.

mod channel;
mod digest;
mod lane;
mod notice;
mod occasions;
mod outbox;
mod pace;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Level, Quiet};
pub use notice::{Card, Change, Notice, NoticeId, Occasion, Outcome};
pub use outbox::{Kept, Outbox};
pub use pace::{Limit, Pace};
