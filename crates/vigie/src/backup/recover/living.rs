//! Does: looks whether anything of the stack is on this host already. A recovery is for a bare host: it
//! never writes over a stack that lives, nor over what is left of one.

use std::path::{Path, PathBuf};

use vigie_core::drift::{Keeping, Layout};
use vigie_core::stack::Role;

use super::RecoverError;
use super::ledger::State;
use super::plan::Step;
use crate::backup::BackupError;
use crate::config::Config;
use crate::runtime::docker::Docker;

/// Where the project is while it is looked at, and where it comes to.
pub(super) struct Place<'a> {
    pub(super) directory: &'a Path,
    pub(super) target: &'a Path,
}

/// Refuses when something of the stack is there that the recovery did not make itself.
pub(super) async fn refuse(
    docker: &Docker,
    layout: &Layout,
    steps: &[(String, Step)],
    known: Option<&State>,
    place: &Place<'_>,
    config: &Config,
) -> Result<(), RecoverError> {
    let project = &layout.project;
    if !known.is_some_and(|state| state.started) {
        let there = docker.containers_of(layout).await?;
        if !there.is_empty() {
            return Err(RecoverError::Living(format!(
                "the stack {project} has containers on this host: {}; look: docker ps -a --filter \
                 label=com.docker.compose.project={project}; if they are in the way, take them down first",
                there.join(", ")
            )));
        }
    }
    // What the steps that are left would play over must not have begun to live meanwhile.
    if let Some(state) = known.filter(|state| state.started) {
        let is_left = |name: &str| !state.done.iter().any(|one| one.step == name);
        let plays = |step: &(String, Step)| matches!(step.1, Step::Dump(..)) && is_left(&step.0);
        if let Some(last) = steps.iter().rposition(plays) {
            for (name, step) in &steps[last..] {
                let Step::Start(id) = step else { continue };
                let service = &config.stack.service(*id).name;
                if docker.container(service).await?.is_some_and(|container| container.runs) {
                    return Err(RecoverError::Living(format!(
                        "{service} runs, and {name} is still to come: somebody started it by hand, and its \
                         database would be replaced under it; stop it first (docker compose stop {service}), \
                         and run the same command again"
                    )));
                }
            }
        }
    }
    let is_own = |name: &str| known.is_some_and(|state| state.own.contains(name));
    for volume in layout.volumes.iter().filter(|one| !is_own(&one.name)) {
        // What containers that were started here have made is their own.
        if known.is_some_and(|state| state.started) {
            continue;
        }
        let there = docker.volume(&volume.name).await?;
        let at = match volume.keeping() {
            Keeping::Directory(at) => PathBuf::from(at),
            _ => match there {
                Some(room) => room.at,
                None => continue,
            },
        };
        if !is_empty(&at)? {
            let name = &volume.name;
            let away = match volume.keeping() {
                Keeping::Directory(_) => String::from("move it away if nobody needs it"),
                _ => format!("if nobody needs it: docker volume rm {name}"),
            };
            return Err(RecoverError::Living(format!(
                "the volume {name} is on this host and has something in it; look: ls -la {}; {away}",
                at.display()
            )));
        }
    }
    for path in directories(layout, steps, place, config) {
        let name = path.display().to_string();
        if !is_own(&name) && !known.is_some_and(|state| state.started) && !is_empty(&path)? {
            return Err(RecoverError::Living(format!(
                "{name} is on this host and has something in it; look: ls -la {name}; move it away if \
                 nobody needs it"
            )));
        }
    }
    Ok(())
}

/// Directories outside the project that are written, or that a database keeps its data in.
fn directories(
    layout: &Layout,
    steps: &[(String, Step)],
    place: &Place<'_>,
    config: &Config,
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (_, step) in steps {
        if let Step::Files(pick) = step {
            found.push(place.target.join(&pick.manifest.asset.what));
        }
    }
    for (_, service) in config.stack.services().filter(|(_, one)| one.role == Role::Database) {
        let paths = layout.services.get(&service.name).map(|needs| needs.paths.as_slice());
        found.extend(paths.unwrap_or_default().iter().map(PathBuf::from));
    }
    let is_outside =
        |path: &PathBuf| !path.starts_with(place.target) && !path.starts_with(place.directory);
    found.retain(|path| is_outside(path) && !path.is_file());
    found
}

pub(super) fn is_empty(path: &Path) -> Result<bool, RecoverError> {
    match std::fs::read_dir(path) {
        Ok(mut inside) => Ok(inside.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(BackupError::File(path.to_owned(), error).into()),
    }
}

/// Refuses when an image is neither on this host nor in a backup: it is had before anything is begun.
pub(super) async fn refuse_images(
    docker: &Docker,
    layout: &Layout,
    steps: &[(String, Step)],
) -> Result<(), RecoverError> {
    let mut missing = Vec::new();
    for (service, needs) in &layout.services {
        let names = layout.images(service);
        let is_kept = steps.iter().any(|(_, step)| match step {
            Step::Image(pick) => names.contains(&pick.manifest.asset.what),
            _ => false,
        });
        let mut is_there = is_kept;
        for name in &names {
            is_there = is_there || docker.image(name).await?.is_some();
        }
        if is_there {
            continue;
        }
        let image = names.join(" or ");
        let how = if needs.builds {
            format!(
                "build it where its sources are, and bring it here (docker save, docker load): {image}"
            )
        } else {
            format!("docker pull {image}")
        };
        missing.push(format!("{image} of {service} ({how})"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    missing.dedup();
    Err(RecoverError::Nothing(format!(
        "these images are in no backup and not on this host: {}; bring them here, and run the same command \
         again",
        missing.join(", ")
    )))
}
