//! Does: a Telegram bot in one chat: posts an incident's message with its buttons, changes it, rings.
//! <https://core.telegram.org/bots/api#sendmessage>

mod api;
mod html;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value as Json, json};
use vigie_core::notify::{Occasion, Outcome};

use super::outcome::{Reply, unanswered};
use super::thread::{Chat, Edited, tell};
use super::turn::Turns;
use super::{Http, Kind, Letter, Reader, SenderError};

pub(super) use api::{Bot, Said};
pub(super) use words::choice;

/// A Telegram bot in one chat.
#[derive(Debug)]
pub struct Telegram {
    bot: Bot,
    /// Shared with the buttons: the chat's id can change while vigie runs.
    chat: Arc<AtomicI64>,
    reader: Reader,
    turns: Turns,
    edited: Edited,
}

/// A chat whose buttons may be pressed, and by whom.
#[derive(Debug, Clone)]
pub struct Seat {
    chat: Arc<AtomicI64>,
    users: Vec<i64>,
}

impl Seat {
    pub(super) fn is_in(&self, chat: i64) -> bool {
        self.chat.load(Ordering::Relaxed) == chat
    }

    pub(super) fn may_press(&self, chat: i64, user: i64) -> bool {
        self.is_in(chat) && self.users.contains(&user)
    }
}

impl Telegram {
    /// `api` is `https://api.telegram.org` or a Bot API server of one's own.
    ///
    /// # Errors
    /// What is wrong with the token or the address.
    pub fn new(
        http: Http,
        api: &str,
        token: &str,
        chat: i64,
        reader: Reader,
    ) -> Result<Self, SenderError> {
        let bot = Bot::new(http, api, token)?;
        let (chat, turns) = (Arc::new(AtomicI64::new(chat)), Turns::new(Kind::Telegram));
        Ok(Self { bot, chat, reader, turns, edited: Edited::default() })
    }

    /// This chat for [`super::Buttons`]: these users may press, nobody where there are none.
    #[must_use]
    pub fn seat(&self, users: Vec<i64>) -> Seat {
        Seat { chat: Arc::clone(&self.chat), users }
    }

    pub(super) fn bot(&self) -> Bot {
        self.bot.clone()
    }

    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(super) async fn send(&self, letter: &Letter) -> Outcome {
        tell(self, &self.edited, letter).await
    }

    async fn ask(&self, method: &str, mut body: Json) -> Reply {
        body["parse_mode"] = json!("HTML");
        // A preview would show pictures and words from an address that somebody else wrote.
        body["link_preview_options"] = json!({ "is_disabled": true });
        match self.once(method, &mut body).await {
            Ok(said) => match said.moved() {
                Some(chat) => {
                    self.follow(chat);
                    let said = self.once(method, &mut body).await;
                    said.map_or_else(Reply::Not, |said| read(&said))
                }
                None => read(&said),
            },
            Err(outcome) => Reply::Not(outcome),
        }
    }

    async fn once(&self, method: &str, body: &mut Json) -> Result<Said, Outcome> {
        body["chat_id"] = self.chat.load(Ordering::Relaxed).into();
        self.turns.wait().await?;
        let said = self.bot.call(method, body, None).await;
        self.turns.over();
        said.map_err(unanswered)
    }

    fn follow(&self, chat: i64) {
        let before = self.chat.swap(chat, Ordering::Relaxed);
        tracing::warn!(
            "the Telegram group {before} has become a supergroup with a new id; \
             write chat = {chat} into the configuration"
        );
    }
}

fn read(said: &Said) -> Reply {
    const GONE: [&str; 3] =
        ["message to edit not found", "message can't be edited", "message_id_invalid"];
    if let Some(result) = said.result() {
        return Reply::Done(result["message_id"].as_i64().map(|id| id.to_string()));
    }
    match said.status() {
        400 if said.says("message is not modified") => Reply::Done(None),
        400 if GONE.iter().any(|words| said.says(words)) => Reply::Gone,
        _ => Reply::Not(said.refused()),
    }
}

impl Chat for Telegram {
    async fn post(&self, letter: &Letter) -> Reply {
        let message = &letter.message;
        // The message itself tells of an opening, and of what is about vigie.
        let told = matches!(
            letter.notice.occasion,
            Occasion::Opened | Occasion::Said { .. } | Occasion::Digest { .. }
        );
        let news = message.news.as_deref().filter(|_| !told);
        let mut body = json!({ "text": words::card(message, news, &self.reader) });
        if !message.choices.is_empty() {
            body["reply_markup"] = words::keyboard(&message.choices, self.reader.lang);
        }
        self.ask("sendMessage", body).await
    }

    async fn edit(&self, card: &str, letter: &Letter) -> Reply {
        let Ok(card) = card.parse::<i64>() else { return Reply::Gone };
        let body = json!({
            "message_id": card,
            "text": words::card(&letter.message, None, &self.reader),
            "reply_markup": words::keyboard(&letter.message.choices, self.reader.lang),
        });
        self.ask("editMessageText", body).await
    }

    async fn ring(&self, card: &str, letter: &Letter, news: &str) -> Reply {
        let mut body = json!({ "text": words::ring(news) });
        if let Ok(card) = card.parse::<i64>() {
            body["reply_parameters"] =
                json!({ "message_id": card, "allow_sending_without_reply": true });
        }
        // The question is where it rings.
        if matches!(letter.notice.occasion, Occasion::Approval { .. }) {
            body["reply_markup"] = words::keyboard(&letter.message.choices, self.reader.lang);
        }
        self.ask("sendMessage", body).await
    }
}
