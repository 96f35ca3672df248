//! Does: sends JSON to a program of the user's, signed so that it can be told from anybody else's. The
//! shape is documented in `docs/guide/json.md`.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use reqwest::Method;
use serde::Serialize;
use sha2::Sha256;
use vigie_core::notify::Outcome;

use super::http::{Address, Ask, Http, Plain, address};
use super::outcome::{Scrub, refused, unanswered};
use super::turn::Turns;
use super::{Kind, Letter, Reader, SenderError, plain};
use crate::report::{IncidentJson, rfc3339};

/// A program that takes JSON.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    url: Address,
    key: Option<Key>,
    stack: String,
    reader: Reader,
    scrub: Scrub,
    turns: Turns,
}

/// What the body is signed with.
struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: u64,
    event: &'static str,
    at: String,
    stack: &'a str,
    severity: &'static str,
    incident: Option<&'a IncidentJson>,
    text: String,
    news: Option<String>,
}

impl Webhook {
    /// `secret` signs the body, where there is one.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(
        http: Http,
        url: &str,
        secret: Option<String>,
        stack: &str,
        reader: Reader,
    ) -> Result<Self, SenderError> {
        let url = address("the webhook", url, Plain::Anywhere)?;
        if secret.as_ref().is_some_and(String::is_empty) {
            return Err(SenderError::EmptySecret);
        }
        let parts = [url.0.as_str(), url.0.path(), url.0.query().unwrap_or_default()];
        let parts = parts.into_iter().chain(url.0.password()).chain(secret.as_deref());
        let scrub = Scrub::new(parts);
        let (key, turns) = (secret.map(Key), Turns::new(Kind::Webhook));
        Ok(Self { http, url, key, stack: stack.to_owned(), reader, scrub, turns })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Outcome {
        let notice = &letter.notice;
        let body = serde_json::to_vec(&Body {
            id: notice.id.0,
            event: notice.occasion.word(),
            at: rfc3339(notice.at.wall),
            stack: &self.stack,
            severity: notice.severity.word(),
            incident: letter.incident.as_ref(),
            text: plain::text(&letter.message, &self.reader),
            news: letter.message.news.as_deref().map(plain::short),
        });
        let body = match body {
            Ok(body) => body,
            Err(error) => return Outcome::Rejected { why: format!("no JSON: {error}") },
        };
        if let Err(later) = self.turns.wait().await {
            return later;
        }
        let mut ask = Ask::new(Method::POST, self.url.0.clone(), &body);
        let timestamp = Timestamp::now().as_second().to_string();
        if let Some(signature) = self.key.as_ref().and_then(|key| key.sign(&timestamp, &body)) {
            ask.headers.push(("X-Vigie-Signature", signature));
        }
        ask.headers.extend([
            ("X-Vigie-Event", notice.occasion.word().to_owned()),
            ("X-Vigie-Delivery", notice.id.0.to_string()),
            ("X-Vigie-Timestamp", timestamp),
        ]);
        let answer = self.http.json(ask).await;
        self.turns.over();
        match answer {
            Ok(answer) if answer.is_success() => Outcome::Delivered { message: None },
            Ok(answer) => {
                let words = self.scrub.clean(&String::from_utf8_lossy(&answer.body));
                refused(&answer, answer.value()["retry_after"].as_f64(), &words)
            }
            Err(why) => unanswered(self.scrub.clean(&why)),
        }
    }
}

impl Key {
    /// The time is signed too, so that what was once caught cannot be sent again later.
    fn sign(&self, timestamp: &str, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let bytes = mac.finalize().into_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("sha256={hex}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        // printf '1764000000.{"id":1}' | openssl dgst -sha256 -hmac secret
        let key = Key(String::from("secret"));
        let signature = key.sign("1764000000", br#"{"id":1}"#).unwrap();
        assert_eq!(
            signature,
            "sha256=65f44de4d5d7ee775de02a79c493612b5ce867670e87791f98af05dde00ace20"
        );
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
