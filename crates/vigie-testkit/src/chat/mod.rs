//! Local servers that behave like the documented APIs of chats and mailboxes, and refuse what the real
//! ones refuse: a client that they take will not be surprised by the real ones. Faults come by order.

pub mod discord;
pub mod heartbeat;
mod html;
mod pace;
mod server;
mod shape;
pub mod smtp;
pub mod telegram;
pub mod webhook;
mod wire;

pub use discord::Discord;
pub use heartbeat::Heartbeat;
pub use server::{Fault, Seen};
pub use smtp::Smtp;
pub use telegram::Telegram;
pub use webhook::Webhook;
pub use wire::Wire;
