//! Does: an engine for tests, on a real socket: it knows two containers that run and every image but
//! `missing`, writes down what it
//! is asked, and hangs when it is told to, with its connections open.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::{Docker, DockerConfig, DockerService};

/// The containers, which have their services' names.
pub(crate) const NAMES: [&str; 2] = ["gmod", "mysql"];
/// The `stop_grace_period` of both, in seconds.
pub(crate) const STOP_TIMEOUT: u32 = 90;

#[derive(Debug, Default)]
struct State {
    requests: Mutex<Vec<String>>,
    hangs_on: Mutex<Option<String>>,
}

/// The engine; it ends with the test's runtime.
pub(crate) struct FakeEngine {
    directory: TempDir,
    state: Arc<State>,
}

impl FakeEngine {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("docker.sock")).unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { directory, state }
    }

    /// Where it listens.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.directory.path().join("docker.sock").display())
    }

    /// A runtime on this engine that waits no longer than `limit` for an answer.
    pub(crate) fn docker(&self, limit: Duration) -> Docker {
        let service = |name: &str| DockerService {
            name: name.to_owned(),
            container: Some(name.to_owned()),
            has_dependencies: false,
        };
        let mut docker = Docker::connect(DockerConfig {
            host: Some(self.host()),
            compose_file: None,
            project: None,
            directory: self.directory.path().to_owned(),
            services: NAMES.map(service).into(),
        })
        .unwrap();
        docker.engine.limit = limit;
        docker
    }

    /// Requests that contain this are never answered; all of them for the empty word.
    pub(crate) fn hang_on(&self, what: Option<&str>) {
        *self.state.hangs_on.lock().unwrap_or_else(PoisonError::into_inner) =
            what.map(str::to_owned);
    }

    /// First lines of the requests so far that contain `what`.
    pub(crate) fn asked(&self, what: &str) -> Vec<String> {
        let requests = self.state.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter(|line| line.contains(what)).cloned().collect()
    }
}

async fn serve(mut stream: UnixStream, state: Arc<State>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default().to_owned();
    let hangs = state.hangs_on.lock().unwrap().as_ref().is_some_and(|what| line.contains(what));
    state.requests.lock().unwrap().push(line.clone());
    if hangs {
        return std::future::pending().await;
    }
    let path = line.split_whitespace().nth(1).unwrap_or_default();
    if path.contains("/events") {
        let begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(begin.as_bytes()).await.unwrap();
        return std::future::pending().await;
    }
    let (status, body) = answer(path.split('?').next().unwrap_or_default());
    let (length, close) = (body.len(), "Connection: close");
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{close}\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn answer(path: &str) -> (&'static str, String) {
    let list = || {
        NAMES
            .map(|name| format!("{{\"Id\":\"id-{name}\",\"Names\":[\"/{name}\"],\"Labels\":{{}}}}"))
    };
    match path {
        path if path.ends_with("/version") => {
            ("200 OK", String::from("{\"ApiVersion\":\"1.43\",\"Version\":\"24.0.0\"}"))
        }
        path if path.ends_with("/containers/json") => ("200 OK", format!("[{}]", list().join(","))),
        path if path.contains("/images/missing/") => {
            ("404 Not Found", String::from("{\"message\":\"No such image\"}"))
        }
        path if path.contains("/images/") => (
            "200 OK",
            String::from(
                "{\"RepoDigests\":[],\"Config\":{\"WorkingDir\":\"/srv/game\",\
                 \"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"/home/gmod/health.sh\"]}}}",
            ),
        ),
        path if path.ends_with("/json") => (
            "200 OK",
            format!(
                "{{\"Id\":\"{}\",\"State\":{{\"Status\":\"running\",\"Running\":true}},\"Config\":{{\
                 \"StopTimeout\":{STOP_TIMEOUT}}}}}",
                path.trim_end_matches("/json").rsplit('/').next().unwrap_or_default()
            ),
        ),
        path if path.ends_with("/stop") || path.ends_with("/restart") => {
            ("204 No Content", String::new())
        }
        _ => ("200 OK", String::from("OK")),
    }
}
