//! Does: brings a copy of a server's files back: prepared in a directory of its own, or in the place of the
//! server's own files. The server stands only while the two are exchanged, which is one moment.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::{Bench, answers, home};
use crate::backup::keep::{client, no_engine, tools};
use crate::backup::log::begin_anew;
use crate::backup::restore::{Bringer, Filling};
use crate::backup::{BackupError, Manifest};
use crate::snapshot::exchange;

impl Bringer<'_> {
    /// Into a directory, as a server can start with it.
    pub(in crate::backup) async fn copy_aside(
        &self,
        manifest: &Manifest,
        id: &str,
        to: &Path,
    ) -> Result<(), BackupError> {
        let failed = |error| BackupError::File(to.to_owned(), error);
        let filling = Filling::begin(to).map_err(failed)?;
        let made = self.prepared(manifest, id, filling.room(), None).await;
        filling.end(made.is_ok()).map_err(failed).and(made)
    }

    /// Into the place of the server's own files. `before` is the copy of those, for people.
    pub(in crate::backup) async fn copy_in_place(
        &self,
        manifest: &Manifest,
        id: &str,
        before: Option<&str>,
    ) -> Result<String, BackupError> {
        let docker = self.docker.ok_or_else(no_engine)?;
        let service = manifest.asset.service.clone().unwrap_or_default();
        let (client, tools) = (client(self.config, &service)?, tools(self.docker, &service));
        let at = home(docker, &tools, &client, &service).await?;
        let failed = |error| BackupError::File(at.clone(), error);
        self.note(|state| {
            state.exchanging.insert(at.clone());
        })?;
        self.tell.step(&format!("prepare {} beside {}", manifest.asset.what, at.display()));
        let made = async {
            let seen = std::fs::metadata(&at).map_err(failed)?;
            let new = exchange::begin(&at).map_err(failed)?;
            self.prepared(manifest, id, &new, Some((seen.uid(), seen.gid()))).await?;
            let mode = std::fs::Permissions::from_mode(seen.mode());
            std::fs::set_permissions(&new, mode).map_err(failed)
        };
        let made = made.await;
        if made.is_err() {
            // What failed needs the room that half of it takes; why it failed says more.
            let _ = exchange::abandon(&at);
        }
        let name = manifest.asset.name();
        let done = match made {
            Ok(()) => {
                let place = at.clone();
                let (name, before) = (name.clone(), before.unwrap_or_default().to_owned());
                let finish = async {
                    // Until the server has answered, the way back is to what was there before.
                    let mut is_first = false;
                    self.note(|state| {
                        is_first = !state.half.contains_key(&name);
                        state.half.entry(name.clone()).or_insert(before);
                    })?;
                    let done = tokio::task::spawn_blocking(move || {
                        exchange::finish(&place).inspect_err(|_| {
                            let _ = exchange::abandon(&place);
                        })
                    });
                    let done =
                        done.await.map_err(|error| BackupError::Worker(error.to_string()))?;
                    if done.is_err() && is_first {
                        // Nothing was exchanged, so nothing is half done.
                        self.note(|state| drop(state.half.remove(&name)))?;
                    }
                    done.map_err(failed)
                };
                self.stopped(docker, &at, finish).await
            }
            Err(error) => Err(error),
        };
        self.note(|state| {
            state.exchanging.remove(&at);
        })?;
        done?;
        if self.catalog.is_some() && self.config.keeps_log() {
            // The server has another history from now on.
            begin_anew(self.config, &service, None)?;
        }
        let proved = answers(&tools, &client, manifest).await?;
        self.note(|state| drop(state.half.remove(&name)))?;
        self.tell.step(&proved);
        Ok(format!("{} in {service}, with everything else of that server", manifest.asset.what))
    }

    /// Makes the directory `room`, unpacks the copy into it and prepares it; it is `owner`'s then.
    async fn prepared(
        &self,
        manifest: &Manifest,
        id: &str,
        room: &Path,
        owner: Option<(u32, u32)>,
    ) -> Result<(), BackupError> {
        std::fs::create_dir(room).map_err(|error| BackupError::File(room.to_owned(), error))?;
        let service = manifest.asset.service.clone().unwrap_or_default();
        let bench = match self.docker {
            Some(docker) => Bench::of(docker, &service, Some(room)).await?,
            None => Bench::here(room),
        };
        let filled = async {
            bench.fill(&self.repository, self.site, id).await?;
            match owner {
                Some((uid, gid)) => bench.own(uid, gid).await,
                None => Ok(()),
            }
        };
        let filled = filled.await;
        // The container goes first: it has the directory.
        bench.remove().await?;
        filled
    }
}
