//! Decides what is watched: the services of a stack, their roles, proofs and limits. Never learns
//! them by itself: the configuration hands them in.

mod order;
mod settings;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use settings::{Budget, Mode, Settings, Targets, Thresholds, WhenSpent};

use crate::respond::Runbook;

/// A service's place in its stack; the host itself has one too (see [`Stack::host`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u16);

impl ServiceId {
    /// The index into the stack's services.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a service is for; it decides severities, proofs and runbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What players connect to.
    Game,
    /// What the game keeps its data in.
    Database,
    /// Anything else.
    Other,
}

/// The ways in which a service can be asked whether it works, beside its runtime's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proofs {
    /// The A2S query over UDP.
    pub a2s: bool,
    /// An RCON login and a harmless command.
    pub rcon: bool,
    /// A TCP connection.
    pub tcp: bool,
    /// A login and `SELECT 1`.
    pub database: bool,
}

/// One service of the stack.
#[derive(Debug, Clone)]
pub struct Service {
    /// The name in the compose file, which people know.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Services without which it cannot work.
    pub depends_on: Vec<ServiceId>,
    /// How it can be asked.
    pub proofs: Proofs,
    /// How long a start may take while nothing has been learned yet.
    pub boot_grace: Duration,
    /// Limits of its detectors.
    pub thresholds: Thresholds,
}

impl Service {
    /// A service with defaults and no proofs.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
            depends_on: Vec::new(),
            proofs: Proofs::default(),
            boot_grace: Duration::from_secs(180),
            thresholds: Thresholds::default(),
        }
    }
}

/// Everything the engine needs to know of what it watches.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The name shown to people.
    pub name: String,
    services: Vec<Service>,
    /// How vigie behaves.
    pub settings: Settings,
    /// The runbooks, in the order in which they are tried.
    pub runbooks: Vec<Runbook>,
}

/// The name under which the host's own symptoms are kept.
pub const HOST: &str = "host";

impl Stack {
    /// A stack of `services`; the host is added behind them.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        mut services: Vec<Service>,
        settings: Settings,
        runbooks: Vec<Runbook>,
    ) -> Self {
        services.push(Service::new(HOST, Role::Other));
        Self { name: name.into(), services, settings, runbooks }
    }

    /// The host's own id.
    #[must_use]
    pub fn host(&self) -> ServiceId {
        ServiceId(u16::try_from(self.services.len() - 1).unwrap_or(u16::MAX))
    }

    /// A service, the host included.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.index()]
    }

    /// The services that a runtime runs: all but the host.
    pub fn services(&self) -> impl Iterator<Item = (ServiceId, &Service)> {
        (0..).map(ServiceId).zip(&self.services[..self.services.len() - 1])
    }

    /// How many ids there are, the host included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there is no service but the host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.len() == 1
    }

    /// The id of a service by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        let at = self.services.iter().position(|service| service.name == name)?;
        Some(ServiceId(u16::try_from(at).unwrap_or(u16::MAX)))
    }

    /// Whether `service` needs `other`, directly or through services in between.
    #[must_use]
    pub fn depends(&self, service: ServiceId, other: ServiceId) -> bool {
        let mut seen = vec![false; self.services.len()];
        let mut todo = self.service(service).depends_on.clone();
        while let Some(next) = todo.pop() {
            if next == other {
                return true;
            }
            if !std::mem::replace(&mut seen[next.index()], true) {
                todo.extend_from_slice(&self.service(next).depends_on);
            }
        }
        false
    }
}
