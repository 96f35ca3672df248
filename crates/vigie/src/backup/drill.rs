//! Does: brings a backup back only to prove that it comes back: files into a temporary directory, a
//! database into a scratch server, an image into nothing. It leaves nothing behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vigie_backup::{Piece, Repository};
use vigie_core::backup::Kind;

use super::database::{Client, Count, Tools, Wish, dump, play};
use super::keep::client;
use super::manifest::{DUMP, Manifest};
use super::restore::Bringer;
use super::{BackupError, Catalog, Drilled, image, physical};
use crate::respond::Redactor;
use crate::runtime::docker::Scratch;

/// How the directories begin into which a drill brings things back.
pub(super) const STAGE: &str = ".drill-";
/// How long a scratch server may take until it answers.
const BOOT: Duration = Duration::from_secs(120);
/// Why a database is not drilled where there is no Docker.
pub(super) const NO_SCRATCH: &str = "a scratch server needs a Docker stack; bring it \
    back beside and try it there: vigie backup restore database --to DIR";
/// What is said of differences.
const TOLD: usize = 3;
/// Bytes that are compared at once.
const AT_ONCE: usize = 64 << 10;

/// Measures how long it takes until something is back: the RTO, in which the proof has no part. Where to
/// read it is the proof (an image, a copy of a server's files), it is all of it.
struct Back {
    began: Instant,
    took: OnceLock<Duration>,
}

impl Back {
    fn begin() -> Self {
        Self { began: Instant::now(), took: OnceLock::new() }
    }

    /// It is back; only the first time counts.
    fn is_there(&self) {
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

    fn stage(&self) -> Result<tempfile::TempDir, BackupError> {
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

/// Compares what is in `into` with what the site has of the snapshot `id`: so many files and bytes, and what
/// differs. Blocks.
fn compare(
    repository: &Repository,
    site: &str,
    id: &str,
    into: &Path,
) -> Result<(u64, u64, Vec<String>), BackupError> {
    let failed = |error| BackupError::Site(site.to_owned(), error);
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    let (mut count, mut bytes) = (0_u64, 0_u64);
    for entry in repository.entries(id).map_err(failed)? {
        let Ok(seen) = into.join(&entry.path).symlink_metadata() else {
            wrong.push(format!("{} is missing", entry.path.display()));
            continue;
        };
        let owner = (seen.mode() & 0o7777, seen.uid(), seen.gid());
        let kept = entry.mode.map(|(mode, uid, gid)| (mode & 0o7777, uid, gid));
        let is_link = seen.is_symlink();
        if kept.is_some_and(|kept| kept != owner && !is_link) {
            wrong.push(format!("{} has another mode or owner", entry.path.display()));
        }
        if entry.kind == vigie_backup::Kind::File {
            count += 1;
            bytes += seen.len();
            files.push((entry.path, entry.size));
        }
    }
    // Read on another way than it was brought back, and all of it under one lock.
    let pieces = files.iter().map(|(path, _)| Ok(Piece::File(path.clone())));
    let mut comparison = Comparison::new(into, &files);
    let read = repository.get_woven(id, pieces, &mut comparison);
    let unread = |error| BackupError::File(into.to_owned(), error);
    read.map_err(|error| match error {
        // It is what came back that could not be read.
        vigie_backup::Error::File(_, error) => unread(error),
        error => failed(error),
    })?;
    wrong.extend(comparison.end().map_err(unread)?);
    Ok((count, bytes, wrong))
}

/// Takes what the site has of files, one after the other, and compares it with what came back.
struct Comparison<'a> {
    into: &'a Path,
    /// Those that come, with as many bytes.
    next: std::slice::Iter<'a, (PathBuf, u64)>,
    now: Option<Compared<'a>>,
    buffer: Vec<u8>,
    wrong: Vec<String>,
}

/// The file that is being compared.
struct Compared<'a> {
    path: &'a Path,
    file: File,
    /// Bytes that are still to come.
    left: u64,
    is_same: bool,
}

impl<'a> Comparison<'a> {
    fn new(into: &'a Path, files: &'a [(PathBuf, u64)]) -> Self {
        let buffer = vec![0; AT_ONCE];
        Self { into, next: files.iter(), now: None, buffer, wrong: Vec::new() }
    }

    /// Judges the file that was compared, and opens the next one; whether there is one.
    fn advance(&mut self) -> std::io::Result<bool> {
        if let Some(mut done) = self.now.take() {
            let more = done.file.read(&mut self.buffer).map_err(|error| of(done.path, &error))?;
            if !done.is_same || done.left > 0 || more > 0 {
                self.wrong.push(format!("{} has another content", done.path.display()));
            }
        }
        let Some((path, left)) = self.next.next() else { return Ok(false) };
        let file = File::open(self.into.join(path)).map_err(|error| of(path, &error))?;
        self.now = Some(Compared { path, file, left: *left, is_same: true });
        Ok(true)
    }

    /// What differs, when nothing more comes.
    fn end(mut self) -> std::io::Result<Vec<String>> {
        while self.advance()? {}
        Ok(self.wrong)
    }
}

impl Write for Comparison<'_> {
    /// Takes bytes of one file at most.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        while self.now.as_ref().is_none_or(|now| now.left == 0) {
            if !self.advance()? {
                return Err(std::io::Error::other("the site has more of it than its list says"));
            }
        }
        let Some(now) = &mut self.now else { return Ok(0) };
        let left = usize::try_from(now.left).unwrap_or(usize::MAX);
        let count = left.min(bytes.len()).min(AT_ONCE);
        let there = &mut self.buffer[..count];
        if now.is_same {
            now.is_same = match now.file.read_exact(there) {
                Ok(()) => *there == bytes[..count],
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
                Err(error) => return Err(of(now.path, &error)),
            };
        }
        now.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An error with the file that it is of.
fn of(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

struct Counted(u64);

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
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

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
    fn files_that_came_back_otherwise_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let (at, back) = (directory.path().join("at"), directory.path().join("back"));
        let odd = OsStr::from_bytes(b"odd\xff");
        std::fs::create_dir_all(at.join("deep")).unwrap();
        // More than is compared at once, nothing, and a name that is no text.
        std::fs::write(at.join("deep/large"), vec![7_u8; 200_000]).unwrap();
        std::fs::write(at.join("empty"), "").unwrap();
        std::fs::write(at.join(odd), "odd").unwrap();
        std::fs::write(at.join("short"), "short").unwrap();
        std::fs::write(at.join("x"), "as it was").unwrap();
        let repository = Repository::create(&directory.path().join("site"), "a password").unwrap();
        let id = repository.put_tree("files:at", "one", &at).unwrap().id;
        repository.get_tree(&id, &back).unwrap();
        let compared = || compare(&repository, "disk", &id, &back).unwrap();
        assert_eq!(compared(), (5, 200_017, Vec::new()));
        let mut large = vec![7_u8; 200_000];
        large[150_000] = 8;
        std::fs::write(back.join("deep/large"), large).unwrap();
        std::fs::write(back.join("empty"), "more").unwrap();
        std::fs::write(back.join("short"), "shor").unwrap();
        std::fs::remove_file(back.join(odd)).unwrap();
        let (_, _, wrong) = compared();
        assert_eq!(
            wrong,
            [
                "odd\u{fffd} is missing",
                "deep/large has another content",
                "empty has another content",
                "short has another content",
            ]
        );
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
