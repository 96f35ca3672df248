//! Does: writes text from outside for Telegram's HTML so that it is shown as it is.
//!
//! * `&`, `<`, `>` and `"` are escaped.
//! * Telegram turns names, commands and addresses into links by itself, whatever the markup says. A
//!   zero-width space breaks them: behind `@`, behind a `/` that begins a word, behind a scheme's `:`,
//!   and behind a dot between letters.
//!
//! Lengths count as Telegram counts them: after the markup was read, in UTF-16 units; an escape counts
//! as the one character that it shows.

use super::super::cut::{Piece, broken, fit, line};

/// `text` in at most `most` units, as it is.
pub(super) fn escaped(text: &str, most: usize) -> String {
    fit(&broken(&line(text), breaks), most, piece)
}

/// `text` as something to type; Telegram makes no links there.
pub(super) fn code(text: &str, most: usize) -> String {
    format!("<code>{}</code>", fit(&line(text), most, piece))
}

/// How long a text made by this module is for Telegram.
pub(super) fn counted(html: &str) -> usize {
    let mut count = 0;
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '<' => rest.find('>'),
            '&' => rest.find(';'),
            _ => None,
        };
        count += if c == '<' { 0 } else { c.len_utf16() };
        rest = &rest[end.map_or(c.len_utf8(), |end| end + 1)..];
    }
    count
}

fn piece(c: char) -> Piece {
    let escape = |text: &str| Piece { text: text.to_owned(), weight: 1 };
    match c {
        '&' => escape("&amp;"),
        '<' => escape("&lt;"),
        '>' => escape("&gt;"),
        '"' => escape("&quot;"),
        c => Piece::plain(c),
    }
}

fn breaks(before: &str, c: char, after: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (last, next) = (before.chars().next_back(), after.chars().next());
    match c {
        '@' => true,
        ':' => after.starts_with("//"),
        '/' => !word(last) && word(next),
        '.' => word(last) && next.is_some_and(char::is_alphabetic),
        _ => false,
    }
}
