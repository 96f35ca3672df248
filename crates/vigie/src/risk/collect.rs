//! Does: collects what the mitigations are checked by: containers and images, the compose file, the
//! repository. What cannot be looked at says why.

use std::path::Path;
use std::time::Duration;

use vigie_core::learn::risk::{BuiltFacts, Facts, GitFacts, Looked, ServiceFacts};

use crate::app;
use crate::backup::glance;
use crate::config::init::{ComposeProject, read_project};
use crate::config::{Config, RuntimeKind};
use crate::respond::remotes;
use crate::runtime::docker::Docker;

const LIMIT: Duration = Duration::from_secs(10);

/// Looks at everything.
pub async fn collect(config: &Config) -> Facts {
    let docker = match config.file.stack.runtime {
        RuntimeKind::Docker => app::docker_runtime(config).map_err(|error| error.to_string()),
        RuntimeKind::Process => {
            Err(String::from("it has no container: vigie itself starts it again"))
        }
    };
    let directory = config.directory();
    let project = match &config.file.stack.compose {
        Some(file) => read_project(&directory.join(file))
            .map_err(|error| format!("{}: {}", file.display(), error.what)),
        None => Err(String::from("vigie.toml names no compose file")),
    };
    let looks = config.stack.services().map(|(_, service)| {
        let (docker, project) = (&docker, &project);
        async move {
            ServiceFacts {
                name: service.name.clone(),
                role: service.role,
                container: container(docker, &service.name).await,
                built: built(project, &service.name),
            }
        }
    });
    let (services, git) = tokio::join!(futures_util::future::join_all(looks), git(&directory));
    Facts { services, git, backup_age: Ok(backup_age(config)) }
}

/// Seconds since the oldest of the newest backups at the site that is furthest: that much is lost with the
/// host. A site that is damaged gives nothing back.
fn backup_age(config: &Config) -> Option<u64> {
    let sites = glance(config)?.sites;
    let sound = sites.iter().filter(|site| !site.damaged);
    let at = sound.filter_map(|site| site.oldest).max()?;
    let gone = jiff::Timestamp::now().as_millisecond().saturating_sub(at);
    Some(u64::try_from(gone / 1_000).unwrap_or(0))
}

async fn container(
    docker: &Looked<Docker>,
    service: &str,
) -> Looked<vigie_core::learn::risk::ContainerFacts> {
    let docker = docker.as_ref().map_err(Clone::clone)?;
    match tokio::time::timeout(LIMIT, docker.facts(service)).await {
        Ok(Ok(Some(facts))) => Ok(facts),
        Ok(Ok(None)) => Err(String::from("it has no container; `docker compose up -d` makes one")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(String::from("no answer in time")),
    }
}

fn built(project: &Looked<ComposeProject>, service: &str) -> Looked<BuiltFacts> {
    let project = project.as_ref().map_err(Clone::clone)?;
    let found = project.services.iter().find(|one| one.name == service);
    let found = found.ok_or_else(|| String::from("the compose file has no such service"))?;
    let waits = |(name, condition): &(String, Option<String>)| {
        (name.clone(), condition.as_deref() == Some("service_healthy"))
    };
    Ok(BuiltFacts { depends_on: found.depends_on.iter().map(waits).collect() })
}

async fn git(directory: &Path) -> Looked<Option<GitFacts>> {
    let seen = remotes(directory).await?;
    Ok(seen.map(|(remotes, pushed)| GitFacts { remotes, pushed }))
}
