//! Does: the connection to the engine: its address, its API version, a time limit around every
//! call, and errors that a person can act on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use tokio::sync::Mutex;

use crate::runtime::RuntimeError;

const SOCKET: &str = "unix:///var/run/docker.sock";
/// What a call may take.
const LIMIT: Duration = Duration::from_secs(10);
/// bollard's own limit, for its connections; the limits here are shorter.
const CONNECT_SECONDS: u64 = 60;

/// A connection; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    host: String,
    socket: String,
    /// What a call may take; shorter in tests.
    pub(super) limit: Duration,
    negotiated: Arc<Mutex<Option<bollard::Docker>>>,
}

impl Engine {
    pub(super) fn at(host: Option<&str>) -> Result<Self, RuntimeError> {
        let from_env = || std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        let host = host.map(str::to_owned).or_else(from_env).unwrap_or_else(|| SOCKET.to_owned());
        let Some(socket) = host.strip_prefix("unix://").map(str::to_owned) else {
            return Err(RuntimeError::Unreachable {
                runtime: "docker",
                why: format!("{host} is no unix socket"),
                next: String::from(
                    "set docker_host = \"unix:///path\"; vigie runs beside its stack",
                ),
            });
        };
        Ok(Self { host, socket, limit: LIMIT, negotiated: Arc::default() })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The engine, with a version of the API that both sides speak.
    pub(super) async fn docker(&self) -> Result<bollard::Docker, RuntimeError> {
        let mut negotiated = self.negotiated.lock().await;
        if let Some(docker) = negotiated.as_ref() {
            return Ok(docker.clone());
        }
        // Made here and not before: bollard refuses a socket that does not exist, and after a boot the
        // watch may be there before the engine.
        let version = bollard::API_DEFAULT_VERSION;
        let plain = bollard::Docker::connect_with_unix(&self.socket, CONNECT_SECONDS, version);
        let asked =
            plain.map_err(|error| lost(&self.host, &error.to_string()))?.negotiate_version();
        let docker = match tokio::time::timeout(self.limit, asked).await {
            Ok(Ok(docker)) => docker,
            Ok(Err(error)) => return Err(lost(&self.host, &error.to_string())),
            Err(_) => return Err(lost(&self.host, "no answer in time")),
        };
        Ok(negotiated.insert(docker).clone())
    }

    /// The same for a call that may take as long as `limit`, which is longer than bollard's own.
    pub(super) async fn docker_for(
        &self,
        limit: Duration,
    ) -> Result<bollard::Docker, RuntimeError> {
        let own = limit.max(Duration::from_secs(CONNECT_SECONDS)) + LIMIT;
        Ok(self.docker().await?.with_timeout(own))
    }

    /// The engine is away; another version may come back.
    pub(super) async fn forget_version(&self) {
        self.negotiated.lock().await.take();
    }

    pub(super) async fn limit<T>(
        &self,
        what: &'static str,
        service: &str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, RuntimeError> {
        self.within(self.limit, what, service, call).await
    }

    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        what: &'static str,
        service: &str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, RuntimeError> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.explain(what, service, &error)),
            Err(_) => Err(RuntimeError::Timeout { what, service: service.to_owned(), limit }),
        }
    }

    /// What an error of bollard's means.
    pub(super) fn explain(&self, what: &'static str, service: &str, error: &Error) -> RuntimeError {
        match error {
            Error::DockerResponseServerError { message, .. } => refused(what, service, message),
            Error::RequestTimeoutError => {
                RuntimeError::Timeout { what, service: service.to_owned(), limit: LIMIT }
            }
            error => lost(&self.host, &error.to_string()),
        }
    }
}

/// Whether the engine said that there is no such thing.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

pub(super) fn refused(what: &'static str, service: &str, why: &str) -> RuntimeError {
    let why = crate::text::cut(&crate::text::printable(why), 300);
    RuntimeError::Refused { what, service: service.to_owned(), why }
}

pub(super) fn lost(host: &str, why: &str) -> RuntimeError {
    RuntimeError::Unreachable {
        runtime: "docker",
        why: format!("{host}: {why}"),
        next: String::from("is the engine running, and may this user use it? try: docker info"),
    }
}
