//! What the fake knows, and how one thing follows from another in it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;
use vigie::runtime::{News, RuntimeError};
use vigie_core::observe::{RuntimeEvent, RuntimeState};

use super::record::Record;
use super::service::Virtual;
use super::{Call, Fate};

/// Events kept for those who come back.
const EVENTS: usize = 16 * 1024;

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    services: BTreeMap<String, Virtual>,
    pub(super) events: Record<News>,
    pub(super) lost: bool,
    /// Counts losses, which end the feeds of before.
    pub(super) losses: u64,
    pub(super) delays: HashMap<Call, Duration>,
    pub(super) failures: HashMap<Call, VecDeque<RuntimeError>>,
    pub(super) calls: Vec<(Call, String)>,
    born: (Instant, i64),
}

/// What has to happen later to a service that was just started or has just died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Later {
    pub(super) service: String,
    pub(super) life: u64,
    pub(super) after: Duration,
    /// An end with this code, or a start by the restart policy.
    pub(super) code: Option<i32>,
}

impl World {
    pub(super) fn new(services: BTreeMap<String, Virtual>) -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            services,
            events: Record::of_at_most(EVENTS),
            lost: false,
            losses: 0,
            delays: HashMap::new(),
            failures: HashMap::new(),
            calls: Vec::new(),
            born: (Instant::now(), i64::try_from(wall.as_millis()).unwrap_or(0)),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.services.keys().cloned().collect()
    }

    pub(super) fn find(&mut self, service: &str) -> Result<&mut Virtual, RuntimeError> {
        let known = || self.services.keys().cloned().collect::<Vec<_>>().join(", ");
        if !self.services.contains_key(service) {
            return Err(RuntimeError::Unknown { service: service.to_owned(), known: known() });
        }
        Ok(self.services.entry(service.to_owned()).or_default())
    }

    pub(super) fn look(&self, service: &str) -> Option<&Virtual> {
        self.services.get(service)
    }

    pub(super) fn tell(&mut self, service: &str, event: RuntimeEvent) {
        let elapsed = i64::try_from(self.born.0.elapsed().as_millis()).unwrap_or(0);
        // No two at one time: who asks for everything after the last one seen misses none.
        let after = self.events.last().map_or(i64::MIN, |news| news.wall_ms + 1);
        let wall_ms = (self.born.1 + elapsed).max(after);
        self.events.push(News { service: service.to_owned(), wall_ms, event });
    }

    pub(super) fn print(&mut self, service: &str, line: &str) {
        if let Ok(found) = self.find(service) {
            found.console.push(Bytes::copy_from_slice(line.as_bytes()));
        }
    }

    /// Starts a service, unless it lives.
    pub(super) fn start(&mut self, service: &str) -> Result<Option<Later>, RuntimeError> {
        let found = self.find(service)?;
        if found.lives() {
            return Ok(None);
        }
        let later = match &found.fate {
            Fate::Refuses(why) => {
                let (what, service, why) = ("starting", service.to_owned(), why.clone());
                return Err(RuntimeError::Refused { what, service, why });
            }
            Fate::Lives => None,
            Fate::Dies { after, code } => Some((*after, *code)),
        };
        found.state = RuntimeState::Running;
        found.since = Some(Instant::now());
        found.life += 1;
        (found.exit_code, found.oom, found.deaf) = (None, false, false);
        let life = found.life;
        self.tell(service, RuntimeEvent::Started);
        let service = service.to_owned();
        Ok(later.map(|(after, code)| Later { service, life, after, code: Some(code) }))
    }

    /// Ends a service's process; nothing happens when there is none.
    pub(super) fn die(&mut self, service: &str, code: i32) -> bool {
        let Ok(found) = self.find(service) else { return false };
        if !found.lives() {
            return false;
        }
        found.state = RuntimeState::Exited;
        found.exit_code = Some(code);
        found.since = None;
        self.tell(service, RuntimeEvent::Died { exit_code: Some(code) });
        true
    }

    /// Ends it as something that nobody asked for, which a restart policy answers.
    pub(super) fn crash(&mut self, service: &str, code: i32) -> Option<Later> {
        if !self.die(service, code) {
            return None;
        }
        let found = self.find(service).ok().filter(|found| found.restarts_itself)?;
        found.state = RuntimeState::Restarting;
        let after = Duration::from_millis(100 << found.restarts.min(9));
        Some(Later { service: service.to_owned(), life: found.life, after, code: None })
    }

    /// What was planned for one life of a service.
    pub(super) fn happen(&mut self, later: &Later) -> Option<Later> {
        let found = self.find(&later.service).ok().filter(|found| found.life == later.life)?;
        match later.code {
            Some(code) => self.crash(&later.service, code),
            None if found.state == RuntimeState::Restarting => {
                found.restarts += 1;
                self.start(&later.service).ok().flatten()
            }
            None => None,
        }
    }
}
