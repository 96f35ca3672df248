//! The watch without its looks: engine, journal, outbox and post, as the app puts them together.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie::clock::Clock;
use vigie::config::{Config, channel};
use vigie::engine::{Desk, Driver, Handle, Hands, Letterhead, Post, mailbox};
use vigie::notify::{self, Letter, Office, Sender};
use vigie::store::Journal;
use vigie_core::Engine;
use vigie_core::event::{Act, Order};
use vigie_core::incident::{Actor, Severity};
use vigie_core::notify::Outcome;
use vigie_core::stack::ServiceId;

use crate::Result;

/// How letters go out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the channel's client, within the limits of its kind.
    Real,
    /// By a client that knows no limits, from an outbox that knows none.
    Unlimited,
}

/// A watch that runs.
pub(crate) struct Watch {
    pub(crate) handle: Handle,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// Nothing is repaired here.
struct Idle;

impl Hands for Idle {
    fn take(&mut self, _: Act) {}
}

/// Letters for the client that knows no limits.
struct Slot(mpsc::UnboundedSender<Letter>);

impl Post for Slot {
    fn send(&mut self, letter: Letter) {
        let _ = self.0.send(letter);
    }
}

/// The configuration of a stack with one channel at `url`.
pub(crate) fn config(directory: &Path, kind: &str, url: &str) -> Result<Config> {
    std::fs::write(directory.join("url"), url)?;
    let text = format!(
        "[stack]\nname = \"speed\"\n[service.gmod]\nrole = \"game\"\n\
         [notify.{kind}]\nurl = {{ file = \"url\" }}\n"
    );
    let path = directory.join("vigie.toml");
    std::fs::write(&path, &text)?;
    Ok(Config::parse(&path, &text)?)
}

impl Watch {
    /// A watch that goes on where the journal ends; `lanes` is called when all that waited is in its lane.
    pub(crate) fn start(config: &Config, way: Way, lanes: impl FnOnce()) -> Result<Self> {
        let (journal, rebuilt) = Journal::open(&config.journal())?;
        let clock = Clock::after(rebuilt.state.last);
        let (handle, mailbox) = mailbox();
        let engine = Engine::new(config.stack.clone(), rebuilt.state);
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let desk = match way {
            Way::Real => {
                let (office, slots) = Office::new(config);
                office.open(&handle, &stop, &mut tasks);
                Desk::new(letterhead(config, way), rebuilt.outbox, Box::new(slots))
            }
            Way::Unlimited => {
                let (slot, letters) = mpsc::unbounded_channel();
                let url = std::fs::read_to_string(config.directory().join("url"))?;
                tasks.spawn(post(letters, url, handle.clone()));
                Desk::new(letterhead(config, way), rebuilt.outbox, Box::new(Slot(slot)))
            }
        };
        lanes();
        let keep = Duration::from_secs(90 * 86_400);
        let driver = Driver::new(engine, journal, clock, Idle, desk, mailbox, keep);
        tokio::spawn(driver.run());
        Ok(Self { handle, tasks, stop })
    }

    /// Opens an incident, which everybody is told of.
    pub(crate) async fn open(&self, number: usize) -> Result<()> {
        let severity = if number.is_multiple_of(10) { Severity::P1 } else { Severity::P3 };
        let by = Actor::Person(String::from("bench"));
        let text = format!("something is wrong for the {number}th time");
        let order = Order::Report { service: ServiceId(0), severity, text, by };
        self.handle.order(order).await??;
        Ok(())
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.handle.stop().await;
    }
}

fn letterhead(config: &Config, way: Way) -> Letterhead {
    let one = |(name, kind): (String, _)| {
        let limits = match way {
            Way::Real => Sender::limits(notify::kind(&kind)),
            Way::Unlimited => Vec::new(),
        };
        channel(&name, &kind, config.file.stack.lang, limits)
    };
    Letterhead {
        stack: config.stack.name.clone(),
        targets: config.stack.settings.targets,
        channels: config.channels().into_iter().map(one).collect(),
        journal: config.journal(),
    }
}

/// Sends each letter over one connection and waits for the answer.
async fn post(mut letters: mpsc::UnboundedReceiver<Letter>, url: String, handle: Handle) {
    let address = url.trim_start_matches("http://").trim_end_matches("/hook").to_owned();
    let mut stream = None;
    while let Some(letter) = letters.recv().await {
        let sent = async {
            let stream: &mut TcpStream = match &mut stream {
                Some(stream) => stream,
                none => none.insert(TcpStream::connect(&address).await?),
            };
            let text = letter.message.news.clone().unwrap_or_default();
            let body = BTreeMap::from([("text", text.into()), ("incident", about(&letter))]);
            let body = serde_json::to_string(&body)?;
            let head = format!("POST /hook HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await?;
            stream.read(&mut [0; 256]).await
        };
        let outcome = match sent.await {
            Ok(count) if count > 0 => Outcome::Delivered { message: None },
            _ => Outcome::Later { after: None, why: String::from("no answer") },
        };
        if handle.settled(letter.notice.id, outcome).await.is_err() {
            return;
        }
    }
}

fn about(letter: &Letter) -> serde_json::Value {
    serde_json::to_value(&letter.incident).unwrap_or_default()
}
