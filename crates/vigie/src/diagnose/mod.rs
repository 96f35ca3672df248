//! Does: one look at everything that helps to find a fault, without the daemon: the seed's
//! diagnostic script and more. Changes nothing.

mod bundle;
mod plan;
mod render;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use vigie_core::observe::{Inspection, Refusal};
use vigie_core::respond::Commit;
use vigie_core::stack::Role;

pub use bundle::write as write_bundle;
pub use plan::{Plan, plan, told};
pub use render::render;

use crate::config::{Config, ServiceConfig};
use crate::observe::{RconLink, connect_tcp, look_at_host, query_a2s, query_database};
use crate::report::{millis, rfc3339};
use crate::respond::{commits, head, last_lines};
use crate::runtime::{Runtime, RuntimeError, Usage};
use crate::text::printable;

/// What a look says when its login is refused.
pub(crate) const CREDENTIALS: &str = "the credentials are wrong";
const LINES: usize = 50;
const LIMIT: Duration = Duration::from_secs(5);
const BETWEEN_SAMPLES: Duration = Duration::from_millis(500);

/// The whole report; see `docs/guide/json.md`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the shape is documented in the guide, field by field")]
pub struct Diagnosis {
    pub stack: String,
    pub taken: String,
    pub runtime: RuntimeReport,
    pub host: HostReport,
    pub services: Vec<ServiceReport>,
    pub git: GitReport,
    /// What is wrong, worst first, one line each.
    pub findings: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct RuntimeReport {
    pub name: &'static str,
    pub version: Option<String>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct HostReport {
    pub memory_available_pct: Option<f32>,
    pub memory_total_bytes: u64,
    pub disk_used_pct: Option<f32>,
    pub disk: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct GitReport {
    pub head: Option<String>,
    pub commits: Vec<Commit>,
}

/// What one way of looking showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct ProbeReport {
    pub probe: &'static str,
    pub address: String,
    pub ok: bool,
    pub says: String,
    pub latency_ms: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct ConsoleLine {
    pub text: String,
    pub error: bool,
}

#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "as above")]
pub struct ServiceReport {
    pub name: String,
    pub role: Role,
    pub inspection: Option<Inspection>,
    pub error: Option<String>,
    pub probes: Vec<ProbeReport>,
    pub cpu_pct: Option<f32>,
    pub mem_bytes: Option<u64>,
    pub mem_limit_bytes: Option<u64>,
    pub drift: Vec<String>,
    pub console: Vec<ConsoleLine>,
}

/// Looks at everything.
pub async fn diagnose(config: &Config, runtime: &Arc<dyn Runtime>) -> Diagnosis {
    let reachable = tokio::time::timeout(LIMIT, runtime.ping()).await;
    let (version, error) = match reachable {
        Ok(Ok(version)) => (Some(version), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, Some(String::from("no answer in time"))),
    };
    let looks = config.stack.services().map(|(_, service)| {
        let file = &config.file.service[&service.name];
        look(config, runtime.as_ref(), &service.name, file)
    });
    let directory = config.directory();
    let (services, head, commits) = tokio::join!(
        futures_util::future::join_all(looks),
        head(&directory),
        commits(&directory, 5)
    );
    let seen = look_at_host(&config.file.host.disks).await;
    let mut diagnosis = Diagnosis {
        stack: config.stack.name.clone(),
        taken: rfc3339(jiff::Timestamp::now().as_millisecond()),
        runtime: RuntimeReport { name: runtime.name(), version, error },
        host: HostReport {
            memory_available_pct: seen.memory_available_pct,
            memory_total_bytes: seen.memory_total,
            disk_used_pct: seen.disk.as_ref().map(|(pct, _)| *pct),
            disk: seen.disk.map(|(_, path)| path),
        },
        services,
        git: GitReport { head, commits },
        findings: Vec::new(),
    };
    diagnosis.findings = render::findings(&diagnosis);
    diagnosis
}

async fn look(
    config: &Config,
    runtime: &dyn Runtime,
    name: &str,
    file: &ServiceConfig,
) -> ServiceReport {
    let (inspection, usage, tail, drift, probes) = tokio::join!(
        tokio::time::timeout(LIMIT, runtime.inspect(name)),
        tokio::time::timeout(LIMIT, usage(runtime, name)),
        tokio::time::timeout(LIMIT, last_lines(config, runtime, name, LINES)),
        tokio::time::timeout(LIMIT * 2, runtime.drift(name)),
        probe(config, file),
    );
    let (inspection, error) = match inspection {
        Ok(Ok(seen)) => (Some(seen), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, Some(String::from("no answer in time"))),
    };
    let usage = usage.ok().and_then(Result::ok).flatten();
    let lines = tail.ok().and_then(Result::ok).unwrap_or_default();
    let console = lines.into_iter().map(|text| ConsoleLine { error: is_error(&text), text });
    ServiceReport {
        name: name.to_owned(),
        role: file.role,
        inspection,
        error,
        probes,
        cpu_pct: usage.and_then(|usage| usage.cpu_pct),
        mem_bytes: usage.map(|usage| usage.mem_bytes),
        mem_limit_bytes: usage.and_then(|usage| usage.mem_limit),
        drift: match drift {
            Ok(Ok(differences)) => differences,
            Ok(Err(error)) => vec![format!("not known: {error}")],
            Err(_) => vec![String::from("not known: no answer in time")],
        },
        console: console.collect(),
    }
}

/// A service's use, sampled twice: one sample says nothing of the CPU.
async fn usage(runtime: &dyn Runtime, name: &str) -> Result<Option<Usage>, RuntimeError> {
    let first = runtime.usage(name).await?;
    if first.is_none_or(|usage| usage.cpu_pct.is_some()) {
        return Ok(first);
    }
    tokio::time::sleep(BETWEEN_SAMPLES).await;
    runtime.usage(name).await
}

/// Whether a console line is an error, by the same patterns that the watch uses.
fn is_error(line: &str) -> bool {
    use vigie_core::console::{ConsoleEvent, Matcher};
    let mut matcher = Matcher::new();
    let mut error = false;
    let mut heed = |event: ConsoleEvent| {
        error |= !matches!(
            event,
            ConsoleEvent::Ready
                | ConsoleEvent::DatabaseFound { .. }
                | ConsoleEvent::ModuleLoaded { .. }
                | ConsoleEvent::MapChange { .. }
                | ConsoleEvent::Workshop { .. }
        );
    };
    matcher.line(line.as_bytes(), &mut heed);
    matcher.flush(&mut heed);
    error || line.contains("[ERROR]") || line.contains("[Error]") || line.contains(" ERROR")
}

/// Looks at a service in every configured way.
pub(crate) async fn probe(config: &Config, file: &ServiceConfig) -> Vec<ProbeReport> {
    let mut probes = Vec::new();
    if let Some(probe) = &file.a2s {
        let seen = query_a2s(&probe.address, probe.timeout).await;
        probes.push(report("a2s", &probe.address, seen, |sample| {
            let map = printable(&sample.map);
            (format!("{}/{} players on {map}", sample.players, sample.max_players), sample.latency)
        }));
    }
    if let Some(probe) = &file.rcon {
        let seen = match config.vault.reveal(&probe.password) {
            Ok(password) => RconLink::open(&probe.address, &password, probe.timeout)
                .await
                .map_err(|problem| problem.refusal()),
            Err(error) => Err(Refusal::Unable(error.to_string())),
        };
        let seen = seen.map(|link| link.login_took());
        probes.push(report("rcon", &probe.address, seen, |took| {
            (String::from("login works"), *took)
        }));
    }
    if let Some(probe) = &file.tcp {
        let greeted = file.role == Role::Database;
        let seen = connect_tcp(&probe.address, probe.timeout, greeted).await;
        probes.push(report("tcp", &probe.address, seen, |took| (String::from("connects"), *took)));
    }
    if let Some(probe) = &file.database {
        let seen = match config.vault.reveal(&probe.password) {
            Ok(password) => query_database(probe, &password).await,
            Err(error) => Err(Refusal::Unable(error.to_string())),
        };
        probes.push(report("database", &probe.address, seen, |sample| {
            let says = format!(
                "SELECT 1 works; {} connections, {} slow queries",
                sample.connections, sample.slow_queries
            );
            (says, sample.latency)
        }));
    }
    probes
}

fn report<T>(
    probe: &'static str,
    address: &str,
    seen: Result<T, Refusal>,
    says: impl Fn(&T) -> (String, Duration),
) -> ProbeReport {
    let (ok, says, latency_ms) = match seen {
        Ok(seen) => {
            let (says, latency) = says(&seen);
            (true, says, Some(millis(latency)))
        }
        Err(why) => (false, refusal(&why), None),
    };
    ProbeReport { probe, address: address.to_owned(), ok, says, latency_ms }
}

fn refusal(why: &Refusal) -> String {
    match why {
        Refusal::Timeout => String::from("no answer in time"),
        Refusal::Refused => String::from("connection refused"),
        Refusal::Garbled(what) => format!("an answer that is none: {}", printable(what)),
        Refusal::Credentials => String::from(CREDENTIALS),
        Refusal::Unable(what) => format!("could not be asked: {}", printable(what)),
    }
}
