//! Does: tells the watch that a person is at work, and when that is over; asks it what it sees.

use std::time::{Duration, Instant};

use vigie_core::stack::ServiceId;

use super::UpError;
use crate::config::Config;
use crate::control::{Answer, Client, ControlError, Request};
use crate::report::{ServiceStatus, Status};

/// Time that the watch has to see what was done: its slowest look is every ten seconds.
const SEEN: Duration = Duration::from_secs(45);
const BETWEEN: Duration = Duration::from_millis(500);
/// What Compose may take for one service, beside its time to answer.
const COMPOSE: Duration = Duration::from_secs(180);

/// A watch that knows that somebody is at work.
#[derive(Debug)]
pub struct Told<'a> {
    config: &'a Config,
    by: String,
    // Maintenance that somebody else declared is not this one's to end.
    ours: bool,
}

impl<'a> Told<'a> {
    /// Asks the watch of `config`; `None` when none runs.
    ///
    /// # Errors
    /// When one runs that cannot be told: it would repair what is being changed.
    pub async fn find(config: &'a Config, by: String) -> Result<Option<Self>, UpError> {
        match ask(config, &Request::Status).await {
            Err(ControlError::NotRunning { .. }) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(answer) => {
                let ours = status_of(answer)?.maintenance.is_none();
                Ok(Some(Self { config, by, ours }))
            }
        }
    }

    /// Declares maintenance for the time that a service may take; should this process be killed, it ends
    /// by itself soon after.
    ///
    /// # Errors
    /// When the watch does not take it.
    pub async fn declare(&self, limit: Duration) -> Result<(), UpError> {
        if !self.ours {
            return Ok(());
        }
        let minutes = Some((limit + COMPOSE).as_secs().div_ceil(60));
        match ask(self.config, &Request::Maintenance { minutes, by: self.by.clone() }).await? {
            Answer::Refused { why } => Err(UpError::Refused(why)),
            _ => Ok(()),
        }
    }

    /// Ends the maintenance that was declared here.
    ///
    /// # Errors
    /// When the watch does not answer; the maintenance ends by itself then.
    pub async fn end(&self) -> Result<(), UpError> {
        if self.ours {
            ask(self.config, &Request::Maintenance { minutes: None, by: self.by.clone() }).await?;
        }
        Ok(())
    }

    /// Waits until the watch sees `services` well and as the compose file says.
    ///
    /// # Errors
    /// What it sees instead.
    pub async fn sees_well(&self, services: &[ServiceId]) -> Result<(), UpError> {
        let end = Instant::now() + SEEN;
        loop {
            let status = status_of(ask(self.config, &Request::Status).await?)?;
            let names = services.iter().map(|id| self.config.stack.service(*id).name.as_str());
            let wrong = names.filter_map(|name| {
                wrong(status.services.iter().find(|service| service.name == name)?)
            });
            let wrong: Vec<_> = wrong.collect();
            if wrong.is_empty() {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(UpError::NotVerified(wrong.join("; ")));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

fn wrong(service: &ServiceStatus) -> Option<String> {
    let name = &service.name;
    match service.drift.first() {
        Some(difference) => Some(format!("{name}: {difference}")),
        // A service without any proof has no health.
        None if matches!(service.health.as_str(), "healthy" | "none") => None,
        None => Some(format!("{name} is {}, {}", service.state, service.health)),
    }
}

/// A connection for each question: the watch closes those that are quiet for long.
async fn ask(config: &Config, request: &Request) -> Result<Answer, ControlError> {
    Client::connect(&config.socket()).await?.ask(request).await
}

fn status_of(answer: Answer) -> Result<Box<Status>, UpError> {
    match answer {
        Answer::Status { status } => Ok(status),
        Answer::Refused { why } => Err(UpError::Refused(why)),
        _ => Err(UpError::Refused(String::from("it answered something else"))),
    }
}
