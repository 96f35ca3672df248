//! Whatever a text holds, Discord takes it and shows it as it is.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;
use vigie_testkit::chat::discord::check;

use super::super::cut::{BREAK, line, units};
use super::super::{Reader, hostile};
use super::card;
use super::markdown::{code, escaped, unmarked};
use crate::report::Lang;

/// What a person sees: no escapes, no breaks.
fn seen(text: &str) -> String {
    let mut seen = String::new();
    let mut chars = text.chars().filter(|c| *c != BREAK);
    while let Some(c) = chars.next() {
        seen.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    seen
}

fn is_whole_or_cut(seen: &str, text: &str) -> bool {
    let text = line(text);
    seen == text || seen.strip_suffix('…').is_some_and(|start| text.starts_with(start))
}

/// Whether a mark stands without its backslash, or something is read that is not text.
fn does_something(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '*' | '_' | '~' | '`' | '|' | '[' | ']' => return true,
            '@' | '<' if chars.peek().is_some_and(|next| !matches!(*next, BREAK | '…')) => {
                return true;
            }
            _ => {}
        }
    }
    let lower = text.to_lowercase();
    let invites =
        lower.split("discord.").skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    text.starts_with(['#', '>', '-', '+']) || lower.contains("://") || invites
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_text_is_shown_as_it_is(text in hostile::text(), most in 2_usize..1200) {
        let written = escaped(&text, most);
        prop_assert!(units(&written) <= most);
        prop_assert!(!does_something(&written), "{written:?}");
        prop_assert!(is_whole_or_cut(&seen(&written), &text), "{written:?}");
        let typed = code(&text, most.max(3));
        let inner = typed.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        prop_assert!(inner.is_some_and(|inner| !inner.contains('`')), "{typed:?}");
        prop_assert!(units(&unmarked(&text, most)) <= most);
    }

    #[test]
    fn any_message_is_taken(message in hostile::message()) {
        let reader = Reader { lang: Lang::En, zone: TimeZone::UTC };
        let mut body = json!({
            "embeds": [card::embed(&message, &reader)],
            "content": card::content(message.news.as_deref().unwrap_or_default()),
        });
        body["allowed_mentions"] = json!({ "parse": [] });
        prop_assert_eq!(check(&body, false), Ok(()));
        let shown = body["embeds"][0]["description"].as_str().unwrap_or_default();
        if let Some(last) = message.steps.last() {
            let last = escaped(last, 300);
            prop_assert!(shown.ends_with(&last), "the newest step is missing: {shown:?}");
        }
    }

    #[test]
    fn a_digest_shows_every_line(titles in prop::collection::vec(hostile::text(), 9)) {
        let message = super::super::digest::tests::of(&titles, Lang::Fr);
        let reader = Reader { lang: Lang::Fr, zone: TimeZone::UTC };
        let embed = card::embed(&message, &reader);
        let lines = seen(embed["description"].as_str().unwrap());
        let body = json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } });
        prop_assert_eq!(check(&body, false), Ok(()));
        for id in 1..=10 {
            prop_assert!(lines.contains(&format!("#{id}")), "no {} in {}", id, lines);
        }
    }
}

#[test]
fn texts_are_escaped() {
    let shown = |text| escaped(text, 100).replace(BREAK, "·");
    assert_eq!(shown("@everyone <@1> <#2>"), "@·everyone <·@·1> <·#2>");
    assert_eq!(shown("gm_construct [x](https://e)"), "gm\\_construct \\[x\\](https:·//e)");
    assert_eq!(shown("join Discord.gg/x"), "join Discord·.gg/x".replace("·.", ".·"));
    assert_eq!(
        [shown("# a"), shown("-# a"), shown("12. a"), shown("3 exits")],
        ["\\# a", "\\-# a", "12\\. a", "3 exits"]
    );
    assert_eq!(code("a `b` @c", 100).replace(BREAK, "·"), "`a 'b' @·c`");
}
