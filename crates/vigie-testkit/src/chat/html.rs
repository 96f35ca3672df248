//! Telegram's HTML: reads it as Telegram does, or says why it does not parse.
//! <https://core.telegram.org/bots/api#html-style>

/// What a message says once its markup is read.
pub struct Parsed {
    /// Its text.
    pub text: String,
    /// How many marks there are.
    pub marks: usize,
}

const TAGS: [&str; 8] = ["b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler"];

/// Reads a message's markup.
///
/// # Errors
/// Why it does not parse.
pub fn parse(html: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed { text: String::new(), marks: 0 };
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        match c {
            '<' => {
                let end = rest.find('>').ok_or("unclosed start tag")?;
                let tag = &rest[1..end];
                match tag.strip_prefix('/') {
                    Some(tag) if open.pop() == Some(tag) => parsed.marks += 1,
                    Some(tag) => return Err(format!("unexpected end tag \"{tag}\"")),
                    None if TAGS.contains(&tag) => open.push(tag),
                    None => return Err(format!("unsupported start tag \"{tag}\"")),
                }
                rest = &rest[end + 1..];
            }
            '&' => {
                let end = rest.find(';').ok_or("an ampersand that is not escaped")?;
                let shown = match &rest[..=end] {
                    "&amp;" => '&',
                    "&lt;" => '<',
                    "&gt;" => '>',
                    "&quot;" => '"',
                    other => return Err(format!("unknown entity {other:?}")),
                };
                parsed.text.push(shown);
                rest = &rest[end + 1..];
            }
            c => {
                parsed.text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    match open.pop() {
        Some(tag) => Err(format!("can't find end tag corresponding to start tag \"{tag}\"")),
        None => Ok(parsed),
    }
}
