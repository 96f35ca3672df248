//! Does: one repository on a disk of this machine.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytesize::ByteSize;
use rustic_backend::LocalBackend;
use rustic_core::repofile::{Node, NodeType, SnapshotFile};
use rustic_core::{
    BackupOptions, CheckOptions, ConfigOptions, Credentials, IndexedFull, KeyOptions, LimitOption,
    LocalDestination, LsOptions, OpenStatus, ParentOptions, PruneOptions, ReadSource,
    RepositoryBackends, RepositoryOptions, RestoreOptions, RusticError, RusticResult,
    SnapshotGroupCriterion, SnapshotOptions,
};

use crate::Error;
use crate::progress::{Bars, Meter};
use crate::source::{Faults, Stream, Tree, is_about, told};

/// Where everything is inside a snapshot.
const ROOT: &str = "/data";
/// Packs of this size need a third of the memory that the default needs when they are restored.
const PACK: u64 = 8 * 1024 * 1024;

/// A snapshot's name in its repository: 64 hexadecimal digits.
pub type SnapshotId = String;

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub id: SnapshotId,
    /// Files in it.
    pub files: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Bytes that it added to the repository, compressed.
    pub added: u64,
}

/// What an entry of a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe or a socket.
    Other,
}

/// One entry of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the directory that was kept.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Its mode, owner and group.
    pub mode: Option<(u32, u32, u32)>,
    /// The same for the same content, in this repository.
    pub content: Vec<String>,
}

