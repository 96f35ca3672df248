//! Decides what a document says, whatever way it is written: aliases and merge keys put in. Two
//! documents that say the same are equal; an edit is proved by it.

use super::Refusal;
use super::document::Document;
use super::node::{Kind, NodeId, Style};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// What a reader takes for a number, a truth value or nothing: `3`, `true`, the empty word.
    Word(String),
    /// A scalar, list or mapping with a tag of its own.
    Tagged(String, Box<Value>),
    /// A list.
    List(Vec<Value>),
    /// A mapping, in the order in which it is written.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    #[must_use]
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// A mapping.
    #[must_use]
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (Self::text(key), value)).collect())
    }

    /// Whether both say the same; the order of a mapping's keys says nothing.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.says(two))
            }
            (Self::Map(one), Self::Map(two)) => {
                let (mut one, mut two): (Vec<_>, Vec<_>) =
                    (one.iter().collect(), two.iter().collect());
                one.sort_by_key(|(key, _)| format!("{key:?}"));
                two.sort_by_key(|(key, _)| format!("{key:?}"));
                one.len() == two.len()
                    && one.iter().zip(&two).all(|(one, two)| one.0 == two.0 && one.1.says(&two.1))
            }
            (Self::Tagged(one, inner), Self::Tagged(two, other)) => one == two && inner.says(other),
            (one, two) => one == two,
        }
    }

    /// The value under `key`, or the item of a list whose number it is.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match self {
            Self::Map(entries) => {
                let found = entries.iter_mut().find(|(name, _)| name.is_key(key));
                found.map(|(_, value)| value)
            }
            Self::List(items) => items.get_mut(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(name, _)| name.is_key(key)).map(|(_, value)| value)
            }
            Self::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    fn is_key(&self, key: &str) -> bool {
        matches!(self, Self::Text(text) | Self::Word(text) if text == key)
    }

    /// Whether nothing is written.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Word(word) if word.is_empty())
    }

    /// Sets what is at `path`, making mappings on the way; false where something else is in the way.
    pub(super) fn set(&mut self, path: &[&str], value: Self) -> bool {
        let Some((key, rest)) = path.split_first() else {
            *self = value;
            return true;
        };
        if self.is_nothing() {
            *self = Self::Map(Vec::new());
        }
        if let Some(inner) = self.get_mut(key) {
            return inner.set(rest, value);
        }
        let Self::Map(entries) = self else { return false };
        entries.push((Self::text(*key), wrapped(rest, value)));
        true
    }
}

/// `value` within a mapping for each key of `path`.
pub(super) fn wrapped(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |value, key| Value::map([(*key, value)]))
}

/// Values at most, aliases put in; a file that becomes more was written to exhaust a reader.
const MOST: usize = 200_000;
const DEEPEST: usize = 64;

/// What a document says.
pub(super) fn said(document: &Document) -> Result<Value, Refusal> {
    let Some(root) = document.root else { return Ok(Value::Word(String::new())) };
    let mut left = MOST;
    resolve(document, root, 0, &mut left)
        .ok_or_else(|| Refusal::new(document.nodes[root].place, super::Why::TooDeep))
}

fn resolve(document: &Document, id: NodeId, depth: usize, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    if depth > DEEPEST {
        return None;
    }
    let id = document.target(id);
    let node = &document.nodes[id];
    let value = match &node.kind {
        Kind::Scalar { text, style } => scalar(text, *style),
        Kind::Sequence { items, .. } => Value::List(
            items
                .iter()
                .map(|item| resolve(document, *item, depth + 1, left))
                .collect::<Option<_>>()?,
        ),
        Kind::Mapping { .. } => {
            let pairs = document.pairs(id, 0);
            let one = |(key, value): (NodeId, NodeId)| {
                let key = resolve(document, key, depth + 1, left)?;
                Some((key, resolve(document, value, depth + 1, left)?))
            };
            Value::Map(pairs.into_iter().map(one).collect::<Option<_>>()?)
        }
        Kind::Alias(_) => return None,
    };
    Some(match &node.tag {
        Some(tag) => Value::Tagged(tag.clone(), Box::new(value)),
        None => value,
    })
}

fn scalar(text: &str, style: Style) -> Value {
    let plain = matches!(style, Style::Plain | Style::Empty);
    if plain && is_word(text) { Value::Word(text.to_owned()) } else { Value::Text(text.to_owned()) }
}

/// Whether a reader of YAML, of either version, may take a plain scalar for something other than a
/// text. Rather one too many: such a text is quoted.
pub(super) fn is_word(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) || matches!(text, "<<" | "=") {
        return true;
    }
    let number = |c: char| c.is_ascii_hexdigit() || "+-._:xoXO tTzZ".contains(c);
    let begins = lower.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    begins
        && (lower.chars().all(number)
            || matches!(lower.trim_start_matches(['+', '-']), ".inf" | ".nan"))
}
