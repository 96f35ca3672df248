//! Does: the steps of a recovery, one after the other, each noted when it is done. A step that was
//! interrupted is done again from its beginning; each leaves the same whatever was there of it.

use std::path::Path;
use std::time::{Duration, Instant};

use vigie_core::backup::Kind;
use vigie_core::drift::Keeping;
use vigie_core::stack::ServiceId;

use super::RecoverError;
use super::dump::Playing;
use super::images;
use super::ledger::{Done, Ledger, State};
use super::picks::Pick;
use super::plan::{PROJECT, Plan, Step, bring_project, engine, read};
use super::report::{Report, report};
use super::volumes;
use crate::backup::outside::put;
use crate::backup::restore::{Bringer, Way};
use crate::backup::{BackupError, Tell, There};
use crate::clock::wall_ms;
use crate::config::Config;
use crate::runtime::docker::Docker;
use crate::runtime::{Runtime as _, RuntimeError};
use crate::up::{limit, prove};

/// What a first start may take: a database sets itself up before it answers.
const PATIENCE: Duration = Duration::from_secs(300);
/// Tries of Compose: the one of a killed recovery may still be at work.
const TRIES: u32 = 4;
const BETWEEN: Duration = Duration::from_secs(2);

/// Does what is planned, or what is left of it.
///
/// # Errors
/// Why it did not get to its end; the same command goes on from there.
pub async fn recover(plan: &Plan, tell: &dyn Tell) -> Result<Report, RecoverError> {
    let first = State {
        stack: plan.picks.stack.clone(),
        until: plan.wish.until,
        second: plan.wish.second,
        dump_only: plan.wish.dump_only,
        picks: plan
            .picks
            .all
            .iter()
            .map(|one| (one.manifest.asset.name(), one.manifest.at))
            .collect(),
        begun: wall_ms(),
        ..State::default()
    };
    let mut ledger = Ledger::open(&plan.wish.to, first)?;
    if !ledger.has(PROJECT) {
        tell.step(PROJECT);
        let began = Instant::now();
        let says = project(plan, &ledger).await?;
        done(&mut ledger, PROJECT, began, says)?;
    }
    let config = read(&plan.wish.to)?;
    let docker = engine(&config)?;
    for (name, step) in &plan.steps {
        if ledger.has(name) {
            continue;
        }
        tell.step(name);
        let began = Instant::now();
        let worker = Worker { plan, config: &config, docker: &docker, tell };
        let says = worker.step(&mut ledger, step).await?;
        done(&mut ledger, name, began, says)?;
    }
    let finished = wall_ms();
    ledger.note(|state| state.finished = Some(finished))?;
    Ok(report(&ledger.state, finished))
}

fn done(ledger: &mut Ledger, name: &str, began: Instant, says: String) -> Result<(), RecoverError> {
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    ledger.note(|state| state.done.push(Done { step: name.to_owned(), took_ms, says }))
}