/// A repository.
#[derive(Clone)]
pub struct Repository {
    directory: PathBuf,
    /// The password once; from then on the key that it opens, which takes no time.
    credentials: Credentials,
    meter: Option<Arc<dyn Meter>>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Repository {
    /// Makes a new repository in `directory`.
    ///
    /// # Errors
    /// When there is one already, or the directory cannot be written.
    pub fn create(directory: &Path, password: &str) -> Result<Self, Error> {
        let new = Self::closed_one(directory, password);
        if directory.join("config").exists() {
            return Err(Error::Exists(directory.into()));
        }
        let key = new.guarded(|| {
            let mut settings = ConfigOptions::default();
            settings.set_datapack_size = Some(ByteSize(PACK));
            settings.set_datapack_growfactor = Some(0);
            let key = KeyOptions::default();
            Ok(new.closed()?.init(&new.credentials, &key, &settings)?.key())
        })?;
        Ok(Self { credentials: Credentials::Masterkey(key), ..new })
    }

    /// Opens the repository in `directory`.
    ///
    /// # Errors
    /// When there is none, or the password is wrong.
    pub fn open(directory: &Path, password: &str) -> Result<Self, Error> {
        let known = Self::closed_one(directory, password);
        if !directory.join("config").exists() {
            return Err(Error::Missing(directory.into()));
        }
        let key = known.guarded(|| Ok(known.opened()?.key()))?;
        Ok(Self { credentials: Credentials::Masterkey(key), ..known })
    }

    fn closed_one(directory: &Path, password: &str) -> Self {
        let credentials = Credentials::password(password);
        Self { directory: directory.into(), credentials, meter: None }
    }

    /// The same repository, telling `meter` how far each work is.
    #[must_use]
    pub fn with_meter(&self, meter: Arc<dyn Meter>) -> Self {
        Self { meter: Some(meter), ..self.clone() }
    }

    /// Keeps everything below `path`. What did not change since the last snapshot of the same `label`
    /// is not read again.
    ///
    /// # Errors
    /// When anything in it cannot be read: then nothing of it is kept.
    pub fn put_tree(&self, label: &str, tag: &str, path: &Path) -> Result<Stored, Error> {
        if !path.is_dir() {
            let why = std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is no directory");
            return Err(Error::File(path.into(), why));
        }
        let faults = Faults::default();
        let source = self.guarded(|| Tree::new(path, &faults))?;
        let snapshot = self.archive(label, tag, &source, path, true)?;
        self.whole(&path.display().to_string(), snapshot, &faults, || Ok(()))
    }

    /// Keeps a stream as the one file `name`. When the stream is over, `ended` says whether all of it
    /// came.
    ///
    /// # Errors
    /// When the stream or `ended` fail: then nothing of it is kept.
    pub fn put_stream(
        &self,
        label: &str,
        tag: &str,
        name: &str,
        reader: impl Read + Send + 'static,
        ended: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error> {
        let faults = Faults::default();
        let source = Stream::new(name, reader, &faults);
        let snapshot = self.archive(label, tag, &source, Path::new("/"), false)?;
        self.whole(name, snapshot, &faults, ended)
    }

    fn archive<R>(
        &self,
        label: &str,
        tag: &str,
        source: &R,
        path: &Path,
        has_parent: bool,
    ) -> Result<SnapshotFile, Error>
    where
        R: ReadSource + 'static,
        R::Open: Send,
        R::Iter: Send,
    {
        self.guarded(|| {
            let mut parent = ParentOptions::default();
            parent.group_by = Some(SnapshotGroupCriterion::new().label(true));
            parent.force = !has_parent;
            let options = BackupOptions::default().as_path(PathBuf::from(ROOT)).parent_opts(parent);
            let snapshot = SnapshotOptions::default().label(label.to_owned()).add_tags(tag)?;
            let repository = self.opened()?.to_indexed_ids()?;
            repository.archive(&options, source, snapshot.to_snapshot()?, &[path.to_owned()])
        })
    }

    /// A snapshot counts when all of its source was read, and is deleted when not.
    fn whole(
        &self,
        what: &str,
        snapshot: SnapshotFile,
        faults: &Faults,
        ended: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error> {
        let id = snapshot.id.to_hex().as_str().to_owned();
        if let Some(why) = faults.told().or_else(|| ended().err()) {
            self.forget(&[id])?;
            return Err(Error::Unreadable { what: what.to_owned(), why });
        }
        let summary = snapshot.summary.unwrap_or_default();
        Ok(Stored {
            id,
            files: summary.total_files_processed,
            bytes: summary.total_bytes_processed,
            added: summary.data_added_packed,
        })
    }

    /// Brings a directory back as it was, into `to`, which is made by this or is empty: hard links, for
    /// one, cannot be brought back over what is there.
    ///
    /// # Errors
    /// When the snapshot is not there, is damaged, or `to` has something in it or cannot be written.
    pub fn get_tree(&self, id: &str, to: &Path) -> Result<(), Error> {
        let failed = |error| Error::File(to.into(), error);
        std::fs::create_dir_all(to).map_err(failed)?;
        if std::fs::read_dir(to).map_err(failed)?.next().is_some() {
            return Err(failed(std::io::ErrorKind::DirectoryNotEmpty.into()));
        }
        self.known(id)?;
        self.guarded(|| {
            let repository = self.opened()?.to_indexed()?;
            let Some(root) = root(&repository, id)? else { return Ok(()) };
            let nodes = repository.ls(&root, &LsOptions::default())?;
            let place = to.to_string_lossy();
            let place = LocalDestination::new(&place, true, !root.is_dir())?;
            let mut options = RestoreOptions::default().numeric_id(true);
            // Its type has no public name, but can be read.
            options.sparse = serde_json::from_str("\"ByContent\"").ok();
            let plan = repository.prepare_restore(&options, nodes.clone(), &place, false)?;
            repository.restore(plan, &options, nodes, &place)
        })
        // It is not the repository that is written.
        .map_err(|error| if let Error::Full(_) = error { Error::Full(to.into()) } else { error })
    }

    /// Writes the file `name` of a snapshot.
    ///
    /// # Errors
    /// When it is not there, is damaged, or `to` does not take it.
    pub fn get_file(&self, id: &str, name: &str, to: &mut impl Write) -> Result<(), Error> {
        self.known(id)?;
        self.guarded(|| {
            let repository = self.opened()?.to_indexed()?;
            let path = format!("{id}:{ROOT}/{name}");
            let node = repository.node_from_snapshot_path(&path, |_| true)?;
            repository.dump(&node, to)
        })
    }

    /// What is in a snapshot, in the order of its paths.
    ///
    /// # Errors
    /// When it is not there or is damaged.
    pub fn entries(&self, id: &str) -> Result<Vec<Entry>, Error> {
        self.known(id)?;
        let mut entries = self.guarded(|| {
            let repository = self.opened()?.to_indexed()?;
            let mut entries = Vec::new();
            let Some(root) = root(&repository, id)? else { return Ok(entries) };
            for found in repository.ls(&root, &LsOptions::default())? {
                let (path, node) = found?;
                entries.push(entry(path, &node));
            }
            Ok(entries)
        })?;
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Every snapshot, oldest first: its name, its label and its tags.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn snapshots(&self) -> Result<Vec<(SnapshotId, String, Vec<String>)>, Error> {
        let mut all = self.guarded(|| self.opened()?.get_all_snapshots())?;
        all.sort_by(|one, other| one.time.cmp(&other.time));
        let told = all.into_iter().map(|one| {
            let tags = one.tags.iter().cloned().collect();
            (one.id.to_hex().as_str().to_owned(), one.label, tags)
        });
        Ok(told.collect())
    }

    /// Forgets snapshots; what only they needed is removed by [`Repository::prune`].
    ///
    /// # Errors
    /// When the repository cannot be written.
    pub fn forget(&self, ids: &[SnapshotId]) -> Result<(), Error> {
        self.guarded(|| {
            let repository = self.opened()?;
            let known = repository.get_all_snapshots()?;
            let ids: Vec<_> = known
                .into_iter()
                .map(|one| one.id)
                .filter(|id| ids.iter().any(|one| one == id.to_hex().as_str()))
                .collect();
            if ids.is_empty() { Ok(()) } else { repository.delete_snapshots(&ids) }
        })
    }

    /// Removes what no snapshot needs. Nobody else may write to the repository meanwhile.
    ///
    /// # Errors
    /// When the repository cannot be written.
    pub fn prune(&self) -> Result<(), Error> {
        self.guarded(|| {
            let repository = self.opened()?;
            // One process writes here at a time, so that nothing that is being written is removed.
            let options = PruneOptions::default()
                .instant_delete(true)
                .keep_delete(rustic_core::jiff::Span::new())
                .max_unused(LimitOption::Percentage(2));
            let plan = repository.prune_plan(&options)?;
            repository.prune(&options, plan)
        })
    }

    /// Reads all of it, data included, and says what is damaged.
    ///
    /// # Errors
    /// When it cannot be read at all, or is damaged.
    pub fn check(&self) -> Result<(), Error> {
        let found = self.guarded(|| {
            let options = CheckOptions::default().trust_cache(true).read_data(true);
            self.opened()?.check(options)
        })?;
        found.is_ok().map_err(|error| {
            Error::Repository(self.directory.clone(), format!("it is damaged: {}", told(&error)))
        })
    }

    fn known(&self, id: &str) -> Result<(), Error> {
        let all = self.guarded(|| self.opened()?.get_all_snapshots())?;
        let known = all.iter().any(|one| one.id.to_hex().as_str() == id);
        let missing = || Error::NotThere(self.directory.clone(), format!("the snapshot {id}"));
        known.then_some(()).ok_or_else(missing)
    }

    fn closed(&self) -> RusticResult<rustic_core::Repository<()>> {
        let backend = LocalBackend::new(self.directory.to_string_lossy(), Vec::new())?;
        let backends = RepositoryBackends::new(Arc::new(backend), None);
        // A cache of a local repository is a second copy of it.
        let options = RepositoryOptions::default().no_cache(true);
        rustic_core::Repository::new_with_progress(&options, &backends, Bars(self.meter.clone()))
    }

    fn opened(&self) -> RusticResult<rustic_core::Repository<OpenStatus>> {
        self.closed()?.open(&self.credentials)
    }

    /// Calls into `rustic_core`, which panics where it should say that something failed.
    fn guarded<T>(&self, call: impl FnOnce() -> RusticResult<T>) -> Result<T, Error> {
        match std::panic::catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(self.error(&error)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                let why = format!("it failed: {}", text.unwrap_or("for an unknown reason"));
                Err(Error::Repository(self.directory.clone(), why))
            }
        }
    }

    fn error(&self, error: &RusticError) -> Error {
        if error.is_code("C002") || error.is_incorrect_password() {
            return Error::Password(self.directory.clone());
        }
        if is_about(error, std::io::ErrorKind::StorageFull) {
            return Error::Full(self.directory.clone());
        }
        Error::Repository(self.directory.clone(), told(error))
    }
}

/// The directory that was kept; none where nothing was in it.
fn root<S: IndexedFull>(
    repository: &rustic_core::Repository<S>,
    id: &str,
) -> RusticResult<Option<Node>> {
    let top = repository.node_from_snapshot_path(&format!("{id}:/"), |_| true)?;
    if repository.ls(&top, &LsOptions::default())?.next().is_none() {
        return Ok(None);
    }
    repository.node_from_snapshot_path(&format!("{id}:{ROOT}"), |_| true).map(Some)
}

fn entry(path: PathBuf, node: &Node) -> Entry {
    let kind = match node.node_type {
        NodeType::File => Kind::File,
        NodeType::Dir => Kind::Directory,
        NodeType::Symlink { .. } => Kind::Link,
        _ => Kind::Other,
    };
    let meta = &node.meta;
    let content = match &node.node_type {
        NodeType::Symlink { linktarget, .. } => vec![linktarget.clone()],
        _ => node.content.iter().flatten().map(|id| id.to_hex().as_str().to_owned()).collect(),
    };
    let owner = meta.mode.zip(meta.uid).zip(meta.gid);
    Entry {
        path,
        kind,
        size: meta.size,
        mode: owner.map(|((mode, uid), gid)| (mode, uid, gid)),
        content,
    }
}
