//! Does: keeps directories and streams. A snapshot is written when all of its source was read, and not
//! before.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use rustic_core::jiff::Zoned;
use rustic_core::repofile::{ConfigFile, SnapshotFile, StringList};
use rustic_core::{ReadSource, RusticResult, SnapshotOptions};

use super::work::Work;
use super::{ROOT, Repository, SnapshotId};
use crate::Error;
use crate::archive::Archive;
use crate::crypt::hash;
use crate::lock::Hold;
use crate::pack::{self, Index};
use crate::source::{Faults, Stream, Tree};
use crate::store::{Area, Object, Store as _};

/// The tag by which snapshots of directories are told from those of streams.
pub(super) const TREE: &str = "tree";

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
    /// Files that did not change since the last one, and were not read.
    pub unchanged: u64,
}

/// What is to be kept.
struct Parcel<'a, R> {
    label: &'a str,
    tag: &'a str,
    source: &'a R,
    /// Where the source is.
    path: &'a Path,
    /// Whether it is a directory: files that did not change are taken from the last one of this label.
    is_tree: bool,
    /// How people call it.
    what: String,
}

impl Repository {
    /// Keeps everything below `path`. What did not change since the last snapshot of the same `label`
    /// is not read again.
    ///
    /// # Errors
    /// When anything in it cannot be read: then nothing of it is kept.
    pub fn put_tree(&self, label: &str, tag: &str, path: &Path) -> Result<Stored, Error> {
        self.put_tree_proved(label, tag, path, || Ok(()))
    }

    /// The same; when all of it was read, `proved` says whether it is what it should be.
    ///
    /// # Errors
    /// As [`Repository::put_tree`], and when `proved` fails: then nothing of it is kept.
    pub fn put_tree_proved(
        &self,
        label: &str,
        tag: &str,
        path: &Path,
        proved: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error> {
        if !path.is_dir() {
            let why = std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is no directory");
            return Err(Error::File(path.into(), why));
        }
        let faults = Faults::default();
        let source = self.reading(|_| Tree::new(path, &faults))?;
        let what = path.display().to_string();
        let parcel = Parcel { label, tag, source: &source, path, is_tree: true, what };
        self.put(&parcel, &faults, proved)
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
        let path = Path::new("/");
        let what = name.to_owned();
        let parcel = Parcel { label, tag, source: &source, path, is_tree: false, what };
        self.put(&parcel, &faults, ended)
    }

    fn put<R>(
        &self,
        parcel: &Parcel<'_, R>,
        faults: &Faults,
        ended: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error>
    where
        R: ReadSource,
        R::Open: Send,
    {
        self.holding(Hold::Write, |work, interrupted| {
            let (config, mut known) = self.guarded(work, || {
                let opened = work.opened()?;
                Ok((opened.config().clone(), opened.get_all_snapshots()?))
            })?;
            known.retain(|one| one.label == parcel.label);
            // Where nothing of this label was kept yet, a backup that failed may have left all but the
            // index of its work.
            if interrupted || known.is_empty() {
                self.adopt(work)?;
            }
            // A stream of the same label, such as what is said of a backup, is younger than the directory.
            let trees = known.into_iter().filter(|one| parcel.is_tree && one.tags.contains(TREE));
            let last = trees.max_by(|one, other| one.time.cmp(&other.time));
            let mut snapshot = self.guarded(work, || begun(parcel, last.as_ref()))?;
            self.read(work, &config, parcel, last.as_ref(), (&mut snapshot, faults))?;
            if parcel.is_tree && !parcel.path.is_dir() {
                faults.add(String::from("it went away while it was read"));
            }
            if let Some(why) = faults.told().or_else(|| ended().err()) {
                return Err(Error::Unreadable { what: parcel.what.clone(), why });
            }
            // Only now does anything refer to what was written.
            self.save(work, &mut snapshot)?;
            Ok(stored(snapshot))
        })
    }

    /// Reads the source into packs, and notes in the snapshot what became of it.
    fn read<R>(
        &self,
        work: &Work<'_>,
        config: &ConfigFile,
        parcel: &Parcel<'_, R>,
        last: Option<&SnapshotFile>,
        (snapshot, faults): (&mut SnapshotFile, &Faults),
    ) -> Result<(), Error>
    where
        R: ReadSource,
        R::Open: Send,
    {
        // What comes after the first fault of the site is only its echo.
        let failed = |fault| self.failed(work.site.first().unwrap_or(fault));
        let seal = self.seal()?;
        let index = Index::load(&work.site, &seal).map_err(failed)?;
        let name = ROOT.trim_start_matches('/');
        let last = last.and_then(|last| {
            let top = pack::tree(&work.site, &seal, &index, &last.tree).ok()?;
            let root = top.nodes.into_iter().find(|node| &*node.name() == name)?;
            root.subtree.map(|id| *id)
        });
        let archive = Archive {
            store: &work.site,
            seal: &seal,
            index: &index,
            config,
            last,
            meter: self.meter.as_deref(),
        };
        let read =
            self.guarded(work, || Ok(archive.read(parcel.source, parcel.path, name, faults)))?;
        let (tree, mut summary) = read.map_err(failed)?;
        snapshot.tree = tree.into();
        let begun = snapshot.summary.take().unwrap_or_default();
        (summary.command, summary.backup_start) = (begun.command, begun.backup_start);
        summary.backup_end = Zoned::now();
        let took = summary.backup_end.timestamp().duration_since(summary.backup_start.timestamp());
        (summary.backup_duration, summary.total_duration) =
            (took.as_secs_f64(), took.as_secs_f64());
        snapshot.summary = Some(summary);
        Ok(())
    }

    /// Writes a snapshot, and notes its name in it.
    fn save(&self, work: &Work<'_>, snapshot: &mut SnapshotFile) -> Result<(), Error> {
        let wrong = || Error::Repository(self.place(), "a snapshot has no form".to_owned());
        let plain = serde_json::to_vec(snapshot).map_err(|_| wrong())?;
        let sealed = Bytes::from(self.seal()?.close_file(&plain).ok_or_else(wrong)?);
        let id = hash(&sealed);
        let object = Object::new(Area::Snapshots, id);
        work.site.write(&object, &[sealed]).map_err(|fault| self.failed(fault))?;
        snapshot.id = id.into();
        Ok(())
    }
}

/// A snapshot of which nothing was read yet.
fn begun<R>(parcel: &Parcel<'_, R>, last: Option<&SnapshotFile>) -> RusticResult<SnapshotFile> {
    let options = SnapshotOptions::default().label(parcel.label.to_owned());
    let options = options.add_tags(parcel.tag)?;
    let options = if parcel.is_tree { options.add_tags(TREE)? } else { options };
    let mut snapshot = options.to_snapshot()?;
    // One path has no form that could be wrong.
    snapshot.paths = ROOT.parse().unwrap_or_default();
    snapshot.parent = last.map(|last| last.id);
    snapshot.parents = last.map(|last| last.id).into_iter().collect();
    Ok(snapshot)
}

/// The tags of a snapshot that somebody gave it.
pub(super) fn given(tags: &StringList) -> Vec<String> {
    tags.iter().filter(|tag| *tag != TREE).cloned().collect()
}

fn stored(snapshot: SnapshotFile) -> Stored {
    let id = snapshot.id.to_hex().as_str().to_owned();
    let summary = snapshot.summary.unwrap_or_default();
    Stored {
        id,
        files: summary.total_files_processed,
        bytes: summary.total_bytes_processed,
        added: summary.data_added_packed,
        unchanged: summary.files_unmodified,
    }
}
