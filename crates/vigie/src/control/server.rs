//! Does: answers the command line on the daemon's socket. Only its owner can connect, since nobody else
//! may enter the state directory; a request
//! that is too long or no JSON is answered with what is wrong and the connection closed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use vigie_core::event::Order;
use vigie_core::incident::{Actor, IncidentId, Severity};
use vigie_core::respond::RunId;
use vigie_core::stack::ServiceId;

use super::{Answer, Request};
use crate::observe::Eyes;
use crate::respond::{Redactor, collect};
use crate::text::{printable, printable_lines};

const LONGEST: u64 = 64 * 1024;
const IDLE: Duration = Duration::from_secs(30);
/// Time between two tries to make a socket.
const AGAIN: Duration = Duration::from_secs(2);

/// The socket, open.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

/// Opens the socket at `path`. What an earlier daemon left there is removed: the journal's lock has
/// shown that none lives.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(path: &Path) -> std::io::Result<Server> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(Server { listener, path: path.to_owned() })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Answers on `server` until `eyes.stop` is cancelled; where it is missing, the socket is made as soon
/// as it can be.
pub async fn serve(server: Option<Server>, eyes: Eyes) {
    let mut server = server;
    let path = eyes.config.socket();
    while server.is_none() {
        if eyes.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
            return;
        }
        server = listen(&path).ok();
    }
    if let Some(server) = server {
        server.run(eyes).await;
    }
}

impl Server {
    /// Answers until `eyes.stop` is cancelled.
    pub async fn run(self, eyes: Eyes) {
        let eyes = Arc::new(eyes);
        while let Some(accepted) = eyes.stop.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let eyes = Arc::clone(&eyes);
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(IDLE, converse(&eyes, stream)).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn converse(eyes: &Eyes, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(LONGEST)).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) => answer(eyes, request).await,
            Err(error) => Answer::Refused { why: format!("no request of this vigie: {error}") },
        };
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

async fn answer(eyes: &Eyes, request: Request) -> Answer {
    if request == Request::Status {
        return match eyes.handle.status().await {
            Ok(mut status) => {
                status.heartbeat = eyes.heart.status();
                Answer::Status { status }
            }
            Err(error) => Answer::Refused { why: error.to_string() },
        };
    }
    if let Request::Operate { service, stop } = &request {
        let done = if *stop {
            eyes.runtime.stop(service).await
        } else {
            eyes.runtime.up(service, false).await
        };
        return match done {
            Ok(()) => Answer::Done { text: String::from("done") },
            Err(error) => Answer::Refused { why: error.to_string() },
        };
    }
    if let Request::Rehearse { service, runbook } = request {
        return rehearse(eyes, &service, runbook).await;
    }
    let order = match order(eyes, request) {
        Ok(order) => order,
        Err(why) => return Answer::Refused { why },
    };
    match eyes.handle.order(order).await {
        Ok(Ok(text)) => Answer::Done { text },
        Ok(Err(why)) => Answer::Refused { why },
        Err(error) => Answer::Refused { why: error.to_string() },
    }
}

async fn rehearse(eyes: &Eyes, service: &str, runbook: String) -> Answer {
    let Some(id) = eyes.config.stack.find(service) else {
        return Answer::Refused { why: format!("there is no service `{service}`") };
    };
    let evidence = Box::new(collect(&eyes.config, eyes.runtime.as_ref(), id).await);
    match eyes.handle.rehearse(id, runbook, evidence).await {
        Ok(Ok(records)) => Answer::Rehearsed { records },
        Ok(Err(why)) => Answer::Refused { why },
        Err(error) => Answer::Refused { why: error.to_string() },
    }
}

fn order(eyes: &Eyes, request: Request) -> Result<Order, String> {
    let person = |by: String| Actor::Person(printable(&by));
    // What is in the journal is told on channels: a secret that a person typed must not get there.
    let redactor = Redactor::of(&eyes.config);
    let said = |text: &str| redactor.clean(&printable(&text.replace(['\r', '\n'], " ")));
    let service = |name: &str| -> Result<ServiceId, String> {
        eyes.config.stack.find(name).ok_or_else(|| {
            let known: Vec<_> =
                eyes.config.stack.services().map(|(_, service)| service.name.as_str()).collect();
            format!("there is no service `{name}`; the stack has: {}", known.join(", "))
        })
    };
    Ok(match request {
        Request::Acknowledge { incident, by } => {
            Order::Acknowledge(IncidentId(incident), person(by))
        }
        Request::Note { incident, by, text } => {
            Order::Note(IncidentId(incident), person(by), said(&text))
        }
        Request::Report { service: name, severity, by, text } => Order::Report {
            service: service(&name)?,
            severity: parse_severity(&severity)?,
            text: said(&text),
            by: person(by),
        },
        Request::Resolve { incident, by } => Order::Resolve(IncidentId(incident), person(by)),
        Request::Close { incident, by } => Order::Close(IncidentId(incident), person(by)),
        Request::Approve { run, granted, by } => {
            Order::Approve { run: RunId(run), granted, by: person(by) }
        }
        Request::RunRunbook { service: name, runbook, by } => {
            Order::Run { service: service(&name)?, runbook, by: person(by) }
        }
        Request::Learn { mut known, by } => {
            known.iter_mut().for_each(|known| redactor.clean_known(known));
            Order::Learn(known, person(by))
        }
        Request::Journal { mut entry, by } => {
            entry.text = redactor.clean(&printable_lines(&entry.text));
            for commit in &mut entry.commits {
                commit.hash = printable(&commit.hash);
                commit.subject = said(&commit.subject);
            }
            Order::Journal(entry, person(by))
        }
        Request::Maintenance { minutes, by } => {
            let until = minutes.map(|minutes| {
                eyes.clock.now().plus(Duration::from_secs(minutes.min(60 * 24 * 30) * 60))
            });
            Order::Maintenance(until, person(by))
        }
        Request::Status | Request::Operate { .. } | Request::Rehearse { .. } => {
            return Err(String::from("answered elsewhere"));
        }
    })
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| format!("`{text}` is no severity; it is P1, P2, P3 or P4"))
}
