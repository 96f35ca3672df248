//! Does: brings a backup back only to prove that it comes back: files into a temporary directory, a
//! database into a scratch server, an image into nothing. It leaves nothing behind.

mod compare;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vigie_core::backup::Kind;

use super::database::{Client, Count, Tools, Wish, dump, play};
use super::keep::client;
use super::manifest::{DUMP, Manifest};
use super::restore::Bringer;
use super::{BackupError, Catalog, Drilled, image, physical};
use crate::respond::Redactor;
use crate::runtime::docker::Scratch;
pub(super) use compare::compare;

/// How the directories begin into which a drill brings things back.
pub(super) const STAGE: &str = ".drill-";
/// How long a scratch server may take until it answers.
const BOOT: Duration = Duration::from_secs(120);
/// Why a database is not drilled where there is no Docker.
pub(super) const NO_SCRATCH: &str = "a scratch server needs a Docker stack; bring it \
    back beside and try it there: vigie backup restore database --to DIR";
/// What is said of differences.
const TOLD: usize = 3;

/// Measures how long it takes until something is back: the RTO, in which the proof has no part. Where to
/// read it is the proof (an image, a copy of a server's files), it is all of it.
pub(super) struct Back {
    began: Instant,
    took: OnceLock<Duration>,
}

impl Back {
    fn begin() -> Self {
        Self { began: Instant::now(), took: OnceLock::new() }
    }

    /// It is back; only the first time counts.
    pub(super) fn is_there(&self) {
        self.took();
    }

    fn took(&self) -> Duration {
        *self.took.get_or_init(|| self.began.elapsed())
    }
}

/// What a drill is done with.
pub(super) struct Drill<'a> {
    pub(super) bringer: Bringer<'a>,
    pub(super) catalog: &'a Catalog,
}

