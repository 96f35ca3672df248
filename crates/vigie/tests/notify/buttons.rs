//! Telegram's buttons: who may press, what is answered, and when listening ends.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigie::notify::{Buttons, Choice, Pressed, Reader};
use vigie::report::Lang;
use vigie_testkit::chat::{Fault, Telegram};

use crate::secrets::Log;
use crate::telegram::{telegram, telegram_for};

const ANN: i64 = 42;

struct Listening {
    server: Telegram,
    presses: mpsc::Receiver<Pressed>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Listens, and has asked once: what is pressed from now on is fresh.
async fn start(users: Vec<i64>) -> Listening {
    let listening = listen(Telegram::start().await.unwrap(), users);
    while listening.server.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    listening
}

fn listen(server: Telegram, users: Vec<i64>) -> Listening {
    listen_as(telegram(&server), server, users)
}

fn listen_as(telegram: vigie::notify::Telegram, server: Telegram, users: Vec<i64>) -> Listening {
    let buttons = Buttons::new(&telegram, vec![telegram.seat(users)]);
    let (sender, presses) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let task = tokio::spawn(buttons.run(sender, stop.clone()));
    Listening { server, presses, stop, task }
}

impl Listening {
    /// The answers so far, once there are `count`.
    async fn answers(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let answers = self.server.answers();
            if answers.len() >= count {
                return answers;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{count} answers were expected, there are {:?}", self.server.answers())
    }

    async fn pressed(&mut self) -> Pressed {
        timeout(Duration::from_secs(5), self.presses.recv()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_press_is_handed_on_and_answered() {
    let mut listening = start(vec![ANN]).await;
    listening.server.press(Telegram::CHAT, ANN, "Ann\u{1b}[2J", "ack:12");
    let pressed = listening.pressed().await;
    assert_eq!((pressed.choice, pressed.user), (Choice::Acknowledge(12), ANN));
    assert_eq!(pressed.name, "Ann[2J");
    pressed.answer.send(format!("in hand {}", "x".repeat(500))).unwrap();
    let answers = listening.answers(1).await;
    assert!(answers[0].starts_with("in hand x"));

    for (data, choice) in [("yes:3", Choice::Approve(3)), ("no:3", Choice::Refuse(3))] {
        listening.server.press(Telegram::CHAT, ANN, "Ann", data);
        let pressed = listening.pressed().await;
        assert_eq!(pressed.choice, choice);
        // Whoever decides may also say nothing.
        drop(pressed.answer);
    }
    assert_eq!(listening.answers(3).await[1..], ["no answer yet", "no answer yet"]);
}

/// What the core answers is said in the language of the chat.
#[tokio::test]
async fn a_french_chat_is_answered_in_french() {
    let server = Telegram::start().await.unwrap();
    let telegram = telegram_for(&server, Reader::here(Lang::Fr));
    let mut listening = listen_as(telegram, server, vec![ANN]);
    while listening.server.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    listening.server.press(Telegram::CHAT, ANN, "Ann", "ack:12");
    let pressed = listening.pressed().await;
    pressed.answer.send(String::from("incident #12 acknowledged")).unwrap();
    assert_eq!(listening.answers(1).await, ["incident #12 pris en charge"]);
}

#[tokio::test]
async fn strangers_press_in_vain() {
    let mut listening = start(vec![ANN]).await;
    listening.server.press(Telegram::CHAT, 666, "Eve", "yes:3");
    listening.server.press(-99, ANN, "Ann", "yes:3");
    listening.server.press(Telegram::CHAT, ANN, "Ann", "rm -rf:3");
    let mut answers = listening.answers(3).await;
    answers.sort();
    assert_eq!(answers, ["not you", "not you", "vigie does not know this button"]);
    assert!(listening.presses.try_recv().is_err());
}

#[tokio::test]
async fn without_users_nobody_may_press() {
    let mut listening = start(Vec::new()).await;
    listening.server.press(Telegram::CHAT, ANN, "Ann", "ack:3");
    assert_eq!(listening.answers(1).await, ["not you"]);
    assert!(listening.presses.try_recv().is_err());
}

#[tokio::test]
async fn what_was_pressed_while_vigie_was_away_is_not_done() {
    let server = Telegram::start().await.unwrap();
    server.press(Telegram::CHAT, ANN, "Ann", "yes:3");
    let mut listening = listen(server, vec![ANN]);
    let answers = listening.answers(1).await;
    assert_eq!(answers, ["vigie was away when you pressed; press again"]);
    assert!(listening.presses.try_recv().is_err());
    listening.server.press(Telegram::CHAT, ANN, "Ann", "yes:3");
    assert_eq!(listening.pressed().await.choice, Choice::Approve(3));
}

#[tokio::test]
async fn listening_ends_when_it_is_told_to_and_when_the_token_is_wrong() {
    let listening = start(vec![ANN]).await;
    listening.stop.cancel();
    timeout(Duration::from_secs(1), listening.task).await.unwrap().unwrap();

    let server = Telegram::start().await.unwrap();
    server
        .order(Fault::answer(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#));
    let listening = listen(server, vec![ANN]);
    timeout(Duration::from_secs(5), listening.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_listener_is_spoken_of_once() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let server = Telegram::start().await.unwrap();
    let rival = r#"{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request"}"#;
    server.order(Fault::answer(409, rival));
    let listening = listen(server, vec![ANN]);
    while listening.server.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(listening.server.seen().len(), 1, "it backs off");
    listening.stop.cancel();
    timeout(Duration::from_secs(1), listening.task).await.unwrap().unwrap();
    drop(guard);
    assert_eq!(log.text().matches("another program listens").count(), 1);
}

#[tokio::test]
async fn an_error_is_waited_out() {
    let server = Telegram::start().await.unwrap();
    server.order(Fault::answer(502, "bad gateway"));
    server.order(Fault::Drop);
    let listening = listen(server, vec![ANN]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    listening.server.press(Telegram::CHAT, 666, "Eve", "ack:1");
    for _ in 0..12 {
        if !listening.server.answers().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("it gave up");
}
