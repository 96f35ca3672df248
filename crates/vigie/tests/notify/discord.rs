//! Discord: the life of an incident's message, and what every answer means.

use std::time::{Duration, Instant};

use serde_json::json;
use vigie::notify::{Discord, Http, Sender};
use vigie_core::notify::{Occasion, Outcome};
use vigie_testkit::chat::{self, Fault};

use crate::letters::{delivered, later, letter, no_card, pretty, reader, said};

pub(crate) fn client(url: &str) -> Sender {
    Sender::Discord(Discord::new(Http::new().unwrap(), url, reader()).unwrap())
}

async fn start() -> (chat::Discord, Sender) {
    let server = chat::Discord::start().await.unwrap();
    let sender = client(&server.url());
    (server, sender)
}

#[tokio::test]
async fn one_message_stands_for_an_incident() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    let edit = letter(2, Occasion::Updated, card.as_deref());
    assert_eq!(sender.send(&edit).await, no_card());
    let ring = letter(3, Occasion::Restored, card.as_deref());
    assert_eq!(sender.send(&ring).await, no_card());
    assert_eq!(delivered(sender.send(&said(4)).await), None);

    let asked = server.seen().into_iter().map(|seen| {
        let target = seen.target.replace(server.secret(), "TOKEN");
        format!("{} {target} {}\n{}", seen.method, seen.status, pretty(&seen.body))
    });
    insta::assert_snapshot!(asked.collect::<Vec<_>>().join("\n\n"));
    assert_eq!(server.messages().len(), 3);
}

#[tokio::test]
async fn a_deleted_message_is_posted_anew() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await).unwrap();
    server.delete(&card);
    let new = delivered(sender.send(&letter(2, Occasion::Escalated, Some(&card))).await).unwrap();
    assert_ne!(new, card);
    // The new one rings by itself.
    assert_eq!(server.messages().len(), 1);
    let body = r#"{"message":"Maximum number of edits to messages older than 1 hour reached","code":30046}"#;
    server.order(Fault::answer(400, body));
    assert!(delivered(sender.send(&letter(3, Occasion::Updated, Some(&new))).await).is_some());
    // What was kept from another kind of channel is no message here.
    let foreign = letter(4, Occasion::Updated, Some("../../x"));
    assert!(delivered(sender.send(&foreign).await).is_some());
}

#[tokio::test]
async fn an_opening_that_was_told_rings_no_more() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    assert_eq!(sender.send(&letter(1, Occasion::Opened, card.as_deref())).await, no_card());
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn what_did_not_ring_is_not_edited_again() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    let ring = letter(2, Occasion::Escalated, card.as_deref());
    // One order for the edit, one for the ring.
    server.order(Fault::Slow(Duration::ZERO));
    server.order(Fault::answer(502, "bad gateway"));
    assert_eq!(sender.send(&ring).await, later(None, "502 bad gateway"));
    assert_eq!(sender.send(&ring).await, no_card());
    let methods: Vec<_> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["POST", "PATCH", "POST", "POST"]);
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    let (server, sender) = start().await;
    let rate = |retry: f64| json!({ "message": "limited", "retry_after": retry }).to_string();
    let header = |value: &str, body: String| {
        Fault::Answer(429, vec![("Retry-After", value.to_owned())], body)
    };
    let stopped = |why: &str| Outcome::Stopped { why: why.to_owned() };
    let webhook = "(make a new webhook in the channel's settings)";
    let cases = [
        (header("1", rate(0.65)), later(Some(1000), "429 limited")),
        (header("1", rate(2.5)), later(Some(2500), "429 limited")),
        (header("86400", rate(0.0)), later(Some(3_600_000), "429 limited")),
        (Fault::answer(429, "<html>"), later(None, "429 <html>")),
        (Fault::answer(503, ""), later(None, "503 –")),
        (
            Fault::answer(401, r#"{"message":"Invalid Webhook Token","code":50027}"#),
            stopped(&format!("401 Invalid Webhook Token {webhook}")),
        ),
        (Fault::answer(403, r#"{"message":"Missing Access"}"#), stopped("403 Missing Access")),
        (
            Fault::answer(404, r#"{"message":"Unknown Webhook","code":10015}"#),
            stopped(&format!("404 Unknown Webhook {webhook}")),
        ),
        (Fault::answer(301, ""), stopped("301 – (it has moved: put the new address in)")),
        (
            Fault::answer(
                400,
                r#"{"message":"Invalid Form Body","errors":{"embeds":["\u001b[2J"]}}"#,
            ),
            Outcome::Rejected {
                why: String::from(r#"400 Invalid Form Body: {"embeds":["\u001b[2J"]}"#),
            },
        ),
    ];
    for (index, (fault, expected)) in cases.into_iter().enumerate() {
        let (shown, began) = (format!("{fault:?}"), Instant::now());
        server.order(fault);
        let outcome = sender.send(&letter(index as u64, Occasion::Opened, None)).await;
        assert_eq!(outcome, expected, "{shown}");
        assert!(began.elapsed() < Duration::from_secs(3));
    }
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_no_deleted_message() {
    let (server, sender) = start().await;
    server.order(Fault::answer(404, r#"{"message":"Unknown Webhook","code":10015}"#));
    let outcome = sender.send(&letter(1, Occasion::Updated, Some("7001"))).await;
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn no_answer_is_later() {
    let (server, sender) = start().await;
    for fault in [Fault::Drop, Fault::DropAnswer] {
        server.order(fault);
        let outcome = sender.send(&letter(1, Occasion::Opened, None)).await;
        assert!(
            matches!(&outcome, Outcome::Later { after: None, why } if why.starts_with("no answer")),
            "{outcome:?}"
        );
    }
    let url = server.url();
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let outcome = client(&url).send(&letter(1, Occasion::Opened, None)).await;
    let refused = |why: &str| why.starts_with("no connection: Connection refused");
    assert!(matches!(&outcome, Outcome::Later { why, .. } if refused(why)), "{outcome:?}");
}

#[tokio::test]
async fn many_requests_stay_within_the_limits() {
    let (server, sender) = start().await;
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    // Each is an edit and a ring: 25 requests in all, at most 5 in 2 s.
    for id in 2..14 {
        let ring = letter(id, Occasion::Escalated, card.as_deref());
        assert_eq!(sender.send(&ring).await, no_card());
    }
    assert!(server.seen().iter().all(|seen| seen.status == 200));
}

#[tokio::test]
async fn a_thread_is_kept_in_the_address() {
    let server = chat::Discord::start().await.unwrap();
    let sender = client(&format!("{}?thread_id=55", server.url()));
    let card = delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    assert_eq!(sender.send(&letter(2, Occasion::Updated, card.as_deref())).await, no_card());
    let seen: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert!(seen[0].ends_with("?thread_id=55&wait=true"), "{seen:?}");
    assert!(seen[1].ends_with("/messages/7001?thread_id=55"), "{seen:?}");
}
