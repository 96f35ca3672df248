//! Does: sends a letter through any kind of channel and says what the other side did with it. It never
//! tries again by itself: that is decided in `vigie_core::notify`.

use std::time::Duration;

use vigie_core::notify::{Limit, Outcome};

use super::{Discord, Email, Letter, Telegram, Webhook};

/// The kinds of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Discord webhook.
    Discord,
    /// A Telegram bot in a chat.
    Telegram,
    /// A program that takes JSON.
    Webhook,
    /// A mailbox.
    Email,
}

impl Kind {
    /// The kind's word in the configuration, which is also the name of a channel that has none.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

/// A channel's client. One notice at a time: the next one may need what came back for the last.
#[derive(Debug)]
pub enum Sender {
    /// A Discord webhook.
    Discord(Discord),
    /// A Telegram bot in a chat.
    Telegram(Telegram),
    /// A program that takes JSON.
    Webhook(Webhook),
    /// A mailbox.
    Email(Box<Email>),
}

/// Why a channel cannot be used as it is configured. Never holds the address: on some channels that
/// is the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// Not an address.
    #[error("{what} is not an address like https://host/path; copy it again, all of it")]
    Address {
        /// Which one.
        what: &'static str,
    },
    /// A password would be readable on its way.
    #[error(
        "{what} begins with http://, which everybody on the way can read; \
         write https:// (http:// only works for this host, 127.0.0.1)"
    )]
    Plain {
        /// Which one.
        what: &'static str,
    },
    /// A bot's token has a shape of its own.
    #[error(
        "the Telegram token does not look like 123456:ABC-DEF; \
         copy the one that BotFather sent, all of it"
    )]
    Token,
    /// Anybody could sign with nothing.
    #[error("the webhook's secret is empty; make one, for example with: openssl rand -hex 32")]
    EmptySecret,
    /// Not an address of a person.
    #[error("{address} is not a mail address like admin@example.org")]
    Mail {
        /// What was written.
        address: String,
    },
    /// Nobody would get the mail.
    #[error("a mailbox needs somebody to write to: to = [\"admin@example.org\"]")]
    NoReceiver,
    /// Not an SMTP server.
    #[error(
        "{server} is not a mail server like smtps://host or smtp://host:587 \
         (the first is encrypted from the start, the second by STARTTLS)"
    )]
    Server {
        /// What was written, without an account.
        server: String,
    },
    /// Plain SMTP over a network.
    #[error(
        "smtp+plain://{host} would send mails and the password readable by everybody on the way; \
         it only works for this host (127.0.0.1); write smtps://{host} or smtp://{host}:587"
    )]
    PlainMail {
        /// The server.
        host: String,
    },
    /// The account is written in two places.
    #[error(
        "the mail server's address holds an account; write it as user = \"…\" and \
         password = {{ env = \"…\" }} instead"
    )]
    Account,
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl Sender {
    /// Sends one letter.
    pub async fn send(&self, letter: &Letter) -> Outcome {
        match self {
            Self::Discord(discord) => discord.send(letter).await,
            Self::Telegram(telegram) => telegram.send(letter).await,
            Self::Webhook(webhook) => webhook.send(letter).await,
            Self::Email(email) => email.send(letter).await,
        }
    }

    /// What the other side allows. A notice about an incident can take two requests on a chat; those
    /// are kept within the same limits by the client itself.
    #[must_use]
    pub fn limits(kind: Kind) -> Vec<Limit> {
        let limit = |count, seconds| Limit { count, per: Duration::from_secs(seconds) };
        match kind {
            Kind::Discord => vec![limit(5, 2), limit(30, 60)],
            Kind::Telegram => vec![limit(1, 1), limit(20, 60)],
            Kind::Webhook => vec![limit(10, 1)],
            Kind::Email => vec![limit(1, 2), limit(30, 600)],
        }
    }
}
