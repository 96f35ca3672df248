//! Does: `vigie snapshot …`: restore points made, shown, gone back to and pruned. While it works, the
//! watch is told that a person is at it.

mod adopt;
mod create;
mod discard;
mod points;
mod rollback;

use std::path::Path;
use std::sync::Arc;

use vigie_core::snapshot::PointName;

use super::args::SnapshotCommand;
use super::bar::Bar;
use super::held::Held;
use super::{Exit, Failure};
use crate::app::docker_runtime;
use crate::config::{Config, RuntimeKind};
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Place, Shelf, SnapshotError};
use crate::text::size;

/// Who declares maintenance, in the journal.
const BY: &str = "vigie snapshot rollback";

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let exit = match &error {
            SnapshotError::Name(_)
            | SnapshotError::Unknown(_)
            | SnapshotError::Exists(_)
            | SnapshotError::Taken(_)
            | SnapshotError::Unclear(_) => Exit::Usage,
            SnapshotError::Engine(error) if error.is_lost() => Exit::Unreachable,
            SnapshotError::Full { .. }
            | SnapshotError::Unreadable(_)
            | SnapshotError::Busy
            | SnapshotError::Compose(..) => Exit::Refused,
            _ => Exit::Finding,
        };
        Self::new(exit, error)
    }
}

pub(super) async fn run(path: &Path, command: SnapshotCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    if config.file.stack.runtime != RuntimeKind::Docker {
        let why = "restore points are of a Docker stack; this one has `runtime = \"process\"`";
        return Err(Failure::say(Exit::Usage, why));
    }
    let docker = docker_runtime(&config)?;
    match command {
        SnapshotCommand::Create(args) => create::run(&config, &docker, &args).await,
        SnapshotCommand::Adopt(args) => adopt::run(&config, &docker, &args).await,
        SnapshotCommand::List { json } => points::list(&config, &docker, json).await,
        SnapshotCommand::Show { name, json } => points::show(&config, &name, json),
        SnapshotCommand::Diff { one, other, json } => {
            points::diff(&config, &docker, &one, &other, json).await
        }
        SnapshotCommand::Rollback(args) => rollback::run(&config, &docker, &args).await,
        SnapshotCommand::Prune { name, dry_run } => {
            discard::run(&config, &docker, name.as_ref(), dry_run).await
        }
        SnapshotCommand::Push { name, to, dry_run } => {
            push(&config, &docker, &name, to.as_deref(), dry_run).await
        }
        SnapshotCommand::Pull { name, dry_run } => pull(&config, &docker, &name, dry_run).await,
    }
}

fn say(text: &str) {
    println!("  {text}");
}

/// Where long works show how far they are.
fn bar() -> Arc<Bar> {
    Arc::new(Bar::new())
}

/// Opens the shelf; what somebody left half done is taken back first.
async fn opened(config: &Config, docker: &Docker) -> Result<Shelf, Failure> {
    let shelf = Shelf::open(config)?;
    if shelf.intent()?.is_some() || shelf.making()?.is_some() {
        let held = Held::begin(config, BY).await;
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        let resumed = snapshot::resume(&place).await;
        held.end(config).await;
        resumed?;
    }
    Ok(shelf)
}

/// Before the watch begins: what a killed rollback left half done is taken back, or the watch would see
/// faults where somebody only was not finished. When it cannot be, that is said, and the watch begins.
pub(super) async fn finish_what_was_begun(config: &Config) {
    if config.file.stack.runtime != RuntimeKind::Docker || !Shelf::is_interrupted(config) {
        return;
    }
    let resume = async {
        let docker = docker_runtime(config)?;
        let shelf = Shelf::open(config)?;
        let place = Place { config, docker: &docker, shelf: &shelf, meter: None, say: &say };
        snapshot::resume(&place).await?;
        Ok::<_, Failure>(())
    };
    if let Err(error) = resume.await {
        tracing::error!(%error, "AN INTERRUPTED ROLLBACK COULD NOT BE TAKEN BACK; try: vigie snapshot prune");
    }
}

async fn players(config: &Config) -> Option<u32> {
    let mut sum = None;
    for service in config.file.service.values() {
        let Some(a2s) = &service.a2s else { continue };
        if let Ok(seen) = crate::observe::query_a2s(&a2s.address, a2s.timeout).await {
            sum = Some(sum.unwrap_or(0) + u32::from(seen.players));
        }
    }
    sum
}

async fn push(
    config: &Config,
    docker: &Docker,
    name: &PointName,
    to: Option<&str>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let point = Shelf::look_at(config, name)?;
        for image in &point.images {
            let repository = to.unwrap_or(&image.repository);
            println!("would push {repository}:{}, {}", image.tag, size(image.size));
        }
        return Ok(Exit::Fine);
    }
    let shelf = opened(config, docker).await?;
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    let point = snapshot::push(&place, name, to).await?;
    for image in point.images.iter().filter_map(|image| image.off_site.as_deref()) {
        println!("off-site: {image}");
    }
    Ok(Exit::Fine)
}

async fn pull(
    config: &Config,
    docker: &Docker,
    name: &PointName,
    dry_run: bool,
) -> Result<Exit, Failure> {
    if dry_run {
        let point = Shelf::look_at(config, name)?;
        for image in &point.images {
            let from = image.off_site.as_deref().unwrap_or("nothing: it was never pushed");
            println!("would pull {from}");
        }
        return Ok(Exit::Fine);
    }
    let shelf = opened(config, docker).await?;
    let bar = bar();
    let step = |text: &str| bar.step(text);
    let place = Place { config, docker, shelf: &shelf, meter: Some(bar.clone()), say: &step };
    snapshot::pull(&place, name).await?;
    println!("the images of {name} are here again");
    Ok(Exit::Fine)
}
