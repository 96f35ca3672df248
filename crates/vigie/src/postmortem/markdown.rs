//! Does: writes text from outside so that a Markdown reader shows it as it is: no markup, no HTML, no
//! link, no table cell, no mention comes out of a log line or a player's name.

use crate::text::printable;

/// Put where a reader would otherwise see something in plain letters.
const BREAK: char = '\u{200B}';

/// `text` in one line, as it is.
pub(super) fn escaped(text: &str) -> String {
    let line = printable(&text.replace(['\n', '\r'], " "));
    let mut out = String::with_capacity(line.len() + 8);
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let after = &line[at + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => out.extend(['\\', c]),
            // Between letters it is a name's, and means nothing.
            '_' if !(before.is_alphanumeric() && after.starts_with(char::is_alphanumeric)) => {
                out.extend(['\\', c]);
            }
            '&' if after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#') => {
                out.extend(['\\', c]);
            }
            // Readers make links and mentions of these by themselves.
            '@' => out.extend([c, BREAK]),
            ':' if after.starts_with("//") => out.extend([c, BREAK]),
            '.' if www(&out) => out.extend([c, BREAK]),
            c => out.push(c),
        }
        before = c;
    }
    lead(out)
}

fn www(before: &str) -> bool {
    let end = before.len().checked_sub(3).and_then(|at| before.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// What only means something at the beginning of a line.
fn lead(text: String) -> String {
    let text = text.trim().to_owned();
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - behind.len();
    let mut rest = behind.chars();
    let (first, second) = (rest.next(), rest.next());
    let alone = second.is_none_or(char::is_whitespace);
    match first {
        Some('#' | '>' | '=') if digits == 0 => format!("\\{text}"),
        Some('-' | '+') if digits == 0 && (alone || second == first) => format!("\\{text}"),
        Some('.' | ')') if digits > 0 && alone => format!("{}\\{behind}", &text[..digits]),
        _ => text,
    }
}

/// `lines` as a block of code, whatever is in them.
pub(super) fn codeblock<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines.into_iter().map(printable).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    /// What readers of Markdown read, GitHub's and GitLab's included.
    fn options() -> Options {
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_GFM
            | Options::ENABLE_MATH
    }

    /// What a reader shows of a line, where it shows nothing but text.
    fn shown(markdown: &str) -> Result<String, String> {
        let mut text = String::new();
        for event in Parser::new_ext(markdown, options()) {
            match event {
                Event::Text(part) => text.push_str(&part),
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
                other => return Err(format!("{other:?} of {markdown:?}")),
            }
        }
        Ok(text)
    }

    /// Text that is made of what means something.
    fn hostile() -> impl Strategy<Value = String> {
        let parts = [
            "*",
            "_",
            "`",
            "~~",
            "[",
            "](",
            "<",
            ">",
            "|",
            "&amp;",
            "&#x41;",
            "\\",
            "#",
            "- ",
            "1. ",
            "@everyone",
            "http://",
            "www.",
            "a",
            " ",
            "![",
            "\n",
            "\u{1b}[2J",
            "\u{202e}",
            "é",
            "=",
            "$",
            "^",
            "{",
            "}",
            ":",
            "==",
            "+",
            "<!--",
            "-->",
            "\r\n",
            "***",
            "---",
            "~~~",
            "```",
        ];
        proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..24)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        /// A peer reads every text as nothing but itself.
        #[test]
        fn a_reader_shows_it_as_it_is(text in hostile()) {
            let told = shown(&format!("x {}", escaped(&text))).map_err(TestCaseError::fail)?;
            let plain = |text: &str| text.replace(BREAK, "").split_whitespace().collect::<Vec<_>>().join(" ");
            let wanted = printable(&text.replace(['\n', '\r'], " "));
            prop_assert_eq!(plain(&told), plain(&format!("x {wanted}")));
        }

        #[test]
        fn at_the_beginning_of_a_line_too(text in hostile()) {
            shown(&escaped(&text)).map_err(TestCaseError::fail)?;
        }

        /// Nothing leaves a block of code.
        #[test]
        fn a_block_of_code_holds_it(lines in proptest::collection::vec(hostile(), 0..6)) {
            let block = codeblock(lines.iter().map(String::as_str));
            let events: Vec<_> = Parser::new_ext(&block, options()).collect();
            prop_assert!(matches!(events.first(), Some(Event::Start(Tag::CodeBlock(_)))));
            prop_assert!(matches!(events.last(), Some(Event::End(TagEnd::CodeBlock))));
            prop_assert!(events[1..events.len() - 1].iter().all(|event| matches!(event, Event::Text(_))));
        }
    }

    #[test]
    fn names_stay_readable() {
        assert_eq!(escaped("gmod_server v1.2-x (2/32)"), "gmod_server v1.2-x (2/32)");
        assert_eq!(escaped("1. x | y"), "1\\. x \\| y");
        assert_eq!(escaped("@everyone"), "@\u{200B}everyone");
    }
}
