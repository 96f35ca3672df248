//! The webhook: its documented body, its signature, and what every answer means.

use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use vigie::notify::{Http, Sender, Webhook};
use vigie_core::notify::{Occasion, Outcome};
use vigie_testkit::chat::{self, Fault};

use crate::letters::{later, letter, no_card, pretty, reader, said};

fn client(url: &str, secret: Option<&str>) -> Sender {
    let (http, secret) = (Http::new().unwrap(), secret.map(str::to_owned));
    Sender::Webhook(Webhook::new(http, url, secret, "DarkRP", reader()).unwrap())
}

#[tokio::test]
async fn the_body_is_as_documented() {
    let server = chat::Webhook::start().await.unwrap();
    let sender = client(&server.url(), None);
    for letter in [letter(12, Occasion::Opened, None), said(13)] {
        assert_eq!(sender.send(&letter).await, no_card());
    }
    let seen = server.seen();
    let bodies: Vec<_> = seen.iter().map(|seen| pretty(&seen.body)).collect();
    insta::assert_snapshot!(bodies.join("\n"));
    assert_eq!(seen[0].header("X-Vigie-Event"), Some("opened"));
    assert_eq!(seen[0].header("X-Vigie-Delivery"), Some("12"));
    assert_eq!(seen[0].header("X-Vigie-Signature"), None);
    let agent = concat!("vigie/", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen[0].header("User-Agent"), Some(agent));
}

#[tokio::test]
async fn the_signature_is_of_the_time_and_the_body() {
    let server = chat::Webhook::start().await.unwrap();
    let sender = client(&server.url(), Some("shared key"));
    assert_eq!(sender.send(&letter(12, Occasion::Opened, None)).await, no_card());
    let seen = &server.seen()[0];
    let mut mac = Hmac::<Sha256>::new_from_slice(b"shared key").unwrap();
    mac.update(seen.header("X-Vigie-Timestamp").unwrap().as_bytes());
    mac.update(b".");
    mac.update(&seen.raw);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen.header("X-Vigie-Signature"), Some(format!("sha256={hex}").as_str()));
}

#[tokio::test]
async fn a_notice_that_is_sent_again_has_the_same_number() {
    let server = chat::Webhook::start().await.unwrap();
    let sender = client(&server.url(), None);
    let letter = letter(12, Occasion::Opened, None);
    server.order(Fault::DropAnswer);
    assert!(matches!(sender.send(&letter).await, Outcome::Later { .. }));
    assert_eq!(sender.send(&letter).await, no_card());
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.header("X-Vigie-Delivery") == Some("12")));
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    let server = chat::Webhook::start().await.unwrap();
    let sender = client(&server.url(), None);
    let wait = Fault::Answer(429, vec![("Retry-After", String::from("3"))], String::new());
    let stopped = |why: &str| Outcome::Stopped { why: why.to_owned() };
    let cases = [
        (wait, later(Some(3000), "429 –")),
        (Fault::answer(500, "down"), later(None, "500 down")),
        (Fault::answer(302, "log in"), later(None, "302 log in")),
        (Fault::answer(410, "gone"), stopped("410 gone")),
        (Fault::answer(403, "no"), stopped("403 no")),
        (
            Fault::answer(422, "what?\n\u{1b}[31m"),
            Outcome::Rejected { why: String::from("422 what? [31m") },
        ),
    ];
    for (fault, expected) in cases {
        let shown = format!("{fault:?}");
        server.order(fault);
        assert_eq!(sender.send(&letter(1, Occasion::Opened, None)).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let server = chat::Webhook::start().await.unwrap();
    server.order(Fault::answer(400, "x".repeat(10 << 20)));
    let outcome = client(&server.url(), None).send(&letter(1, Occasion::Opened, None)).await;
    let Outcome::Rejected { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.chars().count() <= 204, "{why}");
}

#[tokio::test]
async fn a_slow_answer_is_not_waited_for_for_ever() {
    let server = chat::Webhook::start().await.unwrap();
    server.order(Fault::Slow(Duration::from_secs(60)));
    let began = Instant::now();
    let outcome = client(&server.url(), None).send(&letter(1, Occasion::Opened, None)).await;
    assert_eq!(outcome, later(None, "no answer in time"));
    assert!(began.elapsed() < Duration::from_secs(20));
}
