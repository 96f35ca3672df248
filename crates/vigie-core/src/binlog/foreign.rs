//! Decides whether a log can be filtered by database without losing something. Row events name their
//! table; a statement only names the database that it was said in, and filters go by that.

use super::{Event, Kind};

/// A statement that a filter would drop and that may be about a database that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The database that it was said in; may be empty.
    pub said_in: String,
    /// The database that it names.
    pub names: String,
}

/// Whether a filter that keeps `wanted` would wrongly drop this statement. One that is compressed
/// cannot be read and is taken for one that does.
#[must_use]
pub fn foreign(event: &Event<'_>, checksummed: bool, wanted: &[String]) -> Option<Foreign> {
    let compressed = |said_in| {
        let names = String::from("something that is compressed");
        Some(Foreign { said_in, names })
    };
    if event.kind == Kind::Payload && !wanted.is_empty() {
        return compressed(String::new());
    }
    let (schema, text) = event.statement(checksummed)?;
    let said_in = String::from_utf8_lossy(schema).into_owned();
    if wanted.contains(&said_in) {
        return None;
    }
    if event.kind == Kind::CompressedQuery {
        return compressed(said_in);
    }
    let text = String::from_utf8_lossy(text).to_lowercase();
    let named = |name: &&String| mentions(&text, &name.to_lowercase());
    let names = wanted.iter().find(named)?.clone();
    Some(Foreign { said_in, names })
}

/// Whether `text` has `name` as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}
