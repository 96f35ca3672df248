//! Does: makes text from outside fit for a person's terminal: logs, names and commit messages can
//! hold escapes that rewrite what was printed before.

/// `text` without control characters, escapes and direction overrides; tabs become spaces.
#[must_use]
pub fn printable(text: &str) -> String {
    let keep = |c: char| match c {
        '\t' => Some(' '),
        c if c.is_control() => None,
        '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => None,
        c => Some(c),
    };
    text.chars().filter_map(keep).collect()
}

/// The lines of `text`, each printable and without blanks at its end, and no empty ones around them.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let lines = text.lines().map(|line| printable(line).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// `text` in at most `most` characters, with an ellipsis where it was cut.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Bytes in a unit that people read.
#[must_use]
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let mib = bytes as f64 / (1024.0 * 1024.0);
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ if mib >= 1024.0 => format!("{:.1} GiB", mib / 1024.0),
        _ => format!("{mib:.0} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_overrides_are_gone() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\td\r\n"), "a[2Jbc d");
        assert_eq!(printable_lines("\r\n a\u{1b}[H \r\n\n\u{9b}b\n\t\n"), " a[H\n\nb");
        assert_eq!(cut("abcdef", 4), "abc…");
        let sizes = [0, 1_023, 1_025, 3 << 20, 3 << 29].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "2 KiB", "3 MiB", "1.5 GiB"]);
    }
}
