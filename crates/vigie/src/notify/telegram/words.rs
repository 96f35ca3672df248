//! Does: an incident as one Telegram message, within Telegram's limit, and its buttons.

use serde_json::{Value as Json, json};

use super::super::cut::newest;
use super::super::{Choice, Message, Reader, Value};
use super::html::{code, counted, escaped};
use crate::report::Lang;

/// Telegram's limit, after the markup was read.
const ALL: usize = 4_096;
/// Telegram reads at most a hundred marks in a message.
const FACTS: usize = 25;
/// Ours, so that the parts of a message fit together.
const LINE: usize = 256;
const WRONG: usize = 1_000;
const NAME: usize = 64;
const VALUE: usize = 512;
const STEP: usize = 300;
/// What is kept for the steps and the line above them.
const STEPS: usize = 600;

/// What rings, in one line.
pub(super) fn ring(news: &str) -> String {
    escaped(news, WRONG)
}

/// The whole message; `news` above it where it tells more than the message does.
pub(super) fn card(message: &Message, news: Option<&str>, reader: &Reader) -> String {
    let mut text = String::new();
    if let Some(news) = news {
        text = format!("{}\n\n", ring(news));
    }
    text += &format!("{} <b>{}</b>\n", message.sign, escaped(&message.head, LINE));
    text += &escaped(&message.title, WRONG);
    let footer = format!("\n\n<i>{}</i>", escaped(&message.footer, LINE));
    let mut left = ALL - counted(&text) - counted(&footer);
    let facts = left.saturating_sub(if message.steps.is_empty() { 0 } else { STEPS });
    let facts = self::facts(message, facts, reader);
    left -= counted(&facts);
    text + &facts + &steps(message, left, reader) + &footer
}

fn facts(message: &Message, most: usize, reader: &Reader) -> String {
    let mut text = String::new();
    for fact in message.facts.iter().take(FACTS) {
        let value = match &fact.value {
            Value::Command(command) => code(command, VALUE),
            other => escaped(&reader.value(other), VALUE),
        };
        let above = if text.is_empty() { "\n\n" } else { "\n" };
        let line = format!("{above}<b>{}{}</b> {value}", escaped(&fact.name, NAME), reader.colon());
        if counted(&text) + counted(&line) > most {
            break;
        }
        text += &line;
    }
    text
}

/// The newest steps that fit.
fn steps(message: &Message, most: usize, reader: &Reader) -> String {
    if message.steps.is_empty() {
        return String::new();
    }
    // Shortened before they are escaped, so that a line's length is what Telegram counts.
    let spare = reader.earlier(message.steps.len()).chars().count() + 2;
    let lines: Vec<_> = message.steps.iter().map(|step| escaped(step, STEP)).collect();
    let plain: Vec<_> = lines.iter().map(|line| "x".repeat(counted(line))).collect();
    let (left_out, _) = newest(&plain, most.saturating_sub(spare));
    let mut text = String::from("\n");
    if left_out > 0 {
        text += &format!("\n{}", reader.earlier(left_out));
    }
    for line in &lines[left_out..] {
        text += &format!("\n{line}");
    }
    text
}

/// The buttons below a message; none takes away those of an earlier version.
pub(super) fn keyboard(choices: &[Choice], lang: Lang) -> Json {
    let (taking, deciding): (Vec<_>, Vec<_>) =
        choices.iter().partition(|choice| matches!(choice, Choice::Acknowledge(_)));
    let button =
        |choice: &Choice| json!({ "text": choice.word(lang), "callback_data": data(*choice) });
    let rows = [deciding, taking].into_iter().filter(|row| !row.is_empty());
    let rows: Vec<Vec<_>> = rows.map(|row| row.iter().map(button).collect()).collect();
    json!({ "inline_keyboard": rows })
}

/// What a button sends back when it is pressed.
pub(super) fn data(choice: Choice) -> String {
    match choice {
        Choice::Acknowledge(incident) => format!("ack:{incident}"),
        Choice::Approve(run) => format!("yes:{run}"),
        Choice::Refuse(run) => format!("no:{run}"),
    }
}

/// The choice that a button stands for.
pub(in crate::notify) fn choice(data: &str) -> Option<Choice> {
    let (word, number) = data.split_once(':')?;
    let number = number.parse().ok()?;
    match word {
        "ack" => Some(Choice::Acknowledge(number)),
        "yes" => Some(Choice::Approve(number)),
        "no" => Some(Choice::Refuse(number)),
        _ => None,
    }
}
