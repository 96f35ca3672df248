//! What is alive is the engine: while its task hangs nobody is told that the watch lives.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio_util::sync::CancellationToken;
use vigie_core::Engine;
use vigie_core::event::{Act, Order};
use vigie_core::incident::Actor;
use vigie_core::stack::ServiceId;
use vigie_testkit::chat::{Fault, Heartbeat as Check};

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Desk, Driver, Hands, mailbox};
use crate::observe::Eyes;
use crate::store::Journal;

const LONG: Duration = Duration::from_secs(20);

/// Hands that hold the engine's task up, until they are let go.
struct Stuck(Receiver<()>);

impl Hands for Stuck {
    fn take(&mut self, _: Act) {
        let _ = self.0.recv_timeout(LONG);
    }
}

/// A watch whose engine hangs at its first act.
fn watch(directory: &Path, extra: &str) -> (Eyes, Sender<()>) {
    let text = format!("[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n{extra}");
    let config = Config::parse(&directory.join("vigie.toml"), &text).unwrap();
    let (journal, rebuilt) = Journal::open(&directory.join("journal.db")).unwrap();
    let clock = Clock::after(rebuilt.state.last);
    let (handle, mailbox) = mailbox();
    let core = Engine::new(config.stack.clone(), rebuilt.state);
    let (free, stuck) = channel();
    let (hands, desk) = (Stuck(stuck), Desk::silent("x"));
    let driver = Driver::new(core, journal, clock.clone(), hands, desk, mailbox, LONG);
    tokio::spawn(driver.run());
    let runtime = Arc::new(crate::app::docker_runtime(&config).unwrap());
    let stop = CancellationToken::new();
    let heart = Heart::default();
    (Eyes { config: Arc::new(config), runtime, handle, clock, stop, heart }, free)
}

/// Has the engine do something, and hang at it.
fn hang(eyes: &Eyes) {
    let handle = eyes.handle.clone();
    let order = Order::Run {
        service: ServiceId(0),
        runbook: String::from("p1-unreachable"),
        by: Actor::Person(String::from("Ann")),
    };
    tokio::spawn(async move { handle.order(order).await });
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_heart_beats_while_the_engine_answers() {
    let (check, directory) = (Check::start().await.unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(directory.path().join("url"), check.url()).unwrap();
    let extra = "[heartbeat]\nurl = { file = \"url\" }\nevery = \"1s\"\n";
    let (eyes, free) = watch(directory.path(), extra);
    tokio::spawn(beat(eyes.clone()));
    let began = std::time::Instant::now();
    until("three beats", || check.beats() == 3).await;
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
    // A failure is remembered with its time, and forgotten with the next beat.
    check.order(Fault::answer(503, "busy"));
    until("a failure", || eyes.heart.status().unwrap().failing_since.is_some()).await;
    let status = eyes.heart.status().unwrap();
    assert!(status.last.is_some(), "{status:?}");
    assert_eq!(status.why.as_deref(), Some("it was answered with 503"));
    until("the end of it", || eyes.heart.status().unwrap().failing_since.is_none()).await;
    hang(&eyes);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = check.beats();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(check.beats(), before, "the engine hangs");
    free.send(()).unwrap();
    until("a beat afterwards", || check.beats() > before).await;
    eyes.stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_address_that_is_none_is_said_without_it() {
    let directory = tempfile::tempdir().unwrap();
    for (url, why) in [
        ("", "is not an address"),
        ("file:///etc/s3cret", "is not an address"),
        // Nobody listens there.
        ("http://127.0.0.1:1/s3cret", "no connection"),
    ] {
        let place = directory.path().join(why.replace(' ', "-") + &url.len().to_string());
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("url"), url).unwrap();
        let (eyes, _free) = watch(&place, "[heartbeat]\nurl = { file = \"url\" }\n");
        tokio::spawn(beat(eyes.clone()));
        until("a failure", || eyes.heart.status().is_some()).await;
        let said = eyes.heart.status().unwrap().why.unwrap();
        assert!(said.contains(why) && !said.contains("s3cret"), "{said}");
        eyes.stop.cancel();
    }
}

#[tokio::test]
async fn an_engine_that_nobody_reads_for_does_not_answer() {
    let (handle, _mailbox) = mailbox();
    assert!(ask(&handle, Duration::from_millis(50)).await.is_none());
}