/// The project's files, staged first: what is in the directory is whole, file by file. Says where files from
/// outside of the project are.
async fn project(plan: &Plan, ledger: &Ledger) -> Result<String, RecoverError> {
    let stage = ledger.stage();
    let failed = |error| RecoverError::from(BackupError::File(stage.clone(), error));
    remove(&stage).map_err(failed)?;
    bring_project(&plan.repository, &plan.wish.source.name, &plan.picks, &stage).await?;
    let outside = put(&stage)?;
    place(&stage, &plan.wish.to).map_err(failed)?;
    // Not every way to write a mount lets the engine make what is missing.
    for path in &plan.bare {
        let at = plan.wish.to.join(path);
        std::fs::create_dir_all(&at).map_err(|error| BackupError::File(at.clone(), error))?;
    }
    remove(&stage).map_err(failed)?;
    let shown = outside.iter().map(|one| {
        let belongs = one.belongs.display();
        match one.there {
            There::Nothing => format!("{belongs} is back"),
            There::Same => format!("{belongs} was there"),
            There::Other => {
                let kept = one.kept.strip_prefix(&stage).unwrap_or(&one.kept);
                let kept = plan.wish.to.join(kept);
                format!("another {belongs} is there, the one in the backup is {}", kept.display())
            }
        }
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Moves what is in `from` into `to`, into directories that are there as into new ones.
fn place(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() && target.is_dir() {
            place(&entry.path(), &target)?;
        } else {
            std::fs::rename(entry.path(), &target)?;
        }
    }
    std::fs::File::open(to)?.sync_all()
}

struct Worker<'a> {
    plan: &'a Plan,
    config: &'a Config,
    docker: &'a Docker,
    tell: &'a dyn Tell,
}

impl Worker<'_> {
    async fn step(&self, ledger: &mut Ledger, step: &Step) -> Result<String, RecoverError> {
        match step {
            Step::Project => Ok(String::new()),
            Step::Files(pick) => {
                let at = self.plan.wish.to.join(&pick.manifest.asset.what);
                let name = at.display().to_string();
                ledger.note(|state| state.own.extend([name]))?;
                self.tree(pick, &at).await
            }
            Step::Image(pick) => images::bring(&self.bringer(), self.docker, pick).await,
            Step::Volume(pick) => {
                let name = &pick.manifest.asset.what;
                ledger.note(|state| state.own.extend([name.clone()]))?;
                self.volume(pick).await
            }
            Step::Start(id) => {
                ledger.note(|state| state.started = true)?;
                self.start(*id).await
            }
            Step::Dump(pick, follow) => {
                let bringer = self.bringer();
                let playing = Playing {
                    bringer: &bringer,
                    manifest: &pick.manifest,
                    follow: follow.as_ref(),
                    keeps_log: self.keeps_log(pick),
                    stage: &ledger.stage(),
                };
                let says = playing.done(ledger.state.resumed > 0).await?;
                let stage = ledger.stage();
                remove(&stage).map_err(|error| BackupError::File(stage.clone(), error))?;
                let (name, until) =
                    (pick.manifest.asset.name(), follow.as_ref().map(|one| one.until));
                ledger.note(|state| state.reached.extend(until.map(|until| (name, until))))?;
                Ok(says)
            }
            Step::Rest => {
                ledger.note(|state| state.started = true)?;
                self.docker.up_rest().await?;
                Ok(String::new())
            }
            Step::Points(pick) => {
                let answered = wall_ms();
                ledger.note(|state| state.answered = state.answered.or(Some(answered)))?;
                let bringer = self.bringer();
                // Players play already: what does not come back now can be had later.
                let brought = bringer.bring(&pick.manifest, &Way::InPlace, None).await;
                Ok(brought.map_or_else(
                    |why| format!("{why}; later: vigie backup restore points --in-place"),
                    |restored| restored.place,
                ))
            }
        }
    }

    /// Whether a log of that database's server was kept, which is not the one of the server that it comes
    /// back in.
    fn keeps_log(&self, pick: &Pick) -> bool {
        let service = &pick.manifest.asset.service;
        self.plan.picks.of(Kind::Binlog).any(|log| log.manifest.asset.service == *service)
    }

    fn bringer(&self) -> Bringer<'_> {
        Bringer {
            config: self.config,
            docker: Some(self.docker),
            repository: self.plan.repository.clone(),
            site: &self.plan.wish.source.name,
            tell: self.tell,
            // What a killed recovery left is in its ledger.
            catalog: None,
            point: None,
        }
    }

    async fn tree(&self, pick: &Pick, at: &Path) -> Result<String, RecoverError> {
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| BackupError::File(parent.to_owned(), error))?;
        }
        self.bringer().exchange(&pick.manifest, &pick.id, at).await?;
        Ok(format!("{} files, {}", pick.manifest.files, crate::text::size(pick.manifest.bytes)))
    }

    /// Makes the volume as Compose would, and fills it where its files are on this host.
    async fn volume(&self, pick: &Pick) -> Result<String, RecoverError> {
        let name = &pick.manifest.asset.what;
        let declared = self.plan.layout.volumes.iter().find(|one| one.name == *name);
        let declared = declared.ok_or_else(|| {
            BackupError::Refused(format!("the compose file has no volume {name} any more"))
        })?;
        if let Keeping::Directory(at) = declared.keeping() {
            // The engine does not make it, and starts nothing without it.
            std::fs::create_dir_all(at).map_err(|error| BackupError::File(at.into(), error))?;
        }
        let at = self.docker.make_volume(&self.plan.layout.project, declared).await?;
        match volumes::unfilled(declared) {
            Some(why) => Ok(why),
            None => self.tree(pick, &at).await,
        }
    }

    /// Starts a service, and waits until it answers as players see it.
    async fn start(&self, id: ServiceId) -> Result<String, RecoverError> {
        let name = &self.config.stack.service(id).name;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.docker.up(name, false).await {
                Ok(()) => break,
                Err(error @ RuntimeError::Refused { .. }) if tries < TRIES => {
                    self.tell.step(&format!("again: {error}"));
                    tokio::time::sleep(BETWEEN).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let patience = limit(self.config, id).max(PATIENCE);
        let says = prove(self.config, self.docker, id, patience).await;
        let says = says.map_err(|why| RecoverError::NotWell { service: name.clone(), why })?;
        Ok(says.join(", "))
    }
}
