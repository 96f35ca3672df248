//! Does: the service manager's notify protocol (sd_notify(3)): tells systemd that the watch is ready, how
//! things are in one line, that it lives, and that it stops. Its few lines are our own because the
//! socket may have an abstract name, as in a container.

use std::ffi::{OsStr, OsString};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use crate::observe::Eyes;
use crate::report::{Lang, Status};

/// What systemd sets for the watch and not for what the watch starts.
pub(crate) const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];
/// Time between two lines on how things are, where no watchdog wants to hear more often.
const EVERY: Duration = Duration::from_secs(30);

/// A service manager that wants to be told.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that started this process, if one did.
    #[must_use]
    pub fn here() -> Option<Self> {
        let address = std::env::var_os(VARIABLES[0])?;
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        // The watchdog may be meant for somebody else, such as the shell that started us.
        let mine = number(VARIABLES[2]).is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number(VARIABLES[1]).filter(|usec| mine && *usec > 0);
        match Self::at(&address, watchdog.map(Duration::from_micros)) {
            Ok(manager) => Some(manager),
            Err(error) => {
                tracing::warn!(%error, ?address, "the service manager cannot be told anything");
                None
            }
        }
    }

    /// The one at `address`, a path or `@` and an abstract name.
    pub(super) fn at(address: &OsStr, watchdog: Option<Duration>) -> std::io::Result<Self> {
        let address = match address.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(OsString::from(address))?,
            // Such as `vsock:`, the way to the manager of a virtual machine's host.
            _ => return Err(std::io::Error::other("this is no socket of this host")),
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold the watch up.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address, watchdog })
    }

    /// Time between two words.
    fn every(&self) -> Duration {
        self.watchdog.map_or(EVERY, |watchdog| (watchdog / 2).min(EVERY))
    }

    fn say(&self, lines: &[&str]) {
        if let Err(error) = self.socket.send_to_addr(lines.join("\n").as_bytes(), &self.address) {
            tracing::debug!(%error, "the service manager was not told");
        }
    }
}

/// Tells `manager` how the watch does, until it stops. The watchdog hears nothing while the engine does not
/// answer: then the manager ends the watch, and starts it again.
pub async fn tell(eyes: Eyes, manager: Option<Manager>) {
    let Some(manager) = manager else { return };
    let (every, lang) = (manager.every(), eyes.config.file.stack.lang);
    let (mut ready, mut silent) = (false, false);
    loop {
        let began = Instant::now();
        let asked = eyes.stop.run_until_cancelled(ask(&eyes.handle, every)).await;
        match asked {
            None => break,
            Some(Some(status)) => {
                let words = format!("STATUS={}", line(&status, lang));
                let first = (!ready).then_some("READY=1");
                let lives = manager.watchdog.map(|_| "WATCHDOG=1");
                let lines = first.into_iter().chain(lives).chain([words.as_str()]);
                manager.say(&lines.collect::<Vec<_>>());
                (ready, silent) = (true, false);
            }
            Some(None) => {
                if !std::mem::replace(&mut silent, true) {
                    tracing::error!(
                        "the engine does not answer; the service manager is told nothing"
                    );
                }
            }
        }
        let pause = tokio::time::sleep_until(began + every);
        if eyes.stop.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
    manager.say(&["STOPPING=1"]);
}

/// How things are, in one line.
fn line(status: &Status, lang: Lang) -> String {
    let services = status.services.len();
    let services = match (services, lang) {
        (1, _) => String::from("1 service"),
        (n, _) => format!("{n} services"),
    };
    let incidents = match (status.incidents_open, lang) {
        (0, Lang::En) => String::from("no open incident"),
        (0, Lang::Fr) => String::from("aucun incident ouvert"),
        (1, Lang::En) => String::from("1 open incident"),
        (1, Lang::Fr) => String::from("1 incident ouvert"),
        (n, Lang::En) => format!("{n} open incidents"),
        (n, Lang::Fr) => format!("{n} incidents ouverts"),
    };
    let lost = match (status.runtime_reachable, lang) {
        (true, _) => "",
        (false, Lang::En) => "; the runtime cannot be reached",
        (false, Lang::Fr) => " ; le moteur d'exécution est injoignable",
    };
    format!("{services}, {incidents}{lost}")
}
