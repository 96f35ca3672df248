//! Decides which characters may be shown: no controls, escapes or direction overrides.

/// `text` made printable and bounded.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 400;
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    text.chars().filter(|c| !hidden(*c)).take(MOST).collect()
}
