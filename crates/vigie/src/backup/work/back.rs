//! Does: brings backups back, in earnest and in drills.

use std::collections::BTreeMap;

use vigie_core::backup::{Asset, Kind};

use super::{Done, Work};
use crate::backup::drill::{Drill, STAGE};
use crate::backup::restore::Bringer;
use crate::backup::{BackupError, Manifest, Way, assets};

impl Work<'_> {
    pub(super) async fn restore(
        &self,
        asset: &str,
        at: i64,
        site: &str,
        way: &Way,
    ) -> Result<Done, BackupError> {
        let known = self.catalog.backups(self.sites, site)?;
        let manifest = known.iter().find(|one| one.asset.name() == asset && one.at == at);
        let manifest = manifest
            .ok_or_else(|| BackupError::NoBackup(asset.to_owned(), format!(" at {site}")))?;
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
        self.catalog.sweep(STAGE)?;
        let site = self.sites.primary()?;
        let backups = self.catalog.backups(self.sites, site)?;
        // What the stack does not have any more has no service to be tried with.
        let current: Vec<String> =
            assets(self.config, self.docker).await?.iter().map(Asset::name).collect();
        let mut newest: BTreeMap<String, &Manifest> = BTreeMap::new();
        for one in &backups {
            let is_wanted = names.is_empty() || names.iter().any(|name| one.asset.is_called(name));
            if is_wanted && current.contains(&one.asset.name()) {
                newest.insert(one.asset.name(), one);
            }
        }
        if newest.is_empty() {
            let what = names.first().map_or("anything", String::as_str);
            return Err(BackupError::NoBackup(what.to_owned(), String::new()));
        }
        let repository = self.sites.open(site)?;
        let mut done = Vec::new();
        for (name, manifest) in newest {
            self.tell.step(&format!("drill {name}"));
            let drill = Drill {
                bringer: Bringer {
                    config: self.config,
                    docker: self.docker,
                    repository: repository.clone(),
                    site,
                    tell: self.tell,
                    catalog: Some(self.catalog),
                },
                catalog: self.catalog,
            };
            let drilled = drill.prove(manifest).await;
            self.catalog.remember(|state| {
                state.drills.retain(|name, _| current.contains(name));
                state.drills.insert(name.clone(), drilled.clone());
            })?;
            done.push((name, drilled));
        }
        Ok(Done::Drilled(done))
    }

    /// Whether something is there now in whose place the backup goes. An image that the engine does not
    /// have, or has as it was, replaces nothing.
    pub(super) async fn replaces(&self, manifest: &Manifest) -> Result<bool, BackupError> {
        let (Kind::Image, Some(docker)) = (manifest.asset.kind, self.docker) else {
            return Ok(true);
        };
        let there = docker.image(&manifest.asset.what).await?;
        Ok(there.is_some_and(|image| Some(image.id) != manifest.image))
    }
}
