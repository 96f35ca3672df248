//! A program that takes vigie's JSON.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::server::{Api, Fault, Says, Seen, Server};

const PATH: &str = "/hook/s3cret-path";

/// A program's address on a server of its own.
pub struct Webhook {
    server: Server<Program>,
}

struct Program;

impl Webhook {
    /// A program that takes everything that is well-formed.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> io::Result<Self> {
        Ok(Self { server: Server::start(Program).await? })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.server.address)
    }

    /// What must never be seen anywhere.
    #[must_use]
    pub const fn secret(&self) -> &'static str {
        "s3cret-path"
    }

    /// The next request fails so.
    pub fn order(&self, fault: Fault) {
        self.server.order(fault);
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

impl Api for Program {
    fn answer(&mut self, request: &Seen, _waited: Duration) -> Says {
        const HEADERS: [&str; 3] = ["X-Vigie-Event", "X-Vigie-Delivery", "X-Vigie-Timestamp"];
        const KEYS: [&str; 8] =
            ["id", "event", "at", "stack", "severity", "incident", "text", "news"];
        if request.path() != PATH {
            return Says::plain(404, json!({ "error": format!("no {}", request.path()) }));
        }
        if let Some(name) = HEADERS.iter().find(|name| request.header(name).is_none()) {
            return Says::plain(400, json!({ "error": format!("{name} is missing") }));
        }
        match KEYS.iter().find(|key| request.body.get(key).is_none()) {
            Some(key) => Says::plain(400, json!({ "error": format!("{key} is missing") })),
            None => Says::plain(200, json!({})),
        }
    }
}
