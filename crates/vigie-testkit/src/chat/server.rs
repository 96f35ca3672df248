//! One HTTP server for all local APIs: remembers every request, and fails by order.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Router, serve};
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often a request that hangs looks again.
const LOOK: Duration = Duration::from_millis(10);
const MOST: usize = 1 << 20;

/// What goes wrong with a request, before the API sees it.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered so, with these headers.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The API sees it only after a while.
    Slow(Duration),
    /// The API does what it is asked for, and says so only after a while.
    SlowAnswer(Duration),
    /// The connection is dropped.
    Drop,
    /// The API does what it is asked for, and the connection is dropped before it says so.
    DropAnswer,
}

impl Fault {
    /// An answer without headers of its own.
    #[must_use]
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answer(status, Vec::new(), body.into())
    }
}

/// A request, and what it was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub raw: Vec<u8>,
    /// Its body, where it is JSON.
    pub body: Json,
    /// The status that it got.
    pub status: u16,
}

impl Seen {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What an API says to a request.
pub(super) enum Says {
    Now(u16, Vec<(&'static str, String)>, Json),
    /// Nothing yet: the request hangs.
    Hold,
}

impl Says {
    pub(super) const fn plain(status: u16, body: Json) -> Self {
        Self::Now(status, Vec::new(), body)
    }
}

/// An API.
pub(super) trait Api: Send + 'static {
    /// `waited` is how long the request has been hanging.
    fn answer(&mut self, request: &Seen, waited: Duration) -> Says;
}

struct Desk<A> {
    api: A,
    faults: VecDeque<Fault>,
    seen: Vec<Seen>,
}

type Shared<A> = Arc<Mutex<Desk<A>>>;

/// A server that ends when it is dropped.
pub(super) struct Server<A> {
    pub(super) address: String,
    desk: Shared<A>,
    task: JoinHandle<()>,
}

impl<A> Drop for Server<A> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<A: Api> Server<A> {
    pub(super) async fn start(api: A) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let desk = Arc::new(Mutex::new(Desk { api, faults: VecDeque::new(), seen: Vec::new() }));
        let router = Router::new().fallback(handle::<A>).with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move {
            let _ = serve(listener, router).await;
        });
        Ok(Self { address, desk, task })
    }

    pub(super) fn order(&self, fault: Fault) {
        lock(&self.desk).faults.push_back(fault);
    }

    pub(super) fn forgive(&self) {
        lock(&self.desk).faults.clear();
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        lock(&self.desk).seen.clone()
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut A) -> T) -> T {
        work(&mut lock(&self.desk).api)
    }
}

fn lock<A>(desk: &Mutex<Desk<A>>) -> MutexGuard<'_, Desk<A>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle<A: Api>(State(desk): State<Shared<A>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let raw = to_bytes(body, MOST).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    let mut seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts.headers,
        body: serde_json::from_slice(&raw).unwrap_or_default(),
        raw,
        status: 0,
    };
    let fault = lock(&desk).faults.pop_front();
    match fault.clone() {
        Some(Fault::Answer(status, headers, body)) => {
            seen.status = status;
            lock(&desk).seen.push(seen);
            return response(status, &headers, body);
        }
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        Some(Fault::Drop) => {
            lock(&desk).seen.push(seen);
            drop_connection();
        }
        Some(Fault::DropAnswer | Fault::SlowAnswer(_)) | None => {}
    }
    let began = Instant::now();
    loop {
        let says = lock(&desk).api.answer(&seen, began.elapsed());
        match says {
            Says::Hold => tokio::time::sleep(LOOK).await,
            Says::Now(status, headers, body) => {
                seen.status = status;
                lock(&desk).seen.push(seen);
                match fault {
                    Some(Fault::DropAnswer) => drop_connection(),
                    Some(Fault::SlowAnswer(time)) => tokio::time::sleep(time).await,
                    _ => {}
                }
                return response(status, &headers, body.to_string());
            }
        }
    }
}

/// The connection's task ends with the handler's; this way no panic is printed.
fn drop_connection() -> ! {
    std::panic::resume_unwind(Box::new("dropped by order"));
}

fn response(status: u16, headers: &[(&'static str, String)], body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}
