//! No secret is in what a channel says about itself, in what went wrong, or in the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use vigie::notify::{Discord, Http, Sender, Telegram, Webhook};
use vigie_core::notify::Occasion;
use vigie_testkit::chat::{self, Fault};

use crate::letters::{letter, reader};
use crate::{discord, email, telegram};

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn faults(address: &str) -> Vec<Fault> {
    let moved = Fault::Answer(302, vec![("Location", address.to_owned())], String::new());
    vec![
        Fault::answer(400, format!("<p>nothing at {address}</p>")),
        Fault::answer(404, format!("{{\"message\":\"{address}\",\"description\":\"{address}\"}}")),
        moved,
        Fault::Drop,
        Fault::answer(500, address),
    ]
}

#[tokio::test]
async fn nothing_that_is_said_holds_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut said = Vec::new();
    let mut gone = Vec::new();

    let server = chat::Discord::start().await.unwrap();
    let sender = discord::client(&server.url());
    for (fault, card) in
        faults(&server.url()).into_iter().zip([None, Some("7001")].into_iter().cycle())
    {
        server.order(fault);
        said.push(format!("{:?}", sender.send(&letter(1, Occasion::Updated, card)).await));
    }
    said.push(format!("{sender:?}"));
    gone.push(sender);
    drop(server);

    let server = chat::Telegram::start().await.unwrap();
    let sender = Sender::Telegram(telegram::telegram(&server));
    let address = format!("{}/bot{}/sendMessage", server.api(), server.token());
    for fault in faults(&address) {
        server.order(fault);
        said.push(format!("{:?}", sender.send(&letter(1, Occasion::Opened, None)).await));
    }
    said.push(format!("{sender:?}"));
    gone.push(sender);
    drop(server);

    let server = chat::Webhook::start().await.unwrap();
    let key = String::from("s3cret-key");
    let webhook =
        Webhook::new(Http::new().unwrap(), &server.url(), Some(key.clone()), "DarkRP", reader());
    let sender = Sender::Webhook(webhook.unwrap());
    for fault in faults(&format!("{} {key}", server.url())) {
        server.order(fault);
        said.push(format!("{:?}", sender.send(&letter(1, Occasion::Opened, None)).await));
    }
    said.push(format!("{sender:?}"));
    gone.push(sender);
    drop(server);

    let server = chat::Smtp::start(Some("eA==")).await.unwrap();
    server.order("AUTH", format!("535 not {}", email::PASSWORD));
    let sender = email::client(&server, true, &["admin@example.org"]);
    said.push(format!("{:?}", sender.send(&letter(1, Occasion::Opened, None)).await));
    said.push(format!("{sender:?}"));

    for sender in &gone {
        said.push(format!("{:?}", sender.send(&letter(2, Occasion::Opened, None)).await));
    }
    drop(guard);
    let log = log.text();
    assert!(!log.is_empty());
    for text in said.iter().chain([&log]) {
        let line = text.lines().find(|line| line.contains("s3cret"));
        assert_eq!(line, None);
    }
}

#[test]
fn a_wrong_address_is_not_repeated() {
    let http = Http::new().unwrap();
    let errors = [
        Discord::new(http.clone(), "http://discord.com/api/webhooks/1/s3cret", reader())
            .unwrap_err(),
        Discord::new(http.clone(), "discord.com/s3cret", reader()).unwrap_err(),
        Telegram::new(http.clone(), "https://api.telegram.org", "s3cret", 1, reader()).unwrap_err(),
        Telegram::new(http.clone(), "http://10.0.0.1", "1:s3cret", 1, reader()).unwrap_err(),
        Webhook::new(http.clone(), "ftp://s3cret", None, "", reader()).unwrap_err(),
        Webhook::new(http, "https://x/s3cret", Some(String::new()), "", reader()).unwrap_err(),
    ];
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.iter().all(|error| !error.contains("s3cret")), "{errors:?}");
    insta::assert_snapshot!(errors.join("\n"));
}
