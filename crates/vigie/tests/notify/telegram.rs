//! Telegram: the life of an incident's message, and what every answer means.

use vigie::notify::{Http, Sender, Telegram};
use vigie_core::notify::{Occasion, Outcome};
use vigie_testkit::chat::{self, Fault};

use crate::letters::{approval, delivered, later, letter, no_card, pretty, reader, said};
use crate::secrets::Log;

pub(crate) fn telegram(server: &chat::Telegram) -> Telegram {
    telegram_for(server, reader())
}

pub(crate) fn telegram_for(server: &chat::Telegram, reader: vigie::notify::Reader) -> Telegram {
    let (http, chat) = (Http::new().unwrap(), chat::Telegram::CHAT);
    Telegram::new(http, server.api(), server.token(), chat, reader).unwrap()
}

async fn start() -> (chat::Telegram, Sender) {
    let server = chat::Telegram::start().await.unwrap();
    let sender = Sender::Telegram(telegram(&server));
    (server, sender)
}

#[tokio::test]
async fn one_message_stands_for_an_incident() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    assert_eq!(sender.send(&letter(2, approval(), card.as_deref())).await, no_card());
    let over = letter(3, Occasion::Restored, card.as_deref());
    assert_eq!(sender.send(&over).await, no_card());
    assert_eq!(delivered(sender.send(&said(4)).await), None);

    let asked = server.seen().into_iter().map(|seen| {
        let target = seen.target.replace(server.token(), "TOKEN");
        format!("{} {target} {}\n{}", seen.method, seen.status, pretty(&seen.body))
    });
    insta::assert_snapshot!(asked.collect::<Vec<_>>().join("\n\n"));
    assert_eq!(server.messages().len(), 4);
}

#[tokio::test]
async fn the_same_text_again_is_delivered() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    assert_eq!(sender.send(&letter(2, Occasion::Updated, card.as_deref())).await, no_card());
    assert_eq!(server.seen()[1].status, 400);
}

#[tokio::test]
async fn a_message_that_cannot_be_changed_is_posted_anew() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await).unwrap();
    server.delete(&card);
    let new = delivered(sender.send(&letter(2, Occasion::Escalated, Some(&card))).await).unwrap();
    assert_ne!(new, card);
    let old =
        r#"{"ok":false,"error_code":400,"description":"Bad Request: message can't be edited"}"#;
    server.order(Fault::answer(400, old));
    assert!(delivered(sender.send(&letter(3, Occasion::Updated, Some(&new))).await).is_some());
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_is_followed() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    server.migrate(-1_001_234);
    // The old message is not there any more.
    let new = delivered(sender.send(&letter(2, Occasion::Updated, card.as_deref())).await);
    assert!(new.is_some());
    let chats: Vec<_> = server.seen().iter().map(|seen| seen.body["chat_id"].as_i64()).collect();
    let (old, new) = (Some(chat::Telegram::CHAT), Some(-1_001_234));
    assert_eq!(chats, [old, old, new, new]);
    assert!(log.text().contains("write chat = -1001234 into the configuration"));
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    let (server, sender) = start().await;
    let says = |status: u16, words: &str| {
        let body = serde_json::json!({ "ok": false, "error_code": status, "description": words });
        Fault::answer(status, body.to_string())
    };
    let stopped = |why: &str| Outcome::Stopped { why: why.to_owned() };
    let limited = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#;
    let cases = [
        (Fault::answer(429, limited), later(Some(7000), "429 Too Many Requests: retry after 7")),
        (
            says(401, "Unauthorized"),
            stopped("401 Unauthorized (the token is not valid: ask BotFather for it)"),
        ),
        (
            says(403, "Forbidden: bot was kicked from the group chat"),
            stopped("403 Forbidden: bot was kicked from the group chat"),
        ),
        (says(400, "Bad Request: chat not found"), stopped("400 Bad Request: chat not found")),
        (
            says(400, "Bad Request: can't parse entities"),
            Outcome::Rejected { why: String::from("400 Bad Request: can't parse entities") },
        ),
        (says(502, "Bad Gateway"), later(None, "502 Bad Gateway")),
        (
            Fault::answer(200, "<html>welcome</html>"),
            later(None, "not an answer of the Bot API: <html>welcome</html>"),
        ),
    ];
    for (index, (fault, expected)) in cases.into_iter().enumerate() {
        let shown = format!("{fault:?}");
        server.order(fault);
        let outcome = sender.send(&letter(index as u64, Occasion::Opened, None)).await;
        assert_eq!(outcome, expected, "{shown}");
    }
    server.order(Fault::Drop);
    let outcome = sender.send(&letter(99, Occasion::Opened, None)).await;
    assert!(matches!(outcome, Outcome::Later { after: None, .. }), "{outcome:?}");
}

#[tokio::test]
async fn requests_stay_within_the_limits() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    for id in 2..4 {
        let ring = letter(id, Occasion::Escalated, card.as_deref());
        assert_eq!(sender.send(&ring).await, no_card());
    }
    assert!(server.seen().iter().all(|seen| seen.status != 429));
}
