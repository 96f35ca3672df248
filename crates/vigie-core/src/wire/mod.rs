//! Decides what bytes mean: the two protocols by which a game server is asked from outside. Pure
//! state machines; never a socket, and never memory that the wire asks for.

pub mod a2s;
pub mod rcon;
