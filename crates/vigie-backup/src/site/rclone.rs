//! Does: reaches what only rclone reaches, by letting it serve a remote on the loopback interface of
//! this machine, behind a login that nobody else knows. It ends with its owner, also when that is
//! killed; it never gets a secret in its arguments.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use rustic_core::Id;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::rest::{Rest, Server};
use super::wait::Waiter;
use super::{Secret, program};
use crate::store::{Area, Fault, Object, Part, Store, Trouble};

/// Until it serves.
const START: Duration = Duration::from_secs(30);
/// Becomes the program; a watcher beside it ends it when the input ends, which it does also when whoever
/// started this is killed.
const UNTIL_INPUT_ENDS: &str = "exec 3<&0; { cat <&3 >/dev/null; kill \"$$\"; } 2>/dev/null & \
                                exec \"$@\" 3<&- </dev/null";

/// A remote of rclone's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rclone {
    /// The remote with its path, as `drive:backups/vigie`.
    pub remote: String,
    /// The file of rclone's configuration; none for the user's own.
    pub config: Option<PathBuf>,
}

impl std::fmt::Display for Rclone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rclone:{}", self.remote)
    }
}

/// A remote while it is served.
pub(crate) struct Serving {
    place: String,
    server: Server,
    /// Its input ends when this is dropped, and with it the program.
    child: Option<Child>,
    /// Keeps the pipes of the program going.
    waiter: Waiter,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Serving {
    /// Starts rclone and waits until it serves.
    pub(crate) fn start(remote: &Rclone) -> Result<Self, Fault> {
        let wrong = |why: String| Fault::new(Trouble::Wrong, format!("{remote}: {why}"));
        if remote.remote.is_empty() || remote.remote.starts_with('-') {
            return Err(wrong("a remote is written like drive:backups/vigie".into()));
        }
        let waiter = Waiter::new()?;
        let (user, password) = (crate::random::hex(8), crate::random::hex(32));
        let mut command = program::command("sh", &arguments(remote));
        command.env("RCLONE_USER", &user).env("RCLONE_PASS", &password);
        let (child, endpoint) = waiter.wait("starting rclone", 0, async {
            let mut child = command.spawn().map_err(|error| wrong(error.to_string()))?;
            let errors = child.stderr.take().ok_or_else(|| wrong("rclone has no pipes".into()))?;
            let mut lines = BufReader::new(errors).lines();
            let endpoint = tokio::time::timeout(START, address(&mut lines)).await;
            let endpoint = match endpoint {
                Ok(Ok(endpoint)) => endpoint,
                Ok(Err(said)) => return Err(wrong(format!("rclone does not serve it: {said}"))),
                Err(_) => return Err(wrong("rclone does not serve it in time".into())),
            };
            // A pipe that nobody reads would stop it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            Ok((child, endpoint))
        })?;
        let rest = Rest { endpoint, user, password: Secret::new(password) };
        let server = Server::new(&rest)?;
        Ok(Self { place: remote.to_string(), server, child: Some(child), waiter })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(child.stdin.take());
        let ended =
            async { child.wait().await.map_err(|error| Fault::from_io("ending rclone", &error)) };
        // When it does not end by itself it is killed by its drop.
        let _ = self.waiter.wait("ending rclone", 0, async {
            tokio::time::timeout(Duration::from_secs(5), ended)
                .await
                .unwrap_or_else(|_| Err(Fault::new(Trouble::Late, "rclone goes on")))
        });
    }
}

fn arguments(remote: &Rclone) -> Vec<OsString> {
    let mut all: Vec<OsString> =
        ["-c", UNTIL_INPUT_ENDS, "sh", "rclone", "serve", "restic"].map(OsString::from).into();
    all.extend(["--addr", "127.0.0.1:0"].map(OsString::from));
    if let Some(config) = &remote.config {
        all.extend(["--config".into(), config.into()]);
    }
    all.extend(["--".into(), OsString::from(&remote.remote)]);
    all
}

/// The address that it says it serves at, or what it said instead.
async fn address(lines: &mut Lines<BufReader<ChildStderr>>) -> Result<String, String> {
    let mut last = String::from("it ended without a word; is it installed?");
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(at) = line.find("http://127.0.0.1:") {
            let address: String = line[at..]
                .chars()
                .take_while(|c| !c.is_whitespace() && *c != ']' && *c != '"')
                .collect();
            return Ok(address);
        }
        last = line;
    }
    Err(last)
}

impl Store for Serving {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn make(&self) -> Result<(), Fault> {
        self.server.make()
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        self.server.list(area)
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        self.server.size(object)
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        self.server.read(object, part)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        self.server.write(object, content)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        self.server.remove(object)
    }
}
