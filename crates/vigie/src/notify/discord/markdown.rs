//! Does: writes text from outside so that Discord shows it as it is.
//!
//! * Marks (`*`, `_`, `~`, `` ` ``, `|`, `[`, `]`, `\`) get a backslash.
//! * Behind every `@` and `<` comes a zero-width space, as Discord's own libraries do it: no mention,
//!   emoji, time or command is read there, also by the parts of a client that ignore backslashes, such
//!   as notifications. `allowed_mentions` keeps it from ringing in any case.
//! * Addresses are broken behind their scheme, and Discord's own hosts behind their first word, because
//!   clients show an invitation wherever they see one.
//! * What only means something at the start of a line (`#`, `>`, `-`, `+`, `1.`) gets a backslash there.

use super::super::cut::{Piece, broken, fit, line};

/// Hosts whose addresses clients turn into cards, without any scheme.
const OWN: [&str; 3] = ["discord", "discordapp", "dis"];

/// `text` in at most `most` units, as it is.
pub(super) fn escaped(text: &str, most: usize) -> String {
    let text = broken(&line(text), breaks);
    // One unit is kept for the backslash at the start.
    let text = fit(&text, most.saturating_sub(1), |c| match c {
        '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' => Piece::counted(format!("\\{c}")),
        c => Piece::plain(c),
    });
    lead(text)
}

/// `text` as something to type. Nothing can be escaped in a code span, and nothing in it is read.
pub(super) fn code(text: &str, most: usize) -> String {
    let text = broken(&line(text), |_, c, _| matches!(c, '@' | '<')).replace('`', "'");
    format!("`{}`", fit(&text, most.saturating_sub(2), Piece::plain))
}

/// For the footer, where Discord reads no marks.
pub(super) fn unmarked(text: &str, most: usize) -> String {
    fit(&broken(&line(text), breaks), most, Piece::plain)
}

fn breaks(before: &str, c: char, after: &str) -> bool {
    let own = || {
        let ends = |host: &&str| {
            let at = before.len().checked_sub(host.len());
            at.and_then(|at| before.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(host))
        };
        OWN.iter().any(ends)
    };
    match c {
        '@' | '<' => true,
        ':' => after.starts_with("//"),
        '.' => own(),
        _ => false,
    }
}

fn lead(text: String) -> String {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.chars().next() {
        Some('#' | '>' | '-' | '+') if digits.len() == text.len() => format!("\\{text}"),
        Some('.') if digits.len() < text.len() => {
            let (number, rest) = text.split_at(text.len() - digits.len());
            format!("{number}\\{rest}")
        }
        _ => text,
    }
}
