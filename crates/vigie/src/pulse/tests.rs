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

/// A service manager's socket, and what it has heard so far.
struct Heard {
    socket: std::os::unix::net::UnixDatagram,
    said: Vec<String>,
}

impl Heard {
    fn at(address: &std::os::unix::net::SocketAddr) -> Self {
        let socket = std::os::unix::net::UnixDatagram::bind_addr(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, said: Vec::new() }
    }

    fn said(&mut self) -> &[String] {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.said.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        &self.said
    }

    async fn until(&mut self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        let end = std::time::Instant::now() + LONG;
        while !is_so(self.said()) {
            assert!(std::time::Instant::now() < end, "never: {what}: {:?}", self.said);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn lives(said: &[String]) -> usize {
    said.iter().filter(|words| words.contains("WATCHDOG=1")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_watchdog_hears_of_the_engine_and_of_nothing_else() {
    use std::os::linux::net::SocketAddrExt as _;
    let directory = tempfile::tempdir().unwrap();
    let name = format!("vigie-test-{}", directory.path().display());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let mut heard = Heard::at(&address);
    let watchdog = Some(Duration::from_millis(400));
    let manager = Manager::at(format!("@{name}").as_ref(), watchdog).unwrap();
    let (eyes, free) = watch(directory.path(), "");
    let told = tokio::spawn(tell(eyes.clone(), Some(manager)));
    heard.until("life", |said| lives(said) >= 3).await;
    let first = heard.said()[0].clone();
    assert_eq!(first, "READY=1\nWATCHDOG=1\nSTATUS=1 service, no open incident");
    hang(&eyes);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = lives(heard.said());
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(lives(heard.said()), before, "the engine hangs: {:?}", heard.said);
    free.send(()).unwrap();
    heard.until("life afterwards", |said| lives(said) > before).await;
    eyes.stop.cancel();
    heard.until("the end", |said| said.last().is_some_and(|last| last == "STOPPING=1")).await;
    told.await.unwrap();
    let ready = heard.said().iter().filter(|words| words.contains("READY=1")).count();
    assert_eq!(ready, 1, "{:?}", heard.said);
}

#[tokio::test]
async fn an_engine_that_nobody_reads_for_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let address = std::os::unix::net::SocketAddr::from_pathname(&path).unwrap();
    let mut heard = Heard::at(&address);
    let manager = Manager::at(path.as_os_str(), Some(Duration::from_millis(100))).unwrap();
    let (handle, _mailbox) = mailbox();
    let text = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n";
    let config = Config::parse(&directory.path().join("vigie.toml"), text).unwrap();
    let runtime = Arc::new(crate::app::docker_runtime(&config).unwrap());
    let clock = Clock::after(vigie_core::Moment::default());
    let (stop, heart) = (CancellationToken::new(), Heart::default());
    let eyes = Eyes { config: Arc::new(config), runtime, handle, clock, stop, heart };
    let told = tokio::spawn(tell(eyes.clone(), Some(manager)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(heard.said().is_empty(), "{:?}", heard.said);
    // Stopping waits for nobody.
    eyes.stop.cancel();
    tokio::time::timeout(LONG, told).await.unwrap().unwrap();
    assert_eq!(heard.said(), ["STOPPING=1"]);
}

#[test]
fn an_address_that_is_no_socket_here_is_refused() {
    for address in ["", "vsock:2:1234", "relative"] {
        assert!(Manager::at(address.as_ref(), None).is_err(), "{address}");
    }
}
