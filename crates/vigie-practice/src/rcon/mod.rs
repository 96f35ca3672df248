//! RCON, the remote console, server side, over TCP.
//!
//! Everything is bounded: the length of a packet, the number of connections,
//! how long a silent one is kept, and the table of banned addresses.

mod bans;
mod inbox;
mod listen;
mod packet;
mod session;

pub(crate) use bans::Bans;
pub(crate) use listen::listen;
