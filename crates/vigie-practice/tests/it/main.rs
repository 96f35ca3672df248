//! The practice server, asked over real sockets on loopback.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::panic, reason = "the helpers of a test fail by panicking")]

mod wire;

mod a2s;
mod binary;
mod database;
mod faults;
mod junk;
mod rcon;
