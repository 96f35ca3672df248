//! Does: what goes into a restore point, and what refuses one before anything of it is made. Never writes.

use vigie_core::snapshot::Point;
use vigie_core::stack::Role;

use super::create::Wish;
use super::engine::{readable, repository, room, services, weight};
use super::{SnapshotError, project};
use crate::config::Config;
use crate::runtime::docker::{Container, Docker, Volume};

/// The services whose containers become images.
pub(super) fn wanted<'a>(
    wish: &Wish,
    services: &'a [(String, Role, Container)],
) -> Vec<(&'a str, &'a Container)> {
    let named = services.iter().filter(|(name, role, _)| {
        if wish.services.is_empty() { *role == Role::Game } else { wish.services.contains(name) }
    });
    named.map(|(name, _, container)| (name.as_str(), container)).collect()
}

/// What making one would do, in lines; for a dry run.
///
/// # Errors
/// As [`super::create`] before it begins.
pub async fn outline(
    config: &Config,
    docker: &Docker,
    points: &[Point],
    wish: &Wish,
) -> Result<Vec<String>, SnapshotError> {
    let services = services(config, docker).await?;
    refuse(config, docker, points, wish, &services).await?;
    let mut lines = Vec::new();
    for (service, role, _) in &services {
        if let Some(schema) = schema(config, service).filter(|_| *role == Role::Database) {
            lines.push(format!("dump of {schema} from {service}"));
        }
    }
    for (service, container) in wanted(wish, &services) {
        lines.push(format!("image of {service}, from {}", container.image));
    }
    lines.extend(volumes(&services).into_iter().map(|(volume, mounted)| {
        let at: Vec<_> = mounted.iter().map(|(by, at)| format!("{at} in {by}")).collect();
        format!("volume {} ({})", volume.name, at.join(", "))
    }));
    let binds = project::binds(config, &others(&services));
    lines.extend(binds.iter().map(|(inside, _)| format!("files in {}", inside.display())));
    lines.push(String::from("the project's files"));
    Ok(lines)
}

fn schema<'a>(config: &'a Config, service: &str) -> Option<&'a str> {
    config.file.service.get(service)?.database.as_ref()?.schema.as_deref()
}

/// Refuses before anything is begun.
pub(super) async fn refuse(
    config: &Config,
    docker: &Docker,
    points: &[Point],
    wish: &Wish,
    services: &[(String, Role, Container)],
) -> Result<(), SnapshotError> {
    refuse_what_exists(docker, points, wish, services).await?;
    for (service, role, container) in services {
        // Before a rollback the rest is kept all the same; what it needs is looked at there.
        if *role == Role::Database
            && !container.runs
            && !wish.safety
            && let Some(schema) = schema(config, service)
        {
            let why = format!(
                "{service} does not run, so {schema} cannot be dumped; start it first: vigie up {service}"
            );
            return Err(SnapshotError::Nothing(why));
        }
    }
    refuse_what_is_unreadable(config, services)?;
    // A first point takes all of its volumes, a later one what changed.
    let volumes = volumes(services);
    let all: u64 = volumes.iter().map(|(volume, _)| weight(&volume.source)).sum();
    let needed = if points.is_empty() { all } else { all / 10 };
    room(config, &super::Shelf::place(config), needed)
}

async fn refuse_what_exists(
    docker: &Docker,
    points: &[Point],
    wish: &Wish,
    services: &[(String, Role, Container)],
) -> Result<(), SnapshotError> {
    if services.is_empty() {
        let why = "no service of vigie.toml has a container; `docker compose up -d` makes them";
        return Err(SnapshotError::Nothing(why.to_owned()));
    }
    if let Some(missing) =
        wish.services.iter().find(|name| !services.iter().any(|(one, ..)| one == *name))
    {
        let known: Vec<_> = services.iter().map(|(name, ..)| name.as_str()).collect();
        let why = format!("{missing} has no container; those with one: {}", known.join(", "));
        return Err(SnapshotError::Unclear(why));
    }
    if points.iter().any(|point| point.name == wish.name) {
        return Err(SnapshotError::Exists(wish.name.clone()));
    }
    for (_, container) in wanted(wish, services) {
        let reference = format!("{}:{}", repository(container), wish.name);
        if docker.image(&reference).await?.is_some() {
            return Err(SnapshotError::Taken(reference));
        }
    }
    Ok(())
}

/// A dump of minutes for nothing helps nobody: whatever will be read is looked at first.
fn refuse_what_is_unreadable(
    config: &Config,
    services: &[(String, Role, Container)],
) -> Result<(), SnapshotError> {
    let directory = config.directory();
    for (volume, _) in volumes(services) {
        readable(&volume.source)?;
    }
    for (inside, _) in project::binds(config, &others(services)) {
        readable(&directory.join(inside))?;
    }
    let containers: Vec<_> = services.iter().map(|(_, _, container)| container.clone()).collect();
    let members = project::members(config, &containers);
    members.iter().try_for_each(|member| readable(&directory.join(member)))
}

/// The services that are no databases: those are dumped, their files are not read.
pub(super) fn others(services: &[(String, Role, Container)]) -> Vec<(&str, &Container)> {
    let others = services.iter().filter(|(_, role, _)| *role != Role::Database);
    others.map(|(name, _, container)| (name.as_str(), container)).collect()
}

/// The named volumes of all services but databases, each once.
pub(super) fn volumes(
    services: &[(String, Role, Container)],
) -> Vec<(Volume, Vec<(String, String)>)> {
    let mut found: Vec<(Volume, Vec<(String, String)>)> = Vec::new();
    for (service, role, container) in services {
        if *role == Role::Database {
            continue;
        }
        for volume in &container.volumes {
            let mount = (service.clone(), volume.target.clone());
            match found.iter_mut().find(|(known, _)| known.name == volume.name) {
                Some((_, mounted)) => mounted.push(mount),
                None => found.push((volume.clone(), vec![mount])),
            }
        }
    }
    found
}
