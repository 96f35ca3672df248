//! Does: collects what was before: an image that worked, the commit that an error is blamed on, the
//! watched files that have changed. Each within its limit; what cannot be had is named.

use std::time::Duration;

use vigie_core::respond::{ChangedFile, LuaFinding, Suspect, WayBack};

use super::{Redactor, blame};
use crate::config::Config;
use crate::runtime::Runtime;
use crate::runtime::docker::{Container, Docker};
use crate::snapshot;

const LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) way_back: Option<WayBack>,
    pub(super) suspect: Option<Suspect>,
    pub(super) changed: Vec<ChangedFile>,
}

/// What was before, for the service `name` and its Lua error; and what could not be had.
pub(super) async fn collect(
    config: &Config,
    runtime: &dyn Runtime,
    name: &str,
    lua: Option<&LuaFinding>,
) -> (History, Vec<String>) {
    let mut missing = Vec::new();
    let docker = runtime.docker();
    let container = match docker {
        Some(docker) => found(docker, name).await,
        None => None,
    };
    let mounts = mounts(config, name, container.as_ref());
    let redactor = Redactor::of(config);
    let way_back = async {
        let Some(docker) = docker else { return Ok(None) };
        let found = snapshot::way_back(config, docker, name, container.as_ref()).await;
        found.map_err(|error| error.to_string())
    };
    let suspect = async {
        let Some(lua) = lua else { return Ok(None) };
        blame::suspect(&mounts, lua, &redactor).await
    };
    let changed = async {
        if lua.is_none() {
            return Ok(Vec::new());
        }
        snapshot::changed_files(config, name, &mounts, &redactor).await
    };
    let (way_back, suspect, changed) =
        tokio::join!(within(way_back), within(suspect), within(changed));
    let mut told = |what: &str, why: String| missing.push(format!("{what}: {why}"));
    let history = History {
        way_back: way_back.unwrap_or_else(|why| {
            told("restore points", why);
            None
        }),
        suspect: suspect.unwrap_or_else(|why| {
            told("the error's commit", why);
            None
        }),
        changed: changed.unwrap_or_else(|why| {
            told("the watched files", why);
            Vec::new()
        }),
    };
    (history, missing)
}

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.unwrap_or_else(|_| Err(String::from("no answer in time")))
}

/// That the engine does not answer is said elsewhere.
async fn found(docker: &Docker, name: &str) -> Option<Container> {
    tokio::time::timeout(LIMIT, docker.container(name)).await.ok()?.ok()?
}

/// Directories of this host, and where the service has them; a process has its own directory.
fn mounts(config: &Config, name: &str, container: Option<&Container>) -> Vec<(String, String)> {
    if let Some(container) = container {
        let told = container
            .binds
            .iter()
            .map(|(here, there)| (here.to_string_lossy().into_owned(), there.clone()));
        return told.collect();
    }
    let Some(service) = config.file.service.get(name) else { return Vec::new() };
    if service.command.is_empty() {
        return Vec::new();
    }
    let at = service
        .directory
        .as_ref()
        .map_or_else(|| config.directory(), |directory| config.directory().join(directory));
    vec![(at.to_string_lossy().into_owned(), String::new())]
}