impl Drill<'_> {
    /// Proves one backup; why it failed is part of what is known then.
    pub(super) async fn prove(&self, manifest: &Manifest) -> Drilled {
        let (at, back) = (jiff::Timestamp::now().as_millisecond(), Back::begin());
        let done = self.tried(manifest, &back).await;
        let took_ms = u64::try_from(back.took().as_millis()).unwrap_or(u64::MAX);
        let age_ms = u64::try_from(at.saturating_sub(manifest.at)).unwrap_or(0);
        let (proved, failed) = match done {
            Ok(proved) => (proved, None),
            Err(error) => {
                let redactor = Redactor::of(self.bringer.config);
                (Vec::new(), Some(redactor.clean(&error.to_string())))
            }
        };
        Drilled { at, took_ms, age_ms, proved, missed: Vec::new(), failed }
    }

    async fn tried(&self, manifest: &Manifest, back: &Back) -> Result<Vec<String>, BackupError> {
        let (repository, site) = (self.bringer.repository.clone(), self.bringer.site.to_owned());
        let (asset, at) = (manifest.asset.clone(), manifest.at);
        let found =
            tokio::task::spawn_blocking(move || Catalog::snapshot(&repository, &site, &asset, at));
        let id = found.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        match manifest.asset.kind {
            Kind::Volume | Kind::Files | Kind::Project => {
                let stage = self.stage()?;
                self.files(manifest, id, stage.path().join("files"), back).await
            }
            Kind::Binlog => self.log(manifest, id, back).await,
            Kind::Database => self.database(manifest, &id, back).await,
            Kind::Image => self.image(id).await,
            Kind::Points => self.points(id, back).await,
        }
    }

    /// T3: every file is there, with its content, mode and owner.
    async fn files(
        &self,
        manifest: &Manifest,
        id: String,
        into: PathBuf,
        back: &Back,
    ) -> Result<Vec<String>, BackupError> {
        self.bringer.aside(manifest, &id, &into).await?;
        back.is_there();
        let (repository, site) = (self.bringer.repository.clone(), self.bringer.site.to_owned());
        let compared = tokio::task::spawn_blocking(move || compare(&repository, &site, &id, &into));
        let compared = compared.await.map_err(|error| BackupError::Worker(error.to_string()))?;
        let (files, bytes, wrong) = compared?;
        refuse(&wrong)?;
        Ok(vec![format!(
            "{files} files, {}: content, modes and owners are as they were kept",
            crate::text::size(bytes)
        )])
    }

    /// T1 and T3 of a log: its files are as they were kept, and what is in them is a log without a gap.
    async fn log(
        &self,
        manifest: &Manifest,
        id: String,
        back: &Back,
    ) -> Result<Vec<String>, BackupError> {
        let stage = self.stage()?;
        let into = stage.path().join("files");
        let mut proved = self.files(manifest, id, into.clone(), back).await?;
        let backups = self.catalog.backups_in(&self.bringer.repository, self.bringer.site)?;
        let (config, manifest) = (self.bringer.config.clone(), manifest.clone());
        let read = tokio::task::spawn_blocking(move || {
            super::log::proved(&config, &into, &manifest, &backups)
        });
        proved.push(read.await.map_err(|error| BackupError::Worker(error.to_string()))??);
        Ok(proved)
    }

    /// T2: played into a server of its own, every table has its rows and its checksum.
    async fn database(
        &self,
        manifest: &Manifest,
        id: &str,
        back: &Back,
    ) -> Result<Vec<String>, BackupError> {
        let none = || BackupError::Refused(NO_SCRATCH.to_owned());
        let docker = self.bringer.docker.ok_or_else(none)?;
        if manifest.physical.is_some() {
            let (repository, site) = (&self.bringer.repository, self.bringer.site);
            return physical::prove(docker, repository, site, manifest, id).await;
        }
        let service = manifest.asset.service.clone().unwrap_or_default();
        let scratch = Scratch::start(docker, &service).await?;
        let proved = self.played(manifest, id, &scratch, back).await;
        scratch.remove().await?;
        proved
    }

    async fn played(
        &self,
        manifest: &Manifest,
        id: &str,
        scratch: &Scratch<'_>,
        back: &Back,
    ) -> Result<Vec<String>, BackupError> {
        // It was set up as the service's own server was: with the same environment.
        let root = ["MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"];
        let client = match root.iter().find_map(|name| scratch.env(name)) {
            Some(password) => {
                Client { user: String::from("root"), password: password.to_owned(), address: None }
            }
            None => {
                let service = manifest.asset.service.as_deref().unwrap_or_default();
                client(self.bringer.config, service)?
            }
        };
        let tools = Tools::Scratch(scratch);
        let began = Instant::now();
        loop {
            let (sender, mut receiver) = mpsc::channel(1);
            let drain = async { while receiver.recv().await.is_some() {} };
            let wish = Wish { schemas: vec![String::from("information_schema")], place: false };
            let (up, ()) = tokio::join!(dump(&tools, &client, &wish, sender), drain);
            match up {
                Ok(_) => break,
                Err(error) if began.elapsed() > BOOT => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
        let (read, write) = tokio::io::duplex(1 << 20);
        let (repository, id) = (self.bringer.repository.clone(), id.to_owned());
        let give = tokio::task::spawn_blocking(move || {
            let mut write = tokio_util::io::SyncIoBridge::new(write);
            repository.get_file(&id, DUMP, &mut write)
        });
        let (taken, given) = tokio::join!(play(&tools, &client, Box::new(read)), give);
        taken?;
        given
            .map_err(|error| BackupError::Worker(error.to_string()))?
            .map_err(|error| BackupError::Site(self.bringer.site.to_owned(), error))?;
        back.is_there();
        let (sender, mut receiver) = mpsc::channel(16);
        let drain = async { while receiver.recv().await.is_some() {} };
        let wish = Wish { schemas: vec![manifest.asset.what.clone()], place: false };
        let (again, ()) = tokio::join!(dump(&tools, &client, &wish, sender), drain);
        let found = again?.survey.tables().clone();
        refuse(&differences(&manifest.tables, &found))?;
        let rows: u64 = found.values().map(|count| count.rows).sum();
        Ok(vec![format!(
            "{} tables with {rows} rows in a scratch server: counts and checksums are those of the backup",
            found.len()
        )])
    }

    /// The whole archive is read.
    async fn image(&self, id: String) -> Result<Vec<String>, BackupError> {
        let (repository, site) = (self.bringer.repository.clone(), self.bringer.site.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let mut counted = Counted(0);
            let record = image::read_record(&repository, &id)?;
            let layered = record.is_some();
            match record {
                // Each layer is put together and has to have its digest.
                Some(record) => image::write(&repository, &record, &mut counted)?,
                None => repository.get_file(&id, image::WHOLE, &mut counted)?,
            }
            Ok((counted.0, layered))
        });
        let (bytes, layered) = read
            .await
            .map_err(|error| BackupError::Worker(error.to_string()))?
            .map_err(|error| BackupError::Site(site, error))?;
        let bytes = crate::text::size(bytes);
        Ok(vec![if layered {
            format!("an archive of {bytes} was put together, every layer with its digest")
        } else {
            format!("the archive of {bytes} was read whole")
        }])
    }

    pub(super) fn stage(&self) -> Result<tempfile::TempDir, BackupError> {
        let directory = self.catalog.directory();
        let made = tempfile::Builder::new().prefix(STAGE).tempdir_in(directory);
        made.map_err(|error| BackupError::File(directory.to_owned(), error))
    }
}

