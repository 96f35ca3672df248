//! Texts from outside that want more than to be read, for property tests.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Fact, Message, Value};

const FRAGMENTS: [&str; 44] = [
    "@everyone",
    "@here",
    "<@123>",
    "<@&1>",
    "<#1>",
    "<:a:1>",
    "</run:1>",
    "<t:1:R>",
    "<id:home>",
    "[x](https://evil.example)",
    "https://evil.example/?a=b&c",
    "HTTP://e.x",
    "discord.gg/x",
    "Discord.com/invite/x",
    "disCord.gg",
    "```",
    "`",
    "||",
    "**",
    "__",
    "~~",
    "# ",
    "> ",
    "-# ",
    "- ",
    "1. ",
    "\\",
    "\\\\",
    "\n",
    "\r\n# ",
    "\u{202e}",
    "\u{200b}",
    "\u{1b}[2J",
    "😀",
    "é",
    "</code>",
    "<b>",
    "&lt;",
    "&",
    "\"><a href=x>",
    "/start",
    "evil.example",
    "@admin",
    " ",
];

/// One such text.
pub(super) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => select(&FRAGMENTS[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z._ ]{1,12}",
        1 => (select(&FRAGMENTS[..]), 1_usize..900).prop_map(|(text, times)| text.repeat(times)),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A message made of such texts.
pub(super) fn message() -> impl Strategy<Value = Message> {
    let value = prop_oneof![
        text().prop_map(Value::Text),
        text().prop_map(Value::Command),
        any::<i64>().prop_map(Value::Time),
    ];
    let fact = (text(), value).prop_map(|(name, value)| Fact { name, value });
    let facts = proptest::collection::vec(fact, 0..30);
    let steps = proptest::collection::vec(text(), 0..60);
    (text(), text(), facts, steps, text(), text()).prop_map(
        |(head, title, facts, steps, news, footer)| Message {
            colour: 0xd6_28_28,
            sign: "🔴",
            head,
            title,
            facts,
            steps,
            news: Some(news),
            choices: Vec::new(),
            footer,
        },
    )
}
