//! Decides how a place in a text is said: line and column, as an editor shows them.

use std::fmt;

use serde::Serialize;

/// A place in a text; both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Where byte `at` of `text` is. Lines end with a line feed, a carriage return, or both.
    #[must_use]
    pub fn of_byte(text: &str, at: usize) -> Self {
        let mut place = Self::START;
        let before = text.get(..at).unwrap_or(text);
        let mut chars = before.chars().peekable();
        while let Some(c) = chars.next() {
            let ends = c == '\n' || (c == '\r' && chars.peek() != Some(&'\n'));
            if ends {
                place = Self { line: place.line + 1, column: 1 };
            } else if c != '\u{feff}' {
                place.column += 1;
            }
        }
        place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The end of the line on which byte `at` is, its line end not included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// The beginning of the line on which byte `at` is.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

/// How lines end here: as the line with byte `at` does, else as the first one does.
pub(super) fn line_break(text: &str, at: usize) -> &'static str {
    let kind = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        match rest.find(['\n', '\r']).map(|end| &rest[end..]) {
            Some(end) if end.starts_with("\r\n") => Some("\r\n"),
            Some(end) if end.starts_with('\r') => Some("\r"),
            Some(_) => Some("\n"),
            None => None,
        }
    };
    kind(at).or_else(|| kind(0)).unwrap_or("\n")
}
