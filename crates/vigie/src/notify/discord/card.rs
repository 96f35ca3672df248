//! Does: an incident as one embed, within Discord's limits.
//! <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>

use serde_json::{Value as Json, json};

use super::super::cut::{newest, units};
use super::super::{Message, Reader, Value};
use super::markdown::{code, escaped, unmarked};

/// Discord's limits, in characters.
const CONTENT: usize = 2_000;
const TITLE: usize = 256;
const FIELDS: usize = 25;
const NAME: usize = 256;
const VALUE: usize = 1_024;
const ALL: usize = 6_000;
/// Ours, so that the parts of a message fit together: Discord's are 4096 and 2048.
const DESCRIPTION: usize = 2_500;
const WRONG: usize = 1_000;
const FOOTER: usize = 256;
const STEP: usize = 300;
/// Room for a time, which cannot be cut.
const LEAST: usize = 64;

/// What rings, above the embed or alone.
pub(super) fn content(news: &str) -> String {
    escaped(news, CONTENT)
}

pub(super) fn embed(message: &Message, reader: &Reader) -> Json {
    let title = escaped(&format!("{} {}", message.sign, message.head), TITLE);
    let description = description(message, reader);
    let footer = unmarked(&message.footer, FOOTER);
    let mut left = ALL - units(&title) - units(&description) - units(&footer);
    let mut fields = Vec::new();
    for fact in message.facts.iter().take(FIELDS) {
        let name = escaped(&fact.name, NAME);
        let room = left.saturating_sub(units(&name)).min(VALUE);
        if room < LEAST {
            break;
        }
        let value = value(&fact.value, room);
        left -= units(&name) + units(&value);
        let inline = !matches!(&fact.value, Value::Text(text) if text.len() > 40);
        fields.push(json!({ "name": name, "value": value, "inline": inline }));
    }
    json!({
        "title": title,
        "description": description,
        "color": message.colour,
        "fields": fields,
        "footer": { "text": footer },
    })
}

/// What is wrong, and the newest steps that fit.
fn description(message: &Message, reader: &Reader) -> String {
    let mut text = escaped(&message.title, WRONG);
    let steps: Vec<_> = message.steps.iter().map(|step| escaped(step, STEP)).collect();
    let spare = units(&reader.earlier(steps.len())) + 2;
    let (left_out, steps) = newest(&steps, DESCRIPTION - units(&text) - spare);
    if left_out > 0 || !steps.is_empty() {
        text.push('\n');
    }
    if left_out > 0 {
        text.push('\n');
        text.push_str(&reader.earlier(left_out));
    }
    for step in steps {
        text.push('\n');
        text.push_str(step);
    }
    text
}

fn value(value: &Value, most: usize) -> String {
    match value {
        Value::Text(text) => escaped(text, most),
        Value::Command(command) => code(command, most),
        // Shown in the reader's zone, and as how long ago.
        Value::Time(wall) => {
            let at = wall.div_euclid(1000);
            format!("<t:{at}:f> (<t:{at}:R>)")
        }
    }
}