/// Tables that are not as they were kept.
pub(super) fn differences(
    kept: &BTreeMap<String, Count>,
    found: &BTreeMap<String, Count>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, count) in kept {
        match found.get(name) {
            None => wrong.push(format!("the table {name} is missing")),
            Some(other) if other.rows != count.rows => {
                wrong.push(format!("{name} has {} rows, not {}", other.rows, count.rows));
            }
            Some(other) if other.sum != count.sum => {
                wrong.push(format!("{name} has other content"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        found.keys().filter(|name| !kept.contains_key(*name)).map(|name| format!("{name} is new")),
    );
    wrong
}

pub(super) fn refuse(wrong: &[String]) -> Result<(), BackupError> {
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let told = wrong.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    Err(BackupError::Damaged(format!("it did not come back as it was kept: {told}{more}")))
}

pub(super) struct Counted(pub(super) u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_no_part_of_the_time_until_it_is_back() {
        let back = Back::begin();
        back.is_there();
        let until = back.began.elapsed();
        std::thread::sleep(Duration::from_millis(20));
        back.is_there();
        assert!(back.took() <= until, "{:?}", back.took());
        let failed = Back::begin();
        std::thread::sleep(Duration::from_millis(20));
        assert!(failed.took() >= Duration::from_millis(20), "all of it where it never was back");
    }

    #[test]
    fn a_table_that_differs_is_named() {
        let table = |rows, sum| Count { rows, sum };
        let kept = BTreeMap::from([
            (String::from("x.a"), table(2, 5)),
            (String::from("x.b"), table(1, 7)),
            (String::from("x.c"), table(1, 1)),
        ]);
        assert!(differences(&kept, &kept).is_empty());
        let found = BTreeMap::from([
            (String::from("x.a"), table(1, 5)),
            (String::from("x.b"), table(1, 8)),
            (String::from("x.d"), table(0, 0)),
        ]);
        assert_eq!(
            differences(&kept, &found),
            [
                "x.a has 1 rows, not 2",
                "x.b has other content",
                "the table x.c is missing",
                "x.d is new"
            ]
        );
        let said = refuse(&differences(&kept, &found)).unwrap_err().to_string();
        assert!(said.ends_with("is missing and 1 more"), "{said}");
    }
}
