//! Does: makes text from outside harmless for a chat, and makes it fit, counted the way the other side
//! counts it. A name, a log line or a server's title can hold anything.
//!
//! Lengths are counted in UTF-16 units. Telegram counts so; Discord does not say how it counts, and
//! no other way gives more than UTF-16 for the same text (a character is one unit or two), so what
//! fits in units fits in any case.

use crate::text::printable;

/// Breaks up a word for programs and cannot be seen by people. `printable` takes it out of what comes
/// from outside, so that every one in a message is from here.
pub(super) const BREAK: char = '\u{200B}';
/// What stands for nothing: both sides refuse empty parts.
pub(super) const NOTHING: &str = "–";

/// The length of `text` in UTF-16 units.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text` in one line without anything that cannot be printed; never empty.
pub(super) fn line(text: &str) -> String {
    let spaced = text.replace(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}'], " ");
    let text = printable(&spaced);
    let text = text.trim();
    if text.is_empty() { NOTHING.to_owned() } else { text.to_owned() }
}

/// One character of a text as the other side gets it, and what it counts there.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) weight: usize,
}

impl Piece {
    /// A character that is written as it is.
    pub(super) fn plain(c: char) -> Self {
        Self { text: c.to_string(), weight: c.len_utf16() }
    }

    /// Text that counts as it is written.
    pub(super) fn counted(text: String) -> Self {
        let weight = units(&text);
        Self { text, weight }
    }
}

/// `text`, each character by `piece`, in at most `most` units, with an ellipsis where it was cut. An
/// escape is never cut in two: a half of one would escape what comes after.
pub(super) fn fit(text: &str, most: usize, piece: impl Fn(char) -> Piece) -> String {
    let pieces: Vec<_> = text.chars().map(piece).collect();
    if pieces.iter().map(|piece| piece.weight).sum::<usize>() <= most {
        return pieces.into_iter().map(|piece| piece.text).collect();
    }
    let mut left = most.saturating_sub(1);
    let mut kept = String::new();
    for piece in pieces {
        let Some(room) = left.checked_sub(piece.weight) else { break };
        left = room;
        kept.push_str(&piece.text);
    }
    if most == 0 { kept } else { format!("{kept}…") }
}

/// `text` with a break behind every character that `when` finds, given what stands before and behind.
pub(super) fn broken(text: &str, when: impl Fn(&str, char, &str) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        out.push(c);
        if when(&text[..at], c, &text[at + c.len_utf8()..]) {
            out.push(BREAK);
        }
    }
    out
}

/// The newest of `lines` that fit into `most` units with a line end each, and how many were left out.
pub(super) fn newest(lines: &[String], most: usize) -> (usize, &[String]) {
    let mut left = most;
    let mut from = lines.len();
    for line in lines.iter().rev() {
        let Some(room) = left.checked_sub(units(line) + 1) else { break };
        (left, from) = (room, from - 1);
    }
    (from, &lines[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_its_pieces() {
        let escaped = |c: char| match c {
            '*' => Piece::counted(String::from("\\*")),
            c => Piece::plain(c),
        };
        assert_eq!(fit("a*b", 4, escaped), "a\\*b");
        assert_eq!(fit("a*b", 3, escaped), "a…");
        assert_eq!(fit("😀😀", 3, Piece::plain), "😀…");
        assert_eq!(fit("ab", 0, Piece::plain), "");
    }

    #[test]
    fn the_newest_lines_are_kept() {
        let lines: Vec<_> = ["one", "two", "six"].map(str::to_owned).into();
        assert_eq!(newest(&lines, 8), (1, &lines[1..]));
        assert_eq!(newest(&lines, 100), (0, &lines[..]));
        assert_eq!(newest(&lines, 1), (3, &lines[3..]));
    }

    #[test]
    fn a_line_is_one_line_and_never_empty() {
        assert_eq!(line(" a\r\nb\u{202e}\u{200b} "), "a  b");
        assert_eq!(line("\u{200d}\n"), NOTHING);
    }
}
