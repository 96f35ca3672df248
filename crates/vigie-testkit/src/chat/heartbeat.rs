//! A service that wants to be called regularly, and raises an alarm when it is not.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::server::{Api, Fault, Says, Seen, Server};

const PATH: &str = "/ping/s3cret-check";

/// Such a service on a server of its own.
pub struct Heartbeat {
    server: Server<Check>,
}

struct Check;

impl Heartbeat {
    /// A service with one check.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> io::Result<Self> {
        Ok(Self { server: Server::start(Check).await? })
    }

    /// The address to call.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.server.address)
    }

    /// What must never be seen anywhere.
    #[must_use]
    pub const fn secret(&self) -> &'static str {
        "s3cret-check"
    }

    /// The next request fails so.
    pub fn order(&self, fault: Fault) {
        self.server.order(fault);
    }

    /// Calls so far that counted.
    #[must_use]
    pub fn beats(&self) -> usize {
        self.server.seen().iter().filter(|seen| seen.status == 200).count()
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

impl Api for Check {
    fn answer(&mut self, request: &Seen, _waited: Duration) -> Says {
        match (request.method.as_str(), request.path()) {
            ("GET", PATH) => Says::plain(200, json!("OK")),
            ("GET", _) => Says::plain(404, json!("not found")),
            _ => Says::plain(405, json!("GET only")),
        }
    }
}
