//! The longest and worst message there is, through every channel.

use vigie::notify::{Http, Letter, Sender, Value, Webhook};
use vigie_core::notify::Occasion;
use vigie_testkit::chat;

use crate::letters::{delivered, fact, letter, no_card, reader};
use crate::{discord, email, telegram};

fn worst(occasion: Occasion, card: Option<&str>) -> Letter {
    let text =
        "@everyone <@1> [x](https://evil.example) </b>&amp;\"' 😀 \u{202e}\u{1b}[2J\r\n# ```";
    let long = text.repeat(200);
    let mut letter = letter(1, occasion, card);
    let message = &mut letter.message;
    message.head.clone_from(&long);
    message.title.clone_from(&long);
    message.footer.clone_from(&long);
    message.news = Some(long.clone());
    message.facts = (0..60)
        .map(|n| match n % 3 {
            0 => fact(&long, Value::Text(long.clone())),
            1 => fact("", Value::Text(String::new())),
            _ => fact(&long, Value::Command(long.clone())),
        })
        .collect();
    message.steps = (0..200).map(|n| format!("{n} {long}")).collect();
    letter
}

#[tokio::test]
async fn the_worst_message_is_taken_everywhere() {
    let server = chat::Discord::start().await.unwrap();
    let sender = discord::client(&server.url());
    let card = delivered(sender.send(&worst(Occasion::Opened, None)).await);
    let rung = sender.send(&worst(Occasion::Escalated, card.as_deref())).await;
    assert_eq!(rung, no_card());

    let server = chat::Telegram::start().await.unwrap();
    let sender = Sender::Telegram(telegram::telegram(&server));
    let card = delivered(sender.send(&worst(Occasion::Opened, None)).await);
    let rung = sender.send(&worst(Occasion::Escalated, card.as_deref())).await;
    assert_eq!(rung, no_card());

    let server = chat::Webhook::start().await.unwrap();
    let sender =
        Webhook::new(Http::new().unwrap(), &server.url(), None, "\u{1b}", reader()).unwrap();
    let sent = Sender::Webhook(sender).send(&worst(Occasion::Opened, None)).await;
    assert_eq!(sent, no_card());
    let text = server.seen()[0].body["text"].as_str().unwrap().to_owned();
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']));

    let server = chat::Smtp::start(None).await.unwrap();
    let sender = email::client(&server, false, &["admin@example.org"]);
    delivered(sender.send(&worst(Occasion::Opened, None)).await);
    assert!(!server.mails()[0].text.contains("\nBcc"));
}
