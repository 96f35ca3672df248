//! Decides RCON: one connection from login to answers. Source: Valve's "Source RCON Protocol"; see
//! `DOMAIN`.

mod packet;
mod session;
#[cfg(test)]
mod tests;

pub use packet::{Decoder, Packet};
pub use session::{Answer, Session};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RconError {
    /// The password is wrong. Asking again gets the asker banned.
    #[error("the password is wrong; do not try again, five failures ban this address")]
    BadPassword,
    /// The server closed the connection before the login was answered.
    #[error("closed before the login was answered: this address is banned, or it is not RCON")]
    ClosedBeforeLogin,
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// A packet that cannot be one.
    #[error("a packet of size {size} is none: {why}")]
    Malformed {
        /// The size that it claims.
        size: i32,
        /// Why.
        why: &'static str,
    },
    /// An answer, or a command, without end.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A command that cannot be sent.
    #[error("a command cannot hold control characters")]
    Command,
    /// Out of turn.
    #[error("not logged in, or another command is still being answered")]
    Busy,
}
