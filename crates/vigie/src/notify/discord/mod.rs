//! Does: a Discord webhook: posts an incident's message, changes it, rings.
//! <https://discord.com/developers/docs/resources/webhook>

mod card;
mod markdown;
#[cfg(test)]
mod tests;

use reqwest::{Method, Url};
use serde_json::{Value as Json, json};
use vigie_core::notify::Outcome;

use super::http::{Address, Answer, Ask, Http, Plain, address};
use super::outcome::{Reply, Scrub, refused, unanswered};
use super::thread::{Chat, Edited, tell};
use super::turn::Turns;
use super::{Kind, Letter, Reader, SenderError};

/// Somebody deleted the message.
const UNKNOWN_MESSAGE: u64 = 10_008;
/// A message older than an hour takes few edits; a new one takes all.
const TOO_MANY_EDITS: u64 = 30_046;

/// A Discord webhook.
#[derive(Debug)]
pub struct Discord {
    http: Http,
    url: Address,
    reader: Reader,
    scrub: Scrub,
    turns: Turns,
    edited: Edited,
}

impl Discord {
    /// `url` is the webhook's address as Discord shows it, with `?thread_id=…` for a thread.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(http: Http, url: &str, reader: Reader) -> Result<Self, SenderError> {
        let Address(mut url) = address("the Discord webhook", url, Plain::Here)?;
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        let token = path.rsplit('/').next().unwrap_or_default().to_owned();
        let scrub = Scrub::new([url.as_str(), &path, &token]);
        url.set_path(&path);
        let turns = Turns::new(Kind::Discord);
        Ok(Self { http, url: Address(url), reader, scrub, turns, edited: Edited::default() })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Outcome {
        tell(self, &self.edited, letter).await
    }

    /// Without `wait`, Discord answers before it has looked at the message.
    fn posting(&self) -> Url {
        let Address(mut url) = self.url.clone();
        url.query_pairs_mut().append_pair("wait", "true");
        url
    }

    /// `None` where `id` is not one of Discord's ids, which are numbers.
    fn message(&self, id: &str) -> Option<Url> {
        let number: u64 = id.parse().ok()?;
        let Address(mut url) = self.url.clone();
        url.set_path(&format!("{}/messages/{number}", self.url.0.path()));
        Some(url)
    }

    async fn ask(&self, method: Method, url: Url, mut body: Json) -> Reply {
        // On every request: an edit without it parses the mentions of the message anew.
        body["allowed_mentions"] = json!({ "parse": [] });
        if let Err(later) = self.turns.wait().await {
            return Reply::Not(later);
        }
        let editing = method == Method::PATCH;
        let body = body.to_string();
        let answer = self.http.json(Ask::new(method, url, body.as_bytes())).await;
        self.turns.over();
        match answer {
            Ok(answer) => self.read(&answer, editing),
            Err(why) => Reply::Not(unanswered(self.scrub.clean(&why))),
        }
    }

    fn read(&self, answer: &Answer, editing: bool) -> Reply {
        let body = answer.value();
        if answer.is_success() {
            return Reply::Done(body["id"].as_str().map(str::to_owned));
        }
        if editing && matches!(body["code"].as_u64(), Some(UNKNOWN_MESSAGE | TOO_MANY_EDITS)) {
            return Reply::Gone;
        }
        let words = self.scrub.clean(&words(answer, &body));
        Reply::Not(refused(answer, body["retry_after"].as_f64(), &words))
    }
}

/// Discord's words: what is wrong, and with which part.
fn words(answer: &Answer, body: &Json) -> String {
    let Some(message) = body["message"].as_str() else {
        return String::from_utf8_lossy(&answer.body).into_owned();
    };
    match (answer.status, &body["errors"]) {
        (401 | 404, _) => format!("{message} (make a new webhook in the channel's settings)"),
        (_, Json::Null) => message.to_owned(),
        (_, errors) => format!("{message}: {errors}"),
    }
}

impl Chat for Discord {
    async fn post(&self, letter: &Letter) -> Reply {
        let mut body = json!({ "embeds": [card::embed(&letter.message, &self.reader)] });
        if let Some(news) = &letter.message.news {
            body["content"] = card::content(news).into();
        }
        self.ask(Method::POST, self.posting(), body).await
    }

    async fn edit(&self, card: &str, letter: &Letter) -> Reply {
        let Some(url) = self.message(card) else { return Reply::Gone };
        let body = json!({ "embeds": [card::embed(&letter.message, &self.reader)] });
        self.ask(Method::PATCH, url, body).await
    }

    /// A webhook cannot reply to a message; this one stands below.
    async fn ring(&self, _card: &str, _letter: &Letter, news: &str) -> Reply {
        let body = json!({ "content": card::content(news) });
        self.ask(Method::POST, self.posting(), body).await
    }
}
