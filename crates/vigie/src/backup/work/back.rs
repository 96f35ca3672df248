//! Does: brings backups back, in earnest and in drills.

use std::collections::BTreeMap;
use std::time::Duration;

use vigie_backup::Repository;
use vigie_core::backup::{Asset, Kind, Part, missed};

use super::{Done, Work};
use crate::backup::drill::{Drill, NO_SCRATCH, STAGE};
use crate::backup::restore::Bringer;
use crate::backup::stack::{self, Outcome};
use crate::backup::{BackupError, Drilled, Manifest, Way, assets, log, physical};

impl Work<'_> {
    pub(super) async fn restore(
        &self,
        asset: &str,
        at: i64,
        point: Option<&str>,
        (site, way): (&str, &Way),
    ) -> Result<Done, BackupError> {
        let known = self.catalog.backups(self.sites, site)?;
        let manifest = known.iter().find(|one| one.asset.name() == asset && one.at == at);
        let manifest = manifest
            .ok_or_else(|| BackupError::NoBackup(asset.to_owned(), format!(" at {site}")))?;
        if *way == Way::InPlace {
            physical::has_way_back(self.config, manifest)?;
        }
        let mut before = None;
        if *way == Way::InPlace && self.replaces(manifest).await? {
            // What is there now is kept first, whatever is wrong with it.
            let half = self.catalog.state().half.get(asset).cloned();
            let kept = self.run(&[asset.to_owned()], false).await?;
            if let Done::Kept { kept, failed } = kept {
                let why = failed.iter().find(|(name, _)| name == asset);
                // What a killed restore left may be too little to be kept: what was whole is kept already.
                if let (Some((_, why)), None) = (why, &half) {
                    return Err(BackupError::Refused(format!(
                        "what is there now could not be kept first ({why}), so nothing was touched; bring \
                         it back beside: --to DIR"
                    )));
                }
                let now = kept.iter().find(|one| one.asset.name() == asset);
                let now = now.map(|one| format!("{asset}@{}", crate::report::rfc3339(one.at)));
                before = now.or(half);
            }
        }
        let bringer = Bringer {
            config: self.config,
            docker: self.docker,
            repository: self.sites.open(site)?,
            site,
            tell: self.tell,
            catalog: Some(self.catalog),
            point,
        };
        let way_back = before.clone();
        let done = bringer.bring(manifest, way, before).await;
        done.map(Done::Restored).map_err(|error| match way_back {
            None => error,
            Some(before) => BackupError::Said(
                error.class(),
                format!(
                    "{error}; what was there before is in {before}: vigie backup restore {before} --in-place"
                ),
            ),
        })
    }

    pub(super) async fn drill(&self, names: &[String]) -> Result<Done, BackupError> {
        let _lock = self.drill_lock()?;
        if let Some(docker) = self.docker {
            stack::sweep(self.config, docker).await?;
        }
        if let Err(error) = self.catalog.sweep(STAGE) {
            // What a scratch container has written may be another account's; it is in nobody's way.
            self.tell.step(&format!("what a killed drill left stays: {error}"));
        }
        let site = self.sites.primary()?;
        let backups = self.catalog.backups(self.sites, site)?;
        // What the stack does not have any more has no service to be tried with.
        let mut current = assets(self.config, self.docker).await?;
        current.extend(log::assets(self.config));
        let current: Vec<String> = current.iter().map(Asset::name).collect();
        let whole = names.iter().any(|name| name == stack::NAME);
        let parts: Vec<_> = names.iter().filter(|name| *name != stack::NAME).collect();
        let mut newest: BTreeMap<String, &Manifest> = BTreeMap::new();
        for one in &backups {
            let is_wanted = names.is_empty() || parts.iter().any(|name| one.asset.is_called(name));
            if is_wanted && current.contains(&one.asset.name()) {
                newest.insert(one.asset.name(), one);
            }
        }
        if newest.is_empty() && (backups.is_empty() || !whole || !parts.is_empty()) {
            let what = parts.first().map_or("anything", |name| name.as_str());
            return Err(BackupError::NoBackup(what.to_owned(), String::new()));
        }
        let repository = self.sites.open(site)?;
        let mut done = Vec::new();
        for (name, manifest) in newest {
            if manifest.asset.kind == Kind::Database && self.docker.is_none() {
                let why = format!("{name} is not drilled: {NO_SCRATCH}");
                if parts.iter().any(|part| manifest.asset.is_called(part)) {
                    return Err(BackupError::Refused(why));
                }
                self.tell.step(&why);
                self.catalog.remember(|state| drop(state.drills.remove(&name)))?;
                continue;
            }
            self.tell.step(&format!("drill {name}"));
            let drill = Drill {
                bringer: Bringer {
                    config: self.config,
                    docker: self.docker,
                    repository: repository.clone(),
                    site,
                    tell: self.tell,
                    catalog: Some(self.catalog),
                    point: None,
                },
                catalog: self.catalog,
            };
            let mut drilled = drill.prove(manifest).await;
            drilled.missed = self.missed(manifest, &drilled);
            self.catalog.remember(|state| {
                let stays = |name: &String| name == stack::NAME && !self.leaves_stack_out();
                state.drills.retain(|name, _| current.contains(name) || stays(name));
                state.drills.insert(name.clone(), drilled.clone());
            })?;
            done.push((name, drilled));
        }
        if whole || names.is_empty() && !self.leaves_stack_out() {
            // What is no part of the stack any more is not judged by it.
            let is_part = |one: &&Manifest| current.contains(&one.asset.name());
            let backups: Vec<_> = backups.iter().filter(is_part).cloned().collect();
            done.extend(self.drill_stack(repository, site, &backups, whole).await?);
        }
        Ok(Done::Drilled(done))
    }

    /// Brings the whole stack up beside the living one. Where that cannot be done, it is an error only for
    /// somebody who `asked` for it.
    async fn drill_stack(
        &self,
        repository: Repository,
        site: &str,
        backups: &[Manifest],
        asked: bool,
    ) -> Result<Option<(String, Drilled)>, BackupError> {
        let outcome = match self.docker {
            None => Outcome::Unfit(String::from(
                "only a Docker stack is brought up whole beside the living one; its parts are drilled one by \
                 one: vigie backup drill",
            )),
            Some(docker) => {
                self.tell.step(&format!("drill {}", stack::NAME));
                let rehearsal = stack::Rehearsal {
                    config: self.config,
                    docker,
                    catalog: self.catalog,
                    repository,
                    site,
                    tell: self.tell,
                    backups,
                };
                rehearsal.run().await?
            }
        };
        match outcome {
            Outcome::Drilled(drilled) => {
                self.catalog.remember(|state| {
                    state.unfit = None;
                    state.drills.insert(stack::NAME.to_owned(), drilled.clone());
                })?;
                Ok(Some((stack::NAME.to_owned(), drilled)))
            }
            Outcome::Unfit(why) => {
                self.catalog.remember(|state| {
                    state.unfit = Some(why.clone());
                    state.drills.remove(stack::NAME);
                })?;
                if asked {
                    return Err(BackupError::Refused(why));
                }
                self.tell.step(&format!("no drill of the whole {}: {why}", stack::NAME));
                Ok(None)
            }
        }
    }

    fn leaves_stack_out(&self) -> bool {
        let backup = self.config.file.backup.as_ref();
        backup.is_some_and(|backup| backup.exclude.iter().any(|name| name == stack::NAME))
    }

    /// Targets that the drill of one asset missed.
    fn missed(&self, manifest: &Manifest, drilled: &Drilled) -> Vec<String> {
        let Some(targets) = self.config.file.backup.as_ref() else { return Vec::new() };
        // A log is kept again when something is new in it.
        if drilled.failed.is_some() || manifest.asset.kind == Kind::Binlog {
            return Vec::new();
        }
        // Nobody waits for what there could be gone back to: players play again without it.
        let is_waited_for = manifest.asset.kind != Kind::Points;
        let took =
            if is_waited_for { Duration::from_millis(drilled.took_ms) } else { Duration::ZERO };
        let part = Part {
            asset: manifest.asset.name(),
            age: Duration::from_millis(drilled.age_ms),
            rpo: targets.rpo_of(manifest.asset.kind),
        };
        missed(took, targets.rto, &[part])
    }

    /// Whether something is there now in whose place the backup goes. An image that the engine does not
    /// have, or has as it was, replaces nothing; a restore point comes beside those that are there.
    pub(super) async fn replaces(&self, manifest: &Manifest) -> Result<bool, BackupError> {
        if manifest.asset.kind == Kind::Points {
            return Ok(false);
        }
        let (Kind::Image, Some(docker)) = (manifest.asset.kind, self.docker) else {
            return Ok(true);
        };
        let there = docker.image(&manifest.asset.what).await?;
        Ok(there.is_some_and(|image| Some(image.id) != manifest.image))
    }
}
