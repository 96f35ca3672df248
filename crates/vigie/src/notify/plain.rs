//! Does: a message as plain text, for programs and mailboxes, and times for a reader where the channel
//! cannot show them in the reader's own zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cut::{line, newest};
use super::{Message, Value};
use crate::report::Lang;
use crate::text::cut;

/// Nobody else limits these texts; a log line can be endless.
const LINE: usize = 1_000;
pub(super) const FACTS: usize = 25;
/// All steps together.
const STEPS: usize = 8_000;

/// Who reads a channel.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Their language.
    pub lang: Lang,
    /// Their time zone.
    pub zone: TimeZone,
}

impl Reader {
    /// Somebody in the host's time zone.
    #[must_use]
    pub fn here(lang: Lang) -> Self {
        Self { lang, zone: TimeZone::system() }
    }

    /// What stands between a name and its value.
    pub(super) const fn colon(&self) -> &'static str {
        match self.lang {
            Lang::En => ":",
            Lang::Fr => "\u{a0}:",
        }
    }

    /// A time as this reader writes it, from milliseconds since 1970.
    pub(super) fn time(&self, wall_ms: i64) -> String {
        let at = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// What says that older steps were left out.
    pub(super) fn earlier(&self, count: usize) -> String {
        match self.lang {
            Lang::En => format!("… {count} earlier"),
            Lang::Fr => format!("… {count} avant"),
        }
    }

    /// A fact's value without any markup.
    pub(super) fn value(&self, value: &Value) -> String {
        match value {
            Value::Text(text) | Value::Command(text) => short(text),
            Value::Time(wall) => self.time(*wall),
        }
    }
}

/// `text` in one line that is not endless.
pub(super) fn short(text: &str) -> String {
    cut(&line(text), LINE)
}

/// The newest steps that fit, below what says how many were left out.
pub(super) fn steps(message: &Message, reader: &Reader) -> Vec<String> {
    let lines: Vec<_> = message.steps.iter().map(|step| short(step)).collect();
    let (left_out, newest) = newest(&lines, STEPS);
    let earlier = (left_out > 0).then(|| reader.earlier(left_out));
    earlier.into_iter().chain(newest.iter().cloned()).collect()
}

/// The whole message, without what rings.
pub(super) fn text(message: &Message, reader: &Reader) -> String {
    let mut lines =
        vec![format!("{} {}", message.sign, short(&message.head)), short(&message.title)];
    if !message.facts.is_empty() {
        lines.push(String::new());
    }
    for fact in message.facts.iter().take(FACTS) {
        let (name, colon) = (short(&fact.name), reader.colon());
        lines.push(format!("{name}{colon} {}", reader.value(&fact.value)));
    }
    if !message.steps.is_empty() {
        lines.push(String::new());
    }
    lines.extend(steps(message, reader));
    lines.extend([String::new(), short(&message.footer)]);
    lines.join("\n")
}
