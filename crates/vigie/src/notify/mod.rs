//! Does: tells people: makes the words of a notice and sends them through its channel. Whom to tell,
//! when and in which order is decided in `vigie_core::notify`.

mod buttons;
mod cut;
mod digest;
mod discord;
mod email;
#[cfg(test)]
mod hostile;
mod http;
mod letter;
mod message;
mod office;
mod outcome;
mod plain;
mod sender;
mod telegram;
mod thread;
mod turn;
mod webhook;

pub use buttons::{Buttons, Pressed};
pub(crate) use digest::digest;
pub use discord::Discord;
pub use email::{Email, MailAccount};
pub use http::Http;
pub(crate) use http::{Address, Plain, address};
pub use letter::Letter;
pub use message::{About, Choice, Fact, Message, Value};
pub use office::{Bot, ChannelError, Office, Slots, client, kind};
pub use plain::Reader;
pub use sender::{Kind, Sender, SenderError};
pub use telegram::{Seat, Telegram};
pub use webhook::Webhook;
