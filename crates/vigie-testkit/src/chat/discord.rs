//! Discord's webhooks. <https://discord.com/developers/docs/resources/webhook>

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::pace::Windows;
use super::server::{Api, Fault, Says, Seen, Server};
use super::shape::{list, object, text};

const PATH: &str = "/api/webhooks/1098";
const TOKEN: &str = "s3cret-Discord_token";

/// A webhook on a server of its own.
pub struct Discord {
    server: Server<State>,
}

struct State {
    pace: Windows,
    messages: BTreeMap<u64, Json>,
    last: u64,
}

impl Discord {
    /// A webhook with Discord's limits.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> io::Result<Self> {
        let limits = vec![(5, Duration::from_secs(2)), (30, Duration::from_secs(60))];
        let state = State { pace: Windows::new(limits), messages: BTreeMap::new(), last: 7000 };
        Ok(Self { server: Server::start(state).await? })
    }

    /// Its address, with its token.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{PATH}/{TOKEN}", self.server.address)
    }

    /// What must never be seen anywhere.
    #[must_use]
    pub const fn secret(&self) -> &'static str {
        TOKEN
    }

    /// The next request fails so.
    pub fn order(&self, fault: Fault) {
        self.server.order(fault);
    }

    /// What was ordered and has not come yet will not.
    pub fn forgive(&self) {
        self.server.forgive();
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }

    /// The messages that stand, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Json> {
        self.server.with(|state| state.messages.values().cloned().collect())
    }

    /// Somebody deletes a message.
    pub fn delete(&self, id: &str) {
        self.server.with(|state| id.parse().ok().and_then(|id: u64| state.messages.remove(&id)));
    }
}

fn no(status: u16, code: u64, message: &str) -> Says {
    Says::plain(status, json!({ "message": message, "code": code }))
}

impl Api for State {
    fn answer(&mut self, request: &Seen, _waited: Duration) -> Says {
        let Some(rest) = request.path().strip_prefix(PATH) else {
            return no(404, 10_015, "Unknown Webhook");
        };
        let Some(rest) = rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(TOKEN)) else {
            return no(401, 50_027, "Invalid Webhook Token");
        };
        if let Err(wait) = self.pace.take() {
            let seconds = wait.as_secs_f64();
            let header = ("Retry-After", wait.as_secs().saturating_add(1).to_string());
            let body = json!({
                "message": "You are being rate limited.", "retry_after": seconds, "global": false,
            });
            return Says::Now(429, vec![header], body);
        }
        if request.header("content-type") != Some("application/json") || !request.body.is_object() {
            return no(400, 50_109, "The request body contains invalid JSON.");
        }
        let editing = request.method == "PATCH";
        if let Err(wrong) = check(&request.body, editing) {
            let body = json!({
                "message": "Invalid Form Body", "code": 50_035, "errors": { "_errors": [wrong] },
            });
            return Says::plain(400, body);
        }
        match (request.method.as_str(), rest.strip_prefix("/messages/")) {
            ("POST", None) if rest.is_empty() => self.post(request),
            ("PATCH", Some(id)) => self.patch(id, &request.body),
            _ => no(405, 0, "405: Method Not Allowed"),
        }
    }
}

impl State {
    fn post(&mut self, request: &Seen) -> Says {
        self.last += 1;
        let mut message = request.body.clone();
        message["id"] = self.last.to_string().into();
        self.messages.insert(self.last, message.clone());
        if request.target.contains("wait=true") {
            Says::plain(200, message)
        } else {
            Says::plain(204, Json::Null)
        }
    }

    fn patch(&mut self, id: &str, body: &Json) -> Says {
        let message = id.parse().ok().and_then(|id: u64| self.messages.get_mut(&id));
        let Some(message) = message else { return no(404, 10_008, "Unknown Message") };
        for (key, value) in body.as_object().into_iter().flatten() {
            message[key] = value.clone();
        }
        Says::plain(200, message.clone())
    }
}

/// Whether Discord would take this body, of a new message or of an edit.
///
/// # Errors
/// What is wrong with it.
pub fn check(body: &Json, editing: bool) -> Result<(), String> {
    let body = object(body, "body", &["content", "embeds", "allowed_mentions"])?;
    if body.get("allowed_mentions") != Some(&json!({ "parse": [] })) {
        return Err(String::from("allowed_mentions: strict, no message may mention anybody"));
    }
    let content = text(body, "body", "content", 2000)?;
    let embeds = list(body, "body", "embeds", 10)?;
    if content.is_none() && embeds.is_empty() && !editing {
        return Err(String::from("Cannot send an empty message"));
    }
    let mut all = 0;
    for embed in embeds {
        all += check_embed(embed)?;
    }
    if all > 6000 {
        return Err(String::from("embeds: Embed size exceeds maximum size of 6000"));
    }
    Ok(())
}

/// The length of an embed.
fn check_embed(embed: &Json) -> Result<usize, String> {
    let embed = object(embed, "embed", &["title", "description", "color", "fields", "footer"])?;
    let length = |text: Option<&str>| text.map_or(0, |text| text.encode_utf16().count());
    let mut all = length(text(embed, "embed", "title", 256)?);
    all += length(text(embed, "embed", "description", 4096)?);
    let colour = embed.get("color").map(|colour| colour.as_u64().unwrap_or(u64::MAX));
    if colour.is_some_and(|colour| colour > 0xff_ff_ff) {
        return Err(String::from("embed.color: int value should be between 0 and 16777215"));
    }
    for field in list(embed, "embed", "fields", 25)? {
        let field = object(field, "field", &["name", "value", "inline"])?;
        let name = text(field, "field", "name", 256)?.ok_or("field.name: required")?;
        let value = text(field, "field", "value", 1024)?.ok_or("field.value: required")?;
        if !field.get("inline").is_none_or(Json::is_boolean) {
            return Err(String::from("field.inline: not a boolean"));
        }
        all += length(Some(name)) + length(Some(value));
    }
    if let Some(footer) = embed.get("footer") {
        all += length(text(object(footer, "footer", &["text"])?, "footer", "text", 2048)?);
    }
    Ok(all)
}
