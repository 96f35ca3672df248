//! Does: the heartbeat: calls an address elsewhere while the engine answers, so that the watch's own end
//! is noticed there. Never says the address: whoever has it can call it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ask;
use crate::config::{Config, HeartbeatConfig};
use crate::engine::Handle;
use crate::notify::{Address, ChannelError, Http, Plain, address};
use crate::observe::Eyes;
use crate::report::{HeartbeatStatus, rfc3339};

/// Time for the engine to answer, and for the other side.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest wait after a call that did not arrive: one lost packet is no reason for an alarm there.
const AGAIN: Duration = Duration::from_secs(15);

/// How the heartbeat does, for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Heart(Arc<Mutex<Option<HeartbeatStatus>>>);

impl Heart {
    /// What became of the last calls; none before the first.
    #[must_use]
    pub fn status(&self) -> Option<HeartbeatStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how a call went at `wall`; whether that is news.
    fn settle(&self, wall: i64, outcome: Result<(), String>) -> bool {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let status = status.get_or_insert_default();
        let failed = status.failing_since.is_some();
        match outcome {
            Ok(()) => {
                *status = HeartbeatStatus { last: Some(rfc3339(wall)), ..Default::default() };
                failed
            }
            Err(why) => {
                status.failing_since.get_or_insert_with(|| rfc3339(wall));
                status.why = Some(why);
                !failed
            }
        }
    }
}

/// Beats until the watch stops, where `[heartbeat]` says where.
pub async fn beat(eyes: Eyes) {
    let Some(config) = &eyes.config.file.heartbeat else { return };
    let line = match Line::new(&eyes.config, config) {
        Ok(line) => line,
        Err(error) => {
            tracing::error!(%error, "there is no heartbeat");
            eyes.heart.settle(eyes.clock.now().wall, Err(error.to_string()));
            return;
        }
    };
    loop {
        let began = Instant::now();
        let Some(outcome) = eyes.stop.run_until_cancelled(line.call(&eyes.handle)).await else {
            return;
        };
        let wait = if outcome.is_ok() { config.every } else { config.every.min(AGAIN) };
        if eyes.heart.settle(eyes.clock.now().wall, outcome.clone()) {
            match outcome {
                Ok(()) => tracing::info!("the heartbeat arrives again"),
                Err(why) => tracing::warn!(why, "the heartbeat does not arrive; it is tried again"),
            }
        }
        let pause = tokio::time::sleep_until(began + wait);
        if eyes.stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// The way there.
struct Line {
    http: Http,
    address: Address,
}

impl Line {
    fn new(config: &Config, heartbeat: &HeartbeatConfig) -> Result<Self, ChannelError> {
        let url = config.vault.reveal(&heartbeat.url)?;
        // In one's own network such a service often has no TLS.
        let address = address("the heartbeat", &url, Plain::Anywhere)?;
        Ok(Self { http: Http::new()?, address })
    }

    /// One call, if the engine answers.
    async fn call(&self, handle: &Handle) -> Result<(), String> {
        if ask(handle, LIMIT).await.is_none() {
            return Err(String::from("vigie's own engine does not answer"));
        }
        match self.http.get(&self.address, LIMIT).await? {
            200..=299 => Ok(()),
            status => Err(format!("it was answered with {status}")),
        }
    }
}
