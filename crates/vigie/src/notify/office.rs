//! Does: the post: one task a channel, each with its client, and the listeners of the buttons. A channel
//! that cannot be used as it is configured says so by its first letter, and the others go on.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_core::event::Order;
use vigie_core::incident::{Actor, IncidentId};
use vigie_core::notify::Outcome;
use vigie_core::respond::RunId;

use super::{
    Buttons, Choice, Discord, Email, Http, Kind, Letter, MailAccount, Pressed, Reader, Seat,
    Sender, SenderError, Telegram, Webhook,
};
use crate::config::{ChannelConfig, Config, Lang, SecretError};
use crate::engine::{Handle, Post};

/// Why a channel cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Its secret is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is not configured as it has to be.
    #[error(transparent)]
    Sender(#[from] SenderError),
}

/// The kind of a channel.
#[must_use]
pub const fn kind(channel: &ChannelConfig) -> Kind {
    match channel {
        ChannelConfig::Discord(_) => Kind::Discord,
        ChannelConfig::Telegram(_) => Kind::Telegram,
        ChannelConfig::Webhook(_) => Kind::Webhook,
        ChannelConfig::Email(_) => Kind::Email,
    }
}

/// A channel's client, with its secrets revealed; and for a bot its place at the buttons.
///
/// # Errors
/// See [`ChannelError`].
pub fn client(
    config: &Config,
    channel: &ChannelConfig,
    http: &Http,
) -> Result<(Sender, Option<Bot>), ChannelError> {
    let reader = |lang: Option<Lang>| Reader::here(lang.unwrap_or(config.file.stack.lang));
    let reveal = |secret| config.vault.reveal(secret);
    let stack = &config.stack.name;
    let sender = match channel {
        ChannelConfig::Discord(one) => {
            let url = reveal(&one.url)?;
            Sender::Discord(Discord::new(http.clone(), &url, reader(one.lang))?)
        }
        ChannelConfig::Telegram(one) => {
            let token = reveal(&one.token)?;
            let reader = reader(one.lang);
            let telegram = Telegram::new(http.clone(), &one.api, &token, one.chat, reader.clone())?;
            let seat = telegram.seat(one.users.clone());
            let listener = Telegram::new(http.clone(), &one.api, &token, one.chat, reader)?;
            let bot = Bot { token, listener, seat };
            return Ok((Sender::Telegram(telegram), Some(bot)));
        }
        ChannelConfig::Webhook(one) => {
            let secret = one.secret.as_ref().map(reveal).transpose()?;
            let url = reveal(&one.url)?;
            Sender::Webhook(Webhook::new(http.clone(), &url, secret, stack, reader(one.lang))?)
        }
        ChannelConfig::Email(one) => {
            let password = one.password.as_ref().map(reveal).transpose()?;
            let account = MailAccount {
                server: one.server.clone(),
                login: one.user.clone().zip(password),
                from: one.from.clone(),
                to: one.to.clone(),
            };
            Sender::Email(Box::new(Email::new(&account, stack, reader(one.lang))?))
        }
    };
    Ok((sender, None))
}

/// A bot in one chat.
pub struct Bot {
    token: String,
    listener: Telegram,
    seat: Seat,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot").field("seat", &self.seat).finish_non_exhaustive()
    }
}

/// The post, closed until it is opened.
#[derive(Debug)]
pub struct Office {
    counters: Vec<(mpsc::UnboundedReceiver<Letter>, Result<Sender, ChannelError>)>,
    bots: BTreeMap<String, (Telegram, Vec<Seat>)>,
}

/// Where letters are handed in.
#[derive(Debug)]
pub struct Slots(BTreeMap<String, mpsc::UnboundedSender<Letter>>);

impl Post for Slots {
    fn send(&mut self, letter: Letter) {
        if let Some(slot) = self.0.get(&letter.notice.channel) {
            // At most one letter a channel is on its way: the queue cannot grow.
            let _ = slot.send(letter);
        }
    }
}

impl Office {
    /// The post for every channel of `config`.
    #[must_use]
    pub fn new(config: &Config) -> (Self, Slots) {
        let channels = config.channels();
        let mut office = Self { counters: Vec::new(), bots: BTreeMap::new() };
        let mut slots = BTreeMap::new();
        // A watch that tells nobody needs no TLS.
        let http = if channels.is_empty() { None } else { Some(Http::new()) };
        for (name, channel) in channels {
            let made = match http.clone() {
                Some(Ok(http)) => client(config, &channel, &http),
                Some(Err(error)) => Err(error.into()),
                None => continue,
            };
            let sender = made.map(|(sender, bot)| {
                if let Some(bot) = bot {
                    let place = office.bots.entry(bot.token);
                    place.or_insert_with(|| (bot.listener, Vec::new())).1.push(bot.seat);
                }
                sender
            });
            if let Err(error) = &sender {
                tracing::error!(channel = name, %error, "this channel cannot be used");
            }
            let (slot, letters) = mpsc::unbounded_channel();
            slots.insert(name, slot);
            office.counters.push((letters, sender));
        }
        (office, Slots(slots))
    }

    /// Opens it: letters are sent, buttons are heard, until `stop` is cancelled.
    pub fn open(self, handle: &Handle, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
        for (letters, sender) in self.counters {
            tasks.spawn(counter(letters, sender, handle.clone(), stop.clone()));
        }
        let (told, pressed) = mpsc::channel(16);
        for (listener, seats) in self.bots.into_values() {
            let buttons = Buttons::new(&listener, seats);
            tasks.spawn(buttons.run(told.clone(), stop.clone()));
        }
        tasks.spawn(obey(pressed, handle.clone(), stop.clone()));
    }
}

async fn counter(
    mut letters: mpsc::UnboundedReceiver<Letter>,
    sender: Result<Sender, ChannelError>,
    handle: Handle,
    stop: CancellationToken,
) {
    while let Some(Some(letter)) = stop.run_until_cancelled(letters.recv()).await {
        // Not cut off when vigie stops: what the other side has taken would be sent again.
        let outcome = match &sender {
            Ok(sender) => sender.send(&letter).await,
            Err(error) => Outcome::Stopped { why: error.to_string() },
        };
        let channel = &letter.notice.channel;
        match &outcome {
            Outcome::Later { why, .. } => tracing::warn!(channel, why, "a message has to wait"),
            Outcome::Rejected { why } => tracing::warn!(channel, why, "a message was refused"),
            Outcome::Delivered { .. } | Outcome::Stopped { .. } => {}
        }
        if handle.settled(letter.notice.id, outcome).await.is_err() {
            return;
        }
    }
}

/// Carries out what people press.
async fn obey(mut pressed: mpsc::Receiver<Pressed>, handle: Handle, stop: CancellationToken) {
    while let Some(Some(press)) = stop.run_until_cancelled(pressed.recv()).await {
        let by = Actor::Person(format!("{} (Telegram)", press.name));
        let order = match press.choice {
            Choice::Acknowledge(id) => Order::Acknowledge(IncidentId(id), by),
            Choice::Approve(run) => Order::Approve { run: RunId(run), granted: true, by },
            Choice::Refuse(run) => Order::Approve { run: RunId(run), granted: false, by },
        };
        let text = match handle.order(order).await {
            Ok(Ok(text) | Err(text)) => text,
            Err(stopped) => stopped.to_string(),
        };
        let _ = press.answer.send(text);
    }
}
