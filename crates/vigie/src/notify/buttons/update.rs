//! Does: reads one update of the Bot API. What is not needed is not looked at.
//! <https://core.telegram.org/bots/api#update>

use serde_json::Value as Json;

use super::super::Choice;
use super::super::cut::line;
use super::super::telegram::choice;
use crate::text::cut;

/// The most that is kept of a name.
const NAME: usize = 64;

pub(super) enum Update {
    Press(Press),
    Message { chat: i64, user: i64 },
    Other,
}

/// Somebody pressed a button.
pub(super) struct Press {
    pub(super) id: String,
    pub(super) chat: i64,
    pub(super) user: i64,
    pub(super) name: String,
    /// `None` where it is not a button of this version.
    pub(super) choice: Option<Choice>,
}

impl Update {
    pub(super) fn read(update: &Json) -> Self {
        let press = &update["callback_query"];
        let message = &update["message"];
        if let Some(press) = read_press(press) {
            return Self::Press(press);
        }
        match (message["chat"]["id"].as_i64(), message["from"]["id"].as_i64()) {
            (Some(chat), Some(user)) => Self::Message { chat, user },
            _ => Self::Other,
        }
    }
}

fn read_press(press: &Json) -> Option<Press> {
    let from = &press["from"];
    let names = [&from["first_name"], &from["last_name"]];
    let name: Vec<_> = names.into_iter().filter_map(Json::as_str).collect();
    Some(Press {
        id: press["id"].as_str()?.to_owned(),
        // A press below a message of another chat, or of none, is nobody's.
        chat: press["message"]["chat"]["id"].as_i64().unwrap_or_default(),
        user: from["id"].as_i64()?,
        name: cut(&line(&name.join(" ")), NAME),
        choice: press["data"].as_str().and_then(choice),
    })
}
