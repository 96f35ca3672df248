//! E-mail: threads, headers that hold, and what every answer means.

use vigie::notify::{Email, MailAccount, Sender};
use vigie_core::notify::{Occasion, Outcome};
use vigie_testkit::chat::Smtp;

use crate::letters::{delivered, letter, no_card, reader, said};

/// `\0vigie\0s3cret-mail` in base64.
const LOGIN: &str = "AHZpZ2llAHMzY3JldC1tYWls";
pub(crate) const PASSWORD: &str = "s3cret-mail";

pub(crate) fn client(server: &Smtp, login: bool, to: &[&str]) -> Sender {
    let account = MailAccount {
        server: server.url().to_owned(),
        login: login.then(|| (String::from("vigie"), String::from(PASSWORD))),
        from: String::from("vigie <vigie@example.org>"),
        to: to.iter().map(|&to| to.to_owned()).collect(),
    };
    Sender::Email(Box::new(Email::new(&account, "DarkRP", reader()).unwrap()))
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = mail.split_once("\n\n")?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn the_mails_of_an_incident_form_a_thread() {
    let server = Smtp::start(Some(LOGIN)).await.unwrap();
    let sender = client(&server, true, &["admin@example.org"]);
    let first = delivered(sender.send(&letter(1, Occasion::Opened, None)).await).unwrap();
    assert_eq!(first, "<vigie-19ed865b-1@example.org>");
    let second = letter(2, Occasion::Restored, Some(&first));
    assert_eq!(sender.send(&second).await, no_card());
    let mails = server.mails();
    assert_eq!(header(&mails[0].text, "Message-ID"), Some(first.as_str()));
    assert_eq!(header(&mails[0].text, "In-Reply-To"), None);
    assert_eq!(header(&mails[1].text, "In-Reply-To"), Some(first.as_str()));
    assert_eq!(header(&mails[1].text, "References"), Some(first.as_str()));
    let subject = "[P1] gmod: gmod is exited, exit code 139";
    assert_eq!(header(&mails[0].text, "Subject"), Some(subject));
    assert_eq!(header(&mails[1].text, "Subject"), Some(format!("Re: {subject}").as_str()));
    assert_eq!((mails[0].from.as_str(), mails[0].to.len()), ("vigie@example.org", 1));
}

#[tokio::test]
async fn a_mail_has_text_and_html() {
    let server = Smtp::start(None).await.unwrap();
    let sender = client(&server, false, &["admin@example.org"]);
    let mut letter = letter(1, Occasion::Escalated, None);
    letter.message.title = String::from("<script>alert(1)</script> & \"more\"");
    letter.message.sign = "!";
    letter.message.news = Some(String::from("a person is needed"));
    delivered(sender.send(&letter).await);
    let text = server.mails()[0].text.clone();
    let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let date = header(&text, "Date").unwrap();
    let text = text.replace(boundary, "BOUNDARY").replace(date, "DATE");
    insta::assert_snapshot!(text.replace("=\n", ""));
}

#[tokio::test]
async fn no_text_becomes_a_header() {
    let server = Smtp::start(None).await.unwrap();
    let sender = client(&server, false, &["admin@example.org"]);
    let mut letter = letter(1, Occasion::Opened, Some("<x@y>\r\nBcc: eve@example.org"));
    letter.message.title = format!("down\r\nBcc: eve@example.org\r\n\r\n{}", "x".repeat(900));
    delivered(sender.send(&letter).await);
    let mail = &server.mails()[0];
    assert_eq!(mail.to, ["admin@example.org"]);
    assert_eq!(header(&mail.text, "Bcc"), None);
    assert_eq!(header(&mail.text, "In-Reply-To"), None);
    let folded = mail.text.split("\nSubject: ").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(folded.len() < 900, "{folded}");
}

#[tokio::test]
async fn what_is_about_vigie_stands_for_no_incident() {
    let server = Smtp::start(None).await.unwrap();
    let sender = client(&server, false, &["admin@example.org"]);
    assert_eq!(sender.send(&said(1)).await, no_card());
    let subject = "[P1] vigie: the journal's disk is full";
    assert_eq!(header(&server.mails()[0].text, "Subject"), Some(subject));
}

#[tokio::test]
async fn every_answer_has_its_meaning() {
    let server = Smtp::start(None).await.unwrap();
    let (later, rejected, stopped) = (
        |why: &str| Outcome::Later { after: None, why: why.to_owned() },
        |why: &str| Outcome::Rejected { why: why.to_owned() },
        |why: &str| Outcome::Stopped { why: why.to_owned() },
    );
    let cases = [
        ("MAIL", "451 greylisted", later("451: greylisted")),
        ("RCPT", "421 too many", later("421: too many")),
        ("RCPT", "550 no such user", rejected("550: no such user")),
        (".", "554 spam", rejected("554: spam")),
        ("MAIL", "530 log in", stopped("530: log in")),
    ];
    for (command, answer, expected) in cases {
        // A client for each: the waits between mails are tested elsewhere.
        let sender = client(&server, false, &["admin@example.org"]);
        server.order(command, answer);
        assert_eq!(sender.send(&letter(1, Occasion::Opened, None)).await, expected, "{answer}");
    }
    let sender = client(&server, false, &["admin@example.org"]);
    server.order("DATA", "");
    let outcome = sender.send(&letter(1, Occasion::Opened, None)).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_wrong_password_stops_the_mailbox() {
    let server = Smtp::start(Some("AHZpZ2llAG90aGVy")).await.unwrap();
    let sender = client(&server, true, &["admin@example.org"]);
    let outcome = sender.send(&letter(1, Occasion::Opened, None)).await;
    let why = String::from("535: 5.7.8 wrong password");
    assert_eq!(outcome, Outcome::Stopped { why });
}

#[tokio::test]
async fn one_bad_address_keeps_nothing_from_the_others() {
    let server = Smtp::start(None).await.unwrap();
    server.stranger("gone@example.org");
    let sender = client(&server, false, &["gone@example.org", "ann@example.org"]);
    delivered(sender.send(&letter(1, Occasion::Opened, None)).await);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["ann@example.org"]);
}
