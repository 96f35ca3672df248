//! Decides the shape of a compose file that is made anew: a tree that is read from what Compose prints,
//! changed, and written as JSON, which is YAML too. Never keeps comments, places or merge keys.

use std::fmt::Write as _;

use crate::compose::{Style, View};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    /// `null`, `true`, `3`: without quotes.
    Word(String),
    /// A text.
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// What `view` holds; aliases and merge keys are followed.
    pub(super) fn read(view: View<'_>) -> Self {
        if view.is_mapping() {
            let entries = view.entries().into_iter();
            return Self::Map(
                entries.map(|(key, _, value)| (key.to_owned(), Self::read(value))).collect(),
            );
        }
        if view.is_list() {
            return Self::List(view.items().into_iter().map(Self::read).collect());
        }
        let text = view.text().unwrap_or_default();
        match view.style() {
            Some(Style::Empty) | None => Self::null(),
            Some(Style::Plain) if is_word(text) => Self::Word(text.to_owned()),
            Some(_) => Self::Text(text.to_owned()),
        }
    }

    pub(super) fn null() -> Self {
        Self::Word(String::from("null"))
    }

    pub(super) fn word(word: impl ToString) -> Self {
        Self::Word(word.to_string())
    }

    pub(super) fn of(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A scalar as it is written; Compose writes a dollar sign twice.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Word(word) if word != "null" => Some(word),
            _ => None,
        }
    }

    /// Whether it says yes, or has anything in it.
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Word(word) => !matches!(word.as_str(), "null" | "false" | "~"),
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(entries) => !entries.is_empty(),
        }
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn entries_mut(&mut self) -> &mut [(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &mut [],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn items_mut(&mut self) -> &mut [Self] {
        match self {
            Self::List(items) => items,
            _ => &mut [],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.entries_mut().iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets `key` of a mapping; anything else stays as it is.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        if let Some(known) = self.get_mut(key) {
            *known = value;
        } else if let Self::Map(entries) = self {
            entries.push((key.to_owned(), value));
        }
    }

    /// Takes `key` out of a mapping.
    pub(super) fn take(&mut self, key: &str) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        let at = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(at).1)
    }

    /// As JSON.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Word(word) => out.push_str(word),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Whether it means the same without quotes in JSON: anything else that is written plainly is a text.
fn is_word(text: &str) -> bool {
    if matches!(text, "null" | "true" | "false") {
        return true;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A leading zero means another base to some.
    all(whole) && all(part) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Document;

    fn read(text: &str) -> Tree {
        Tree::read(Document::parse(text).unwrap().root().unwrap())
    }

    #[test]
    fn what_is_read_is_written_with_the_same_meaning() {
        let text = "a: 1\nb: \"1\"\nc: 0.5\nd: 007\ne: {f: [x, null, true]}\ng:\nh: \"q\\\"\\\\ \\n$$X é\"\n";
        let json = read(text).written();
        let wanted = "{\"a\":1,\"b\":\"1\",\"c\":0.5,\"d\":\"007\",\"e\":{\"f\":[\"x\",null,true]},\
                      \"g\":null,\"h\":\"q\\\"\\\\ \\n$$X é\"}";
        assert_eq!(json, wanted);
        assert_eq!(read(&json), read(text), "and read again");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["h"], "q\"\\ \n$$X é");
    }

    #[test]
    fn keys_are_set_and_taken() {
        let mut tree = read("a: 1\nb: {c: []}\n");
        tree.set("a", Tree::of("x"));
        tree.set("d", Tree::word(2));
        assert_eq!(tree.take("b"), Some(read("c: []\n")));
        assert_eq!(tree.take("b"), None);
        assert_eq!(tree.written(), "{\"a\":\"x\",\"d\":2}");
        assert!(!read("[]").is_set() && !read("false").is_set() && read("true").is_set());
    }
}
