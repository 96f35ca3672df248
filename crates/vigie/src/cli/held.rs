//! Does: tells the watch, where one runs, that a person is at work, so that it repairs nothing meanwhile.

use crate::config::Config;
use crate::control::{Answer, Client, Request};

/// Minutes of maintenance that are declared; it is ended as soon as the work is over.
const MINUTES: u64 = 60;

/// Maintenance, where somebody heard of it.
pub(super) struct Held {
    by: &'static str,
    heard: bool,
}

impl Held {
    /// Declares it; `by` is whose work it is, for the journal.
    pub(super) async fn begin(config: &Config, by: &'static str) -> Self {
        Self { by, heard: ask(config, by, Some(MINUTES)).await }
    }

    /// Ends it.
    pub(super) async fn end(self, config: &Config) {
        if self.heard {
            ask(config, self.by, None).await;
        }
    }
}

async fn ask(config: &Config, by: &str, minutes: Option<u64>) -> bool {
    let Ok(mut client) = Client::connect(&config.socket()).await else { return false };
    let asked = Request::Maintenance { minutes, by: by.to_owned() };
    matches!(client.ask(&asked).await, Ok(Answer::Done { .. }))
}
