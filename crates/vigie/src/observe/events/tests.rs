//! An engine that hangs, on a real socket: it tells nothing, closes nothing, and answers nothing.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;
use vigie_core::event::Act;
use vigie_core::{Engine, Record};

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Desk, Driver, Hands, Told, mailbox};
use crate::pulse::Heart;
use crate::runtime::docker::fake_engine::FakeEngine;
use crate::store::Journal;

const LIMIT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(20);

struct Idle;

impl Hands for Idle {
    fn take(&mut self, _: Act) {}
}

/// A watch of the runtime's events alone.
fn watch_of(engine: &FakeEngine, directory: &Path) -> (Eyes, Receiver<Told>, Reach) {
    let text = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n[service.mysql]\nrole = \
                \"database\"\n";
    let config = Config::parse(&directory.join("vigie.toml"), text).unwrap();
    let (journal, rebuilt) = Journal::open(&directory.join("journal.db")).unwrap();
    let clock = Clock::after(rebuilt.state.last);
    let (handle, mailbox) = mailbox();
    let core = Engine::new(config.stack.clone(), rebuilt.state);
    let driver = Driver::new(core, journal, clock.clone(), Idle, Desk::silent("x"), mailbox, LONG);
    let told = handle.listen();
    tokio::spawn(driver.run());
    let runtime = Arc::new(engine.docker(LIMIT));
    let stop = CancellationToken::new();
    let eyes =
        Eyes { config: Arc::new(config), runtime, handle, clock, stop, heart: Heart::default() };
    let reach = Reach::default();
    tokio::spawn(watch(eyes.clone(), None, reach.clone(), Arc::default()));
    (eyes, told, reach)
}

fn look_often(eyes: &Eyes, reach: &Reach) {
    for (id, _) in eyes.config.stack.services() {
        let rhythm = Rhythm::new(Duration::from_millis(100));
        tokio::spawn(inspect_regularly(eyes.clone(), id, rhythm, reach.clone()));
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn hear(told: &mut Receiver<Told>, wanted: &Record) {
    let heard = async { while told.recv().await.unwrap().record != *wanted {} };
    tokio::time::timeout(LONG, heard).await.unwrap_or_else(|_| panic!("never told: {wanted:?}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_hangs_is_lost_until_it_answers() {
    let (engine, directory) = (FakeEngine::start(), tempfile::tempdir().unwrap());
    let (eyes, mut told, reach) = watch_of(&engine, directory.path());
    look_often(&eyes, &reach);
    until("it is looked at", || engine.asked("/containers/id-mysql/json").len() > 1).await;
    engine.hang_on(Some(""));
    hear(&mut told, &Record::RuntimeLost).await;
    let followed = engine.asked("/events").len();
    engine.hang_on(None);
    hear(&mut told, &Record::RuntimeBack).await;
    assert!(engine.asked("/events").len() > followed, "the events are followed anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_shows_before_the_next_look() {
    let (engine, directory) = (FakeEngine::start(), tempfile::tempdir().unwrap());
    let (eyes, mut told, reach) = watch_of(&engine, directory.path());
    until("it is looked at", || !engine.asked("/containers/id-mysql/json").is_empty()).await;
    engine.hang_on(Some(""));
    tokio::spawn(crate::observe::usage::watch(eyes, reach));
    hear(&mut told, &Record::RuntimeLost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_container_that_hangs_is_not_the_runtime() {
    let (engine, directory) = (FakeEngine::start(), tempfile::tempdir().unwrap());
    let (eyes, mut told, reach) = watch_of(&engine, directory.path());
    look_often(&eyes, &reach);
    until("it is looked at", || engine.asked("/containers/id-mysql/json").len() > 1).await;
    engine.hang_on(Some("/containers/id-mysql/json"));
    let before = engine.asked("/containers/id-mysql/json").len();
    until("more looks", || engine.asked("/containers/id-mysql/json").len() > before + 4).await;
    while let Ok(told) = told.try_recv() {
        assert_ne!(told.record, Record::RuntimeLost);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_misses_nothing_before_its_first_event() {
    let (engine, directory) = (FakeEngine::start(), tempfile::tempdir().unwrap());
    engine.hang_on(Some("/_ping"));
    let began = jiff::Timestamp::now();
    let (_eyes, mut told, _) = watch_of(&engine, directory.path());
    hear(&mut told, &Record::RuntimeLost).await;
    engine.hang_on(None);
    until("the events are followed", || !engine.asked("/events").is_empty()).await;
    let asked = &engine.asked("/events")[0];
    let since = asked.split("since=").nth(1).and_then(|rest| rest.split(['&', ' ']).next());
    let since: f64 = since.unwrap().parse().unwrap();
    let late = since - began.as_duration().as_secs_f64();
    assert!(late < LIMIT.as_secs_f64(), "asked for what came {late} s after the beginning");
}
