//! What Telegram takes as a message. <https://core.telegram.org/bots/api#sendmessage>

use serde_json::{Value as Json, json};

use super::super::html::parse;
use super::super::shape::{list, object, text};

/// Whether Telegram would take this body, of a new message or of an edit.
///
/// # Errors
/// What is wrong with it.
pub fn check(body: &Json, editing: bool) -> Result<(), String> {
    let (own, other) =
        if editing { ("message_id", "message_id") } else { ("reply_parameters", "chat_id") };
    let keys =
        ["chat_id", "text", "parse_mode", "link_preview_options", "reply_markup", own, other];
    let fields = object(body, "body", &keys)?;
    if body["parse_mode"] != "HTML" {
        return Err(String::from("strict: parse_mode has to be HTML"));
    }
    if body["link_preview_options"] != json!({ "is_disabled": true }) {
        return Err(String::from("strict: no message may preview links"));
    }
    let html = body["text"].as_str().ok_or("message text is empty")?;
    let parsed = parse(html).map_err(|why| format!("can't parse entities: {why}"))?;
    if parsed.text.trim().is_empty() {
        return Err(String::from("message text is empty"));
    }
    if parsed.text.encode_utf16().count() > 4096 || parsed.marks > 100 {
        return Err(String::from("message is too long"));
    }
    let Some(markup) = fields.get("reply_markup") else { return Ok(()) };
    for row in
        list(object(markup, "markup", &["inline_keyboard"])?, "markup", "inline_keyboard", 8)?
    {
        for button in row.as_array().ok_or("a row of buttons has to be an array")? {
            let button = object(button, "button", &["text", "callback_data"])?;
            text(button, "button", "text", 64)?.ok_or("button.text is missing")?;
            let data = text(button, "button", "callback_data", 64)?;
            if data.is_none_or(|data| data.len() > 64) {
                return Err(String::from("BUTTON_DATA_INVALID"));
            }
        }
    }
    Ok(())
}
