//! Does: calls a method of Telegram's Bot API and reads its answers.
//! <https://core.telegram.org/bots/api#making-requests>

use std::time::Duration;

use reqwest::Method;
use serde_json::Value as Json;
use vigie_core::notify::Outcome;

use super::super::SenderError;
use super::super::http::{Address, Answer, Ask, Http, Plain, address};
use super::super::outcome::{Scrub, refused};

/// A bot.
#[derive(Debug, Clone)]
pub(in crate::notify) struct Bot {
    http: Http,
    /// Ends with the token.
    base: Address,
    scrub: Scrub,
}

/// An answer of the API.
#[derive(Debug)]
pub(in crate::notify) struct Said {
    answer: Answer,
    body: Json,
    words: String,
}

impl Bot {
    pub(super) fn new(http: Http, api: &str, token: &str) -> Result<Self, SenderError> {
        let token = token.trim();
        let (number, key) = token.split_once(':').ok_or(SenderError::Token)?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if number.parse::<u64>().is_err() || key.is_empty() || !key.chars().all(letters) {
            return Err(SenderError::Token);
        }
        let Address(mut base) = address("the Telegram API", api, Plain::Here)?;
        base.set_path(&format!("{}/bot{token}", base.path().trim_end_matches('/')));
        Ok(Self { http, base: Address(base), scrub: Scrub::new([token, key]) })
    }

    /// Calls `method`; an error is what a person reads about why there was no answer.
    pub(in crate::notify) async fn call(
        &self,
        method: &str,
        body: &Json,
        patience: Option<Duration>,
    ) -> Result<Said, String> {
        let Address(mut url) = self.base.clone();
        url.set_path(&format!("{}/{method}", self.base.0.path()));
        let body = body.to_string();
        let ask = Ask { patience, ..Ask::new(Method::POST, url, body.as_bytes()) };
        let answer = self.http.json(ask).await.map_err(|why| self.scrub.clean(&why))?;
        let body = answer.value();
        let words = match body["description"].as_str() {
            Some(words) => self.scrub.clean(words),
            None => self.scrub.clean(&String::from_utf8_lossy(&answer.body)),
        };
        Ok(Said { answer, body, words })
    }
}

impl Said {
    pub(in crate::notify) fn result(&self) -> Option<&Json> {
        let yes = self.answer.is_success() && self.body["ok"] == Json::Bool(true);
        yes.then(|| &self.body["result"])
    }

    pub(in crate::notify) const fn status(&self) -> u16 {
        self.answer.status
    }

    pub(in crate::notify) fn words(&self) -> &str {
        &self.words
    }

    pub(in crate::notify) fn says(&self, words: &str) -> bool {
        self.words.to_ascii_lowercase().contains(words)
    }

    /// How long the bot is to be quiet.
    pub(in crate::notify) fn wait(&self) -> Option<Duration> {
        self.answer.wait(self.body["parameters"]["retry_after"].as_f64())
    }

    /// Where the chat went: a group that becomes a supergroup gets a new id.
    pub(super) fn moved(&self) -> Option<i64> {
        self.body["parameters"]["migrate_to_chat_id"].as_i64()
    }

    /// What an answer other than yes means for a message.
    pub(super) fn refused(&self) -> Outcome {
        const NOWHERE: [&str; 4] =
            ["chat not found", "chat was deactivated", "not enough rights", "have no rights"];
        let wait = self.body["parameters"]["retry_after"].as_f64();
        match self.status() {
            // It would answer so to every message: the channel is wrong, not this one.
            400 if NOWHERE.iter().any(|words| self.says(words)) => {
                Outcome::Stopped { why: format!("400 {}", self.words) }
            }
            401 | 404 => Outcome::Stopped {
                why: format!(
                    "{} {} (the token is not valid: ask BotFather for it)",
                    self.status(),
                    self.words
                ),
            },
            // A yes that is not one: somebody else's server.
            200..=299 => Outcome::Later {
                after: None,
                why: format!("not an answer of the Bot API: {}", self.words),
            },
            _ => refused(&self.answer, wait, &self.words),
        }
    }
}
