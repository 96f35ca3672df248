//! Telegram's Bot API, for one bot in one chat. <https://core.telegram.org/bots/api>

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use serde_json::{Value as Json, json};

pub use self::check::check;
pub use super::html::parse;
use super::pace::Windows;
use super::server::{Api, Fault, Says, Seen, Server};
use super::shape::{object, text};

const TOKEN: &str = "123456:s3cret-Telegram_token";

/// A bot's API on a server of its own.
pub struct Telegram {
    server: Server<State>,
}

struct State {
    chat: i64,
    /// The id that the chat had before it became a supergroup.
    before: Option<i64>,
    pace: Windows,
    messages: BTreeMap<i64, Json>,
    last: i64,
    updates: Vec<Json>,
    /// Presses that wait for an answer.
    presses: BTreeSet<String>,
    answers: Vec<String>,
}

impl Telegram {
    /// The chat that the bot is in.
    pub const CHAT: i64 = -4_001;

    /// A bot with Telegram's limits.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> io::Result<Self> {
        let limits = vec![(1, Duration::from_secs(1)), (20, Duration::from_secs(60))];
        let state = State {
            chat: Self::CHAT,
            before: None,
            pace: Windows::new(limits),
            messages: BTreeMap::new(),
            last: 40,
            updates: Vec::new(),
            presses: BTreeSet::new(),
            answers: Vec::new(),
        };
        Ok(Self { server: Server::start(state).await? })
    }

    /// The API's address, without the token.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.server.address
    }

    /// The token, which must never be seen anywhere.
    #[must_use]
    pub const fn token(&self) -> &'static str {
        TOKEN
    }

    /// The next request fails so.
    pub fn order(&self, fault: Fault) {
        self.server.order(fault);
    }

    /// All requests so far that were answered.
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
        self.server.with(|state| id.parse().ok().and_then(|id: i64| state.messages.remove(&id)));
    }

    /// The group becomes a supergroup, where its messages have no old numbers.
    pub fn migrate(&self, to: i64) {
        self.server.with(|state| {
            state.before = Some(std::mem::replace(&mut state.chat, to));
            state.messages.clear();
        });
    }

    /// Somebody presses a button below a message in `chat`.
    pub fn press(&self, chat: i64, user: i64, name: &str, data: &str) {
        self.server.with(|state| {
            let id = format!("press-{}", state.updates.len() + 1);
            state.presses.insert(id.clone());
            state.update(json!({ "callback_query": {
                "id": id,
                "from": { "id": user, "is_bot": false, "first_name": name },
                "message": { "message_id": 1, "date": 0, "chat": { "id": chat, "type": "group" } },
                "data": data,
            }}));
        });
    }

    /// What those who pressed were answered.
    #[must_use]
    pub fn answers(&self) -> Vec<String> {
        self.server.with(|state| state.answers.clone())
    }
}

fn no(status: u16, description: &str, parameters: Option<Json>) -> Says {
    let mut body = json!({ "ok": false, "error_code": status, "description": description });
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    Says::plain(status, body)
}

fn bad(description: &str) -> Says {
    no(400, &format!("Bad Request: {description}"), None)
}

fn yes(result: Json) -> Says {
    Says::plain(200, json!({ "ok": true, "result": result }))
}

impl Api for State {
    fn answer(&mut self, request: &Seen, waited: Duration) -> Says {
        let Some((token, method)) =
            request.path().strip_prefix("/bot").and_then(|rest| rest.split_once('/'))
        else {
            return no(404, "Not Found", None);
        };
        if token != TOKEN {
            return no(401, "Unauthorized", None);
        }
        if !request.body.is_object() {
            return bad("can't parse JSON");
        }
        match method {
            "sendMessage" | "editMessageText" => self.message(method, &request.body),
            "getUpdates" => self.poll(&request.body, waited),
            "answerCallbackQuery" => self.answered(&request.body),
            _ => no(404, "Not Found: method not found", None),
        }
    }
}

impl State {
    fn update(&mut self, mut update: Json) {
        update["update_id"] = (9000 + self.updates.len()).into();
        self.updates.push(update);
    }

    fn message(&mut self, method: &str, body: &Json) -> Says {
        let editing = method == "editMessageText";
        let chat = body["chat_id"].as_i64();
        if chat.is_some() && chat == self.before {
            let parameters = json!({ "migrate_to_chat_id": self.chat });
            let words = "Bad Request: group chat was upgraded to a supergroup chat";
            return no(400, words, Some(parameters));
        }
        if chat != Some(self.chat) {
            return bad("chat not found");
        }
        if let Err(wait) = self.pace.take() {
            let seconds = wait.as_secs().saturating_add(1);
            let words = format!("Too Many Requests: retry after {seconds}");
            return no(429, &words, Some(json!({ "retry_after": seconds })));
        }
        if let Err(wrong) = check(body, editing) {
            return bad(&wrong);
        }
        if !editing {
            let replied = body["reply_parameters"]["message_id"].as_i64();
            let lenient = body["reply_parameters"]["allow_sending_without_reply"] == true;
            if replied.is_some_and(|id| !lenient && !self.messages.contains_key(&id)) {
                return bad("message to be replied not found");
            }
            self.last += 1;
            return self.keep(self.last, body);
        }
        let Some(id) = body["message_id"].as_i64() else { return bad("message_id is missing") };
        match self.messages.get(&id) {
            None => bad("message to edit not found"),
            Some(old) if same(old, body) => {
                bad("message is not modified: specified new message content and reply markup are \
                 exactly the same as a current content and reply markup of the message")
            }
            Some(_) => self.keep(id, body),
        }
    }

    fn keep(&mut self, id: i64, body: &Json) -> Says {
        let mut message = body.clone();
        message["message_id"] = id.into();
        self.messages.insert(id, message);
        yes(json!({ "message_id": id, "date": 0, "chat": { "id": self.chat } }))
    }

    fn poll(&self, body: &Json, waited: Duration) -> Says {
        if body["allowed_updates"] != json!(["callback_query", "message"]) {
            return bad("strict: only what is needed may be asked for");
        }
        let offset = body["offset"].as_i64().unwrap_or_default();
        let new = |update: &&Json| update["update_id"].as_i64().is_some_and(|id| id >= offset);
        let updates: Vec<_> = self.updates.iter().filter(new).cloned().collect();
        let hold = Duration::from_secs(body["timeout"].as_u64().unwrap_or_default());
        if updates.is_empty() && waited < hold { Says::Hold } else { yes(updates.into()) }
    }

    fn answered(&mut self, body: &Json) -> Says {
        let text = match object(body, "body", &["callback_query_id", "text"])
            .and_then(|body| text(body, "body", "text", 200))
        {
            Ok(text) => text.unwrap_or_default(),
            Err(wrong) => return bad(&wrong),
        };
        let id = body["callback_query_id"].as_str().unwrap_or_default();
        if !self.presses.remove(id) {
            return bad("query is too old and response timeout expired or query ID is invalid");
        }
        self.answers.push(text.to_owned());
        yes(Json::Bool(true))
    }
}

fn same(old: &Json, new: &Json) -> bool {
    let empty = json!({ "inline_keyboard": [] });
    let markup = |body: &Json| body.get("reply_markup").unwrap_or(&empty).clone();
    old["text"] == new["text"] && markup(old) == markup(new)
}
