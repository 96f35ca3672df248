//! Does: makes repositories and backups, and brings the other sites up to date.

use vigie_core::backup::{Asset, Kind};

use super::{Done, Work};
use crate::backup::assets::{INSTEAD, unkept_project};
use crate::backup::keep::{Keeper, PROJECT};
use crate::backup::{BackupError, Manifest, assets, points};
use crate::config::RuntimeKind;

impl Work<'_> {
    pub(super) fn init(&self) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let first = self.sites.primary()?;
        let mut made = Vec::new();
        // Restore points that were made before decide how data is cut: so they are sent once.
        let shelf = points::beside(self.config).unwrap_or_else(|error| {
            self.tell.step(&format!("restore points cannot be read: {error}"));
            None
        });
        let like = self.begun(first, shelf.as_ref(), &mut made)?;
        for site in self.sites.others() {
            self.begun(site, Some(&like), &mut made)?;
        }
        if shelf.is_none()
            && self.config.file.stack.runtime == RuntimeKind::Docker
            && let Err(error) = points::begin(self.config, &like)
        {
            self.tell.step(&format!(
                "restore points will be sent anew where they are like volumes: {error}"
            ));
        }
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            for site in self.sites.names() {
                state.sites.entry(site.to_owned()).or_default().reached.get_or_insert(now);
            }
        })?;
        Ok(Done::Made(made))
    }

    /// Opens a site's repository, and makes it where there is none.
    pub(super) fn begun(
        &self,
        site: &str,
        like: Option<&vigie_backup::Repository>,
        made: &mut Vec<String>,
    ) -> Result<vigie_backup::Repository, BackupError> {
        match self.sites.open(site) {
            Err(BackupError::NoRepository(..)) => {
                self.tell.step(&format!("a repository at {site}"));
                let new = self.sites.create(site, like)?;
                made.push(site.to_owned());
                Ok(new)
            }
            other => other,
        }
    }

    pub(in crate::backup) async fn run(
        &self,
        names: &[String],
        known: bool,
    ) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        let site = self.sites.primary()?;
        // A disk that is not mounted must not get a new repository beside the old one.
        let repository = self.sites.open(site)?;
        let (kept, mut failed) = self.kept_at(&repository, names, known).await?;
        failed.extend(self.copied_to_all(&repository));
        Ok(Done::Kept { kept, failed })
    }

    /// Brings the other sites up to date from the one that is written first; what did not work, by site.
    pub(in crate::backup) fn copied_to_all(
        &self,
        repository: &vigie_backup::Repository,
    ) -> Vec<(String, String)> {
        let from = self.sites.primary().unwrap_or_default();
        let others = self.sites.others();
        let failed = others.filter_map(|other| {
            let error = self.copied(repository, from, other).err()?;
            Some((other.to_owned(), error.to_string()))
        });
        failed.collect()
    }

    /// Backs up to the site that is written first, whose repository this is, and to no other: the
    /// manifests, and why something is missing, by asset.
    pub(in crate::backup) async fn kept_at(
        &self,
        repository: &vigie_backup::Repository,
        names: &[String],
        known: bool,
    ) -> Result<(Vec<Manifest>, Vec<(String, String)>), BackupError> {
        let _lock = self.lock()?;
        let site = self.sites.primary()?;
        // Another host may have written there, and what was removed by hand counts no more.
        if let Ok(backups) = self.catalog.backups_in(repository, site) {
            self.catalog.remember(|state| {
                let site = state.sites.entry(site.to_owned()).or_default();
                site.newest = backups.iter().map(|one| (one.asset.name(), one.at)).collect();
            })?;
        }
        self.catalog.sweep(PROJECT)?;
        self.catalog.sweep_parts()?;
        let wanted = self.wanted(names, known).await?;
        if let Some(whole) = unkept_project(self.config, self.docker).await?
            && (names.is_empty() || names.iter().any(|name| whole.is_called(name)))
        {
            self.tell.step(&format!("{} is in no backup: {INSTEAD}", whole.name()));
        }
        let keeper = Keeper {
            config: self.config,
            docker: self.docker,
            catalog: self.catalog,
            repository: repository.clone(),
            site,
            tell: self.tell,
        };
        let (mut kept, mut failed) = (Vec::new(), Vec::new());
        for asset in &wanted {
            match keeper.keep(asset).await {
                Ok(manifest) => {
                    if asset.kind == Kind::Points {
                        self.catalog.remember(|state| {
                            state.failed.retain(|name, _| !points::is_failed_name(name));
                            state.failed.extend(manifest.troubles.iter().cloned());
                        })?;
                    }
                    failed.extend(manifest.troubles.iter().cloned());
                    kept.push(manifest);
                }
                Err(error) => {
                    let (name, why) = (asset.name(), error.to_string());
                    self.catalog.remember(|state| {
                        if asset.kind == Kind::Points {
                            // Of those that are gone nobody has to hear any more.
                            state.failed.retain(|name, _| !points::is_gone(self.config, name));
                        }
                        state.failed.insert(name.clone(), why.clone());
                    })?;
                    failed.push((name, why));
                    // A site that is away is away for all of them.
                    if matches!(error, BackupError::Site(..)) && self.sites.open(site).is_err() {
                        break;
                    }
                }
            }
        }
        Ok((kept, failed))
    }

    /// The assets that people mean.
    pub(super) async fn wanted(
        &self,
        names: &[String],
        known: bool,
    ) -> Result<Vec<Asset>, BackupError> {
        let all = assets(self.config, self.docker).await?;
        for name in names {
            if !known && !all.iter().any(|asset| asset.is_called(name)) {
                if name == Kind::Points.word() {
                    return Err(BackupError::Refused(points::NONE.to_owned()));
                }
                let known = all.iter().map(Asset::name).collect::<Vec<_>>().join(", ");
                return Err(BackupError::NoAsset(name.clone(), known));
            }
        }
        let is_wanted =
            |asset: &Asset| names.is_empty() || names.iter().any(|name| asset.is_called(name));
        Ok(all.into_iter().filter(is_wanted).collect())
    }

    pub(super) fn copy(&self, from: &str, to: &str) -> Result<Done, BackupError> {
        let _lock = self.lock()?;
        self.sites.site(to)?;
        if from == to {
            return Err(BackupError::Refused(format!("{from} is the site itself")));
        }
        let source = self.sites.open(from)?;
        let (copied, known) = self.copied(&source, from, to)?;
        Ok(Done::Copied { copied, known })
    }

    /// Brings a site up to date. One that is away is caught up the next time.
    pub(in crate::backup) fn copied(
        &self,
        from: &vigie_backup::Repository,
        name: &str,
        to: &str,
    ) -> Result<(u64, u64), BackupError> {
        self.tell.step(&format!("copy to {to}"));
        let work = || {
            let known = self.catalog.state().sites.get(to).is_some_and(|one| one.reached.is_some());
            // One that was written before is not made anew: its disk may not be mounted.
            let target = if known {
                self.sites.open(to)?
            } else {
                self.begun(to, Some(from), &mut Vec::new())?
            };
            let done = from.copy_to(&target);
            let done = done.map_err(|error| BackupError::Site(to.to_owned(), error))?;
            let backups = self.catalog.backups_in(&target, to)?;
            Ok((done, backups))
        };
        let done: Result<_, BackupError> = work();
        let now = jiff::Timestamp::now().as_millisecond();
        self.catalog.remember(|state| {
            let site = state.sites.entry(to.to_owned()).or_default();
            match &done {
                Ok((_, backups)) => {
                    site.newest = backups.iter().map(|one| (one.asset.name(), one.at)).collect();
                    site.written(None, now);
                }
                Err(error) => site.written(Some(error.to_string()), now),
            }
        })?;
        let (done, _) = done.map_err(|error| match error {
            error @ (BackupError::Site(..) | BackupError::NoRepository(..)) => error,
            other => BackupError::Damaged(format!("copying from {name} to {to}: {other}")),
        })?;
        Ok((done.snapshots, done.known))
    }
}
