//! Does: answers a press: a short text that Telegram shows to whoever pressed.
//! <https://core.telegram.org/bots/api#answercallbackquery>

use serde_json::json;

use super::super::telegram::Bot;
use crate::text::{cut, printable};

/// The most that an answer may hold; half of it, as a character can count twice.
const ANSWER: usize = 100;

/// Without an answer the button would go on turning.
pub(super) async fn answer(bot: &Bot, press: &str, text: &str) {
    let text = cut(&printable(text), ANSWER);
    let body = json!({ "callback_query_id": press, "text": text });
    match bot.call("answerCallbackQuery", &body, None).await {
        Ok(said) if said.result().is_some() => {}
        Ok(said) => tracing::debug!("a button's answer was not taken: {}", said.words()),
        Err(why) => tracing::debug!("a button's answer was not sent: {why}"),
    }
}
