//! Does: reads what the other side's answer means for the notice and for the channel.

use vigie_core::notify::Outcome;

use super::cut::line;
use super::http::Answer;
use crate::text::cut;

/// The most that is shown of the other side's words.
const WORDS: usize = 200;

/// What came of one request on a chat.
#[derive(Debug)]
pub(super) enum Reply {
    /// It was taken; what the other side calls the message.
    Done(Option<String>),
    /// The message that was to be changed is gone, or cannot be changed any more.
    Gone,
    /// It was not taken.
    Not(Outcome),
}

/// Takes a channel's secrets out of what others say: an error page can repeat the address that was
/// asked for.
#[derive(Clone)]
pub(super) struct Scrub(Vec<String>);

impl std::fmt::Debug for Scrub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scrub(…)")
    }
}

impl Scrub {
    /// Short secrets are left in: taking `a` out would hide nothing and spoil every word.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.len() >= 4);
        let mut secrets: Vec<_> = long.map(str::to_owned).collect();
        // The whole before its parts.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// `text` in one printable line, without secrets, cut.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = line(text);
        for secret in &self.0 {
            text = text.replace(secret, "[hidden]");
        }
        cut(&text, WORDS)
    }
}

/// What an answer other than yes means. `wait` is the body's wish to be left alone, in seconds.
pub(super) fn refused(answer: &Answer, wait: Option<f64>, words: &str) -> Outcome {
    let why = format!("{} {words}", answer.status).trim_end().to_owned();
    match answer.status {
        429 => Outcome::Later { after: answer.wait(wait), why },
        // A temporary redirect is mostly somebody's login page in between.
        302 | 303 | 307 | 408 | 425 | 500..=599 => Outcome::Later { after: answer.wait(None), why },
        300 | 301 | 308 => {
            Outcome::Stopped { why: format!("{why} (it has moved: put the new address in)") }
        }
        401 | 403 | 404 | 410 => Outcome::Stopped { why },
        _ => Outcome::Rejected { why },
    }
}

/// No answer at all.
pub(super) const fn unanswered(why: String) -> Outcome {
    Outcome::Later { after: None, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_repeat_holds_no_secret() {
        let scrub = Scrub::new(["https://host/a/tok_en", "tok_en", "a"]);
        let words = scrub.clean("no route for https://host/a/tok_en\u{1b}[2J\nbut tok_en, a cat");
        assert_eq!(words, "no route for [hidden][2J but [hidden], a cat");
        assert_eq!(scrub.clean(&"é".repeat(1000)).chars().count(), WORDS);
        assert_eq!(format!("{scrub:?}"), "Scrub(…)");
    }
}
