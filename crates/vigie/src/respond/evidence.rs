//! Does: collects one snapshot of evidence, everything at the same time and each part within its
//! own limit: what cannot be had in time is named as missing, not waited for.

use std::time::Duration;

use vigie_core::observe::{Inspection, RuntimeState};
use vigie_core::respond::{Evidence, HostEvidence, LuaFinding, Usage};
use vigie_core::stack::ServiceId;

use super::{Redactor, commits, history};
use crate::config::Config;
use crate::observe::{is_own_question, look_at_host};
use crate::runtime::{Runtime, RuntimeError};
use crate::text::{cut, printable};

const LIMIT: Duration = Duration::from_secs(3);
/// Memory use is nice to have; a repair does not wait for it.
const QUICK: Duration = Duration::from_millis(300);
/// Console lines that are kept, as in the seed's procedure.
const LINES: usize = 50;
/// Characters of a line that are kept: evidence stays in the journal for ever.
const WIDTH: usize = 400;
const COMMITS: usize = 5;

/// Collects what can be seen of `service` now.
pub async fn collect(config: &Config, runtime: &dyn Runtime, service: ServiceId) -> Evidence {
    let name = &config.stack.service(service).name;
    let directory = config.directory();
    // The host is no service that a runtime runs.
    let runs = service != config.stack.host();
    let (seen, inspection, console, usage, commits) = tokio::join!(
        look_at_host(&config.file.host.disks),
        async { if runs { inspect(runtime, name).await } else { Ok(unknown()) } },
        async { if runs { console(config, runtime, name).await } else { Ok(Vec::new()) } },
        usage(config, runtime),
        commits(&directory, COMMITS),
    );
    let lua = console.as_ref().ok().and_then(|lines| last_lua_error(lines));
    let (history, mut missing) = history::collect(config, runtime, name, lua.as_ref()).await;
    let inspection = inspection.unwrap_or_else(|why| {
        missing.push(format!("the runtime's word: {why}"));
        unknown()
    });
    let console = console.unwrap_or_else(|why| {
        missing.push(format!("the console: {why}"));
        Vec::new()
    });
    missing.extend(seen.silent.into_iter().map(|what| format!("{what}: no answer in time")));
    Evidence {
        inspection,
        host: HostEvidence {
            memory_available_pct: seen.memory_available_pct,
            disk_used_pct: seen.disk.map(|(pct, _)| pct),
            usage,
        },
        lua,
        console,
        commits,
        missing,
        way_back: history.way_back,
        suspect: history.suspect,
        changed: history.changed,
        ..Evidence::default()
    }
}

fn unknown() -> Inspection {
    Inspection { state: RuntimeState::Unknown, ..Inspection::default() }
}

async fn inspect(runtime: &dyn Runtime, name: &str) -> Result<Inspection, String> {
    match tokio::time::timeout(LIMIT, runtime.inspect(name)).await {
        Ok(seen) => seen.map_err(|error| error.to_string()),
        Err(_) => Err(String::from("no answer in time")),
    }
}

async fn console(
    config: &Config,
    runtime: &dyn Runtime,
    name: &str,
) -> Result<Vec<String>, String> {
    match tokio::time::timeout(LIMIT, last_lines(config, runtime, name, LINES)).await {
        Ok(lines) => lines.map_err(|error| error.to_string()),
        Err(_) => Err(String::from("no answer in time")),
    }
}

/// The last lines of a console, fit for people: no secrets, no escapes, and not vigie's own
/// questions, of which a calm server's console is full.
///
/// # Errors
/// What the runtime says.
pub async fn last_lines(
    config: &Config,
    runtime: &dyn Runtime,
    name: &str,
    count: usize,
) -> Result<Vec<String>, RuntimeError> {
    let redactor = Redactor::of(config);
    let lines = runtime.tail(name, count * 4).await?;
    let lines = lines.iter().map(|line| printable(&String::from_utf8_lossy(line)));
    let lines: Vec<_> = lines.filter(|line| !is_own_question(line)).collect();
    let last = lines[lines.len().saturating_sub(count)..].iter();
    // Cut behind the redactor, which knows no half of a secret.
    Ok(last.map(|line| cut(&redactor.clean(line), WIDTH)).collect())
}

async fn usage(config: &Config, runtime: &dyn Runtime) -> Vec<Usage> {
    let services = config.stack.services().take(32);
    let asked = services.map(|(_, service)| async {
        let usage = tokio::time::timeout(QUICK, runtime.usage(&service.name)).await;
        let usage = usage.ok()?.ok()??;
        Some(Usage {
            service: service.name.clone(),
            mem_bytes: usage.mem_bytes,
            mem_limit: usage.mem_limit,
        })
    });
    let mut usage: Vec<_> =
        futures_util::future::join_all(asked).await.into_iter().flatten().collect();
    usage.sort_by_key(|one| std::cmp::Reverse(one.mem_bytes));
    usage
}

/// The last Lua error among console lines.
fn last_lua_error(lines: &[String]) -> Option<LuaFinding> {
    let error = vigie_core::console::classify_tail(lines)?;
    Some(LuaFinding {
        file: error.guilty.or(error.file).unwrap_or_default(),
        line: error.line.unwrap_or(0),
        message: error.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::process::{Process, ProcessConfig, ProcessService};

    #[tokio::test]
    async fn a_line_that_is_kept_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n";
        let config = Config::parse(&directory.path().join("vigie.toml"), text).unwrap();
        let service = ProcessService {
            name: String::from("gmod"),
            program: "true".into(),
            args: Vec::new(),
            env: Vec::new(),
            directory: None,
            memory: None,
        };
        let state_dir = directory.path().to_owned();
        std::fs::write(state_dir.join("gmod.log"), format!("{}\nshort\n", "é".repeat(60_000)))
            .unwrap();
        let runtime = Process::new(ProcessConfig { state_dir, services: vec![service] }).unwrap();
        let lines = last_lines(&config, &runtime, "gmod", LINES).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.chars().count()).collect::<Vec<_>>(), [WIDTH, 5]);
    }
}
