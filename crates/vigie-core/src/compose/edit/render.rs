//! Decides how a value is written: in the quotes that were there, in one line within braces, or as a
//! block with the file's own indentation.

use crate::compose::Value;
use crate::compose::node::Style;
use crate::compose::value::is_word;

/// A list of texts that is shorter is written in one line.
const SHORT: usize = 160;

/// Where a block goes: the column of its keys, one step to the right, and how lines end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) indent: usize,
    pub(super) step: usize,
    pub(super) line_break: &'static str,
}

impl Layout {
    fn deeper(self) -> Self {
        Self { indent: self.indent + self.step, ..self }
    }
}

/// A scalar in the given style, or in one that can hold it. `flow` is whether it stands in braces.
pub(super) fn scalar(text: &str, style: Style, flow: bool) -> String {
    match style {
        Style::Single if text.chars().all(is_shown) => format!("'{}'", text.replace('\'', "''")),
        Style::Plain | Style::Empty | Style::Block if can_be_plain(text, flow) => text.to_owned(),
        _ => double(text),
    }
}

fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{85}')
}

fn can_be_plain(text: &str, flow: bool) -> bool {
    let fine = |c: char| {
        c.is_alphanumeric() || "_./:@+=$%~^*!?-,;()<>& ".contains(c) || (!flow && "{}".contains(c))
    };
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || "_./$".contains(c));
    let odd = text.ends_with([' ', ':']) || text.contains(": ");
    let closes = flow && text.contains([',', '{', '}']);
    begins && !odd && !closes && !is_word(text) && text.chars().all(|c| fine(c) && is_shown(c))
}

fn double(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_shown(c) => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A value in one line.
pub(super) fn inline(value: &Value, flow: bool) -> String {
    match value {
        Value::Text(text) => scalar(text, Style::Plain, flow),
        Value::Word(word) if word.is_empty() => String::from("null"),
        Value::Word(word) => word.clone(),
        Value::Tagged(tag, value) => format!("{tag} {}", inline(value, flow)),
        Value::List(items) => {
            // Words of a command are quoted, as everybody writes them.
            let item = |item: &Value| match item {
                Value::Text(text) => double(text),
                item => inline(item, true),
            };
            format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => {
            let one = |(key, value): &(Value, Value)| {
                format!("{}: {}", inline(key, true), inline(value, true))
            };
            format!("{{{}}}", entries.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// What follows a key's colon in a block: ` value`, or lines below it. `layout` is that of the key.
pub(super) fn behind_key(value: &Value, layout: Layout) -> String {
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            let below = layout.deeper();
            entries.iter().map(|(key, value)| line(&inline(key, false), value, below)).collect()
        }
        Value::List(items) if !is_short(items) => {
            let below = layout.deeper();
            items.iter().map(|item| item_line(item, below)).collect()
        }
        value => format!(" {}", inline(value, false)),
    }
}

fn is_short(items: &[Value]) -> bool {
    let length = |item: &Value| match item {
        Value::Text(text) | Value::Word(text) => Some(text.len() + 4),
        _ => None,
    };
    items.iter().map(length).sum::<Option<usize>>().is_some_and(|length| length <= SHORT)
}

/// A line break, and `key: value` in the block's column.
pub(super) fn line(key: &str, value: &Value, layout: Layout) -> String {
    let spaces = " ".repeat(layout.indent);
    format!("{}{spaces}{key}:{}", layout.line_break, behind_key(value, layout))
}

fn item_line(item: &Value, layout: Layout) -> String {
    let spaces = " ".repeat(layout.indent);
    format!("{}{spaces}- {}", layout.line_break, inline(item, false))
}
