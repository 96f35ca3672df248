//! Decides: the pure half of vigie. Observations go in, records and acts come out; the same
//! observations at the same moments always give the same result.
//!
//! Never in here: a clock, a file, a socket, a thread, a random number. `cargo xtask tidy` checks it.

pub mod backup;
pub mod binlog;
pub mod compose;
pub mod console;
pub mod detect;
pub mod doctor;
pub mod drift;
pub mod engine;
pub mod event;
pub mod incident;
pub mod learn;
pub mod moment;
pub mod notify;
pub mod observe;
pub mod record;
pub mod respond;
pub mod snapshot;
pub mod span;
pub mod stack;
pub mod state;
pub mod wire;

pub use engine::Engine;
pub use event::{Act, Effects, Event, Order};
pub use moment::{Bounds, Moment};
pub use record::Record;
pub use state::State;
