//! Does: runs services as plain processes: for the demo, and for servers without Docker. A service
//! outlives vigie; the next vigie takes it over by its pid file. Its console is a file.

mod child;
mod console;
mod history;
mod keep;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use vigie_core::observe::{Inspection, RuntimeEvent};

use super::{Feed, LogLine, LogPosition, News, Runtime, RuntimeError, Usage};
use child::Service;
use history::History;

/// Time that an asked-for end may take until SIGKILL.
const GRACE: Duration = Duration::from_secs(10);

/// One service.
#[derive(Debug, Clone)]
pub struct ProcessService {
    /// Its name in the stack.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to vigie's own environment.
    pub env: Vec<(String, String)>,
    /// Its working directory.
    pub directory: Option<PathBuf>,
    /// Bytes of memory above which it is killed, as a kernel would.
    pub memory: Option<u64>,
}

/// What the runtime runs.
#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// Where pid files and consoles are; made with mode 0700.
    pub state_dir: PathBuf,
    /// The services.
    pub services: Vec<ProcessService>,
}

/// The runtime; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct Process {
    services: Arc<BTreeMap<String, Arc<Service>>>,
    history: History,
}

impl Process {
    /// A runtime for `config`; services that still run are taken over when they are first asked
    /// for.
    ///
    /// # Errors
    /// When the state directory cannot be made.
    pub fn new(config: ProcessConfig) -> Result<Self, RuntimeError> {
        use std::os::unix::fs::DirBuilderExt;
        let directory = config.state_dir;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| RuntimeError::Unreachable {
            runtime: "process",
            why: format!("{}: {error}", directory.display()),
            next: String::from("make the directory writable"),
        })?;
        let history = History::default();
        let services = config.services.into_iter().map(|service| {
            let name = service.name.clone();
            (name, Arc::new(Service::new(service, &directory, history.clone())))
        });
        Ok(Self { services: Arc::new(services.collect()), history })
    }

    /// Stops every service, for the demo's end. A daemon that stops leaves them running.
    pub async fn shutdown(&self) {
        let stops = self.services.values().map(|service| service.stop(Duration::from_secs(2)));
        futures_util::future::join_all(stops).await;
    }

    fn find(&self, name: &str) -> Result<&Arc<Service>, RuntimeError> {
        self.services.get(name).ok_or_else(|| RuntimeError::Unknown {
            service: name.to_owned(),
            known: self.services.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}

#[async_trait]
impl Runtime for Process {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn ping(&self) -> Result<String, RuntimeError> {
        for service in self.services.values() {
            service.take_over();
        }
        Ok(env!("CARGO_PKG_VERSION").to_owned())
    }

    async fn events(&self, since: Option<i64>) -> Result<Feed<News>, RuntimeError> {
        for service in self.services.values() {
            service.take_over();
        }
        Ok(self.history.follow(since))
    }

    async fn inspect(&self, service: &str) -> Result<Inspection, RuntimeError> {
        match self.services.get(service) {
            Some(service) => Ok(service.inspect()),
            None => Ok(Inspection {
                state: vigie_core::observe::RuntimeState::Missing,
                ..Inspection::default()
            }),
        }
    }

    async fn usage(&self, service: &str) -> Result<Option<Usage>, RuntimeError> {
        Ok(self.find(service)?.usage())
    }

    async fn logs(
        &self,
        service: &str,
        from: Option<LogPosition>,
    ) -> Result<Feed<LogLine>, RuntimeError> {
        let path = self.find(service)?.console().to_owned();
        console::follow(service, path, from).await
    }

    async fn tail(&self, service: &str, lines: usize) -> Result<Vec<Bytes>, RuntimeError> {
        let path = self.find(service)?.console().to_owned();
        console::tail(service, path, lines).await
    }

    async fn up(&self, service: &str, recreate: bool) -> Result<(), RuntimeError> {
        let service = self.find(service)?;
        if recreate {
            service.stop(GRACE).await;
        }
        service.start()
    }

    async fn down_up(&self) -> Result<(), RuntimeError> {
        for service in self.services.values() {
            service.stop(GRACE).await;
        }
        for service in self.services.values() {
            service.start()?;
        }
        Ok(())
    }

    async fn restart(&self, service: &str, kill: bool) -> Result<(), RuntimeError> {
        let service = self.find(service)?;
        service.stop(if kill { Duration::ZERO } else { GRACE }).await;
        service.start()
    }

    async fn stop(&self, service: &str) -> Result<(), RuntimeError> {
        self.find(service)?.stop(GRACE).await;
        Ok(())
    }

    async fn drift(&self, service: &str) -> Result<Vec<String>, RuntimeError> {
        // A process has no definition apart from the one it was started with.
        self.find(service).map(|_| Vec::new())
    }
}

/// What happened, for the history.
fn news(service: &str, event: RuntimeEvent) -> News {
    News { service: service.to_owned(), wall_ms: jiff::Timestamp::now().as_millisecond(), event }
}
