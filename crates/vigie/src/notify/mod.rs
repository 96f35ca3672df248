//! Does: tells people: makes the words of a notice and sends them through its channel. Whom to tell,
//! when and in which order is decided in `vigie_core::notify`.

mod letter;
mod message;

pub use letter::Letter;
pub use message::{About, Choice, Fact, Message, Value};
