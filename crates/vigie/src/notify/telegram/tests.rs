//! Whatever a text holds, Telegram takes it and shows it as it is.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;
use vigie_testkit::chat::telegram::{check, parse};

use super::super::cut::{BREAK, line};
use super::super::{Choice, Reader, hostile};
use super::html::{code, counted, escaped};
use super::words;
use crate::report::Lang;

fn reader() -> Reader {
    Reader { lang: Lang::En, zone: TimeZone::UTC }
}

/// What Telegram would make a link of by itself.
fn links(text: &str) -> bool {
    let chars: Vec<_> = text.chars().collect();
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    let two = |pair: &[char]| pair[0] == '@' && word(&pair[1]);
    let three = |three: &[char]| match three[1] {
        '/' => !word(&three[0]) && word(&three[2]),
        '.' => word(&three[0]) && three[2].is_alphabetic(),
        _ => false,
    };
    let starts = chars.first() == Some(&'/') && chars.get(1).is_some_and(word);
    starts || text.contains("://") || chars.windows(2).any(two) || chars.windows(3).any(three)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_text_is_shown_as_it_is(text in hostile::text(), most in 1_usize..1200) {
        let written = escaped(&text, most);
        let parsed = parse(&written).unwrap();
        prop_assert_eq!(parsed.marks, 0);
        let length = parsed.text.encode_utf16().count();
        prop_assert!(length <= most);
        prop_assert_eq!(length, counted(&written));
        prop_assert!(!links(&parsed.text), "{written:?}");
        let (seen, text) = (parsed.text.replace(BREAK, ""), line(&text));
        let cut = seen.strip_suffix('…').is_some_and(|start| text.starts_with(start));
        prop_assert!(seen == text || cut, "{seen:?}");
        prop_assert_eq!(parse(&code(&text, most)).unwrap().marks, 1);
    }

    #[test]
    fn any_message_is_taken(message in hostile::message()) {
        let body = json!({
            "chat_id": 1,
            "text": words::card(&message, message.news.as_deref(), &reader()),
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
            "reply_markup": words::keyboard(&[Choice::Approve(u64::MAX)], Lang::Fr),
        });
        prop_assert_eq!(check(&body, false), Ok(()));
    }

    #[test]
    fn a_button_stands_for_its_choice(number in any::<u64>()) {
        for choice in [Choice::Acknowledge(number), Choice::Approve(number), Choice::Refuse(number)] {
            prop_assert_eq!(words::choice(&words::data(choice)), Some(choice));
        }
    }

    #[test]
    fn a_digest_shows_every_line(titles in prop::collection::vec(hostile::text(), 9)) {
        let message = super::super::digest::tests::of(&titles, Lang::Fr);
        let text = words::card(&message, None, &reader());
        let shown = parse(&text).unwrap().text;
        let preview = json!({ "is_disabled": true });
        let body = json!({
            "chat_id": 1, "text": text, "parse_mode": "HTML", "link_preview_options": preview,
        });
        prop_assert_eq!(check(&body, false), Ok(()));
        for id in 1..=10 {
            prop_assert!(shown.contains(&format!("#{id}")), "no {} in {}", id, shown);
        }
    }
}

#[test]
fn texts_are_escaped() {
    let shown = |text| escaped(text, 100).replace(BREAK, "·");
    assert_eq!(shown("<b>&\"@admin /start"), "&lt;b&gt;&amp;&quot;@·admin /·start");
    assert_eq!(shown("see https://e.example 1.5 s a/b"), "see https:·//·e.·example 1.5 s a/b");
    assert_eq!(code("a<b @c", 100), "<code>a&lt;b @c</code>");
}

#[test]
fn foreign_buttons_are_nothing() {
    for data in ["", "ack", "ack:", "ack:-1", "yes:1:2", "no: 1", "ACK:1"] {
        assert_eq!(words::choice(data), None, "{data}");
    }
}
