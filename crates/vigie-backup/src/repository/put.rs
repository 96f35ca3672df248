//! Does: keeps directories and streams. A snapshot is written when all of its source was read, and not
//! before.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustic_core::repofile::SnapshotFile;
use rustic_core::{
    BackupOptions, ParentOptions, ReadSource, SnapshotGroupCriterion, SnapshotOptions,
};

use super::work::Work;
use super::{ROOT, Repository, SnapshotId};
use crate::Error;
use crate::lock::Hold;
use crate::source::{Faults, Stream, Tree};

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

/// What is to be kept.
struct Parcel<'a, R> {
    label: &'a str,
    tag: &'a str,
    source: &'a R,
    /// Where the source is.
    path: &'a Path,
    /// Whether files that did not change are taken from the last snapshot of this label.
    has_parent: bool,
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
        let parcel = Parcel { label, tag, source: &source, path, has_parent: true, what };
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
        let parcel = Parcel { label, tag, source: &source, path, has_parent: false, what };
        self.put(&parcel, &faults, ended)
    }

    fn put<R>(
        &self,
        parcel: &Parcel<'_, R>,
        faults: &Faults,
        ended: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error>
    where
        R: ReadSource + 'static,
        R::Open: Send,
        R::Iter: Send,
    {
        self.holding(Hold::Write, |work, interrupted| {
            if interrupted || self.is_first(work, parcel.label)? {
                self.adopt(work)?;
            }
            self.put_held(work, parcel, faults, ended)
        })
    }

    /// Whether nothing of this label was kept yet: then a backup that failed may have left all but the
    /// index of its work.
    fn is_first(&self, work: &Work<'_>, label: &str) -> Result<bool, Error> {
        let all = self.guarded(work, || work.opened()?.get_all_snapshots())?;
        Ok(!all.iter().any(|one| one.label == label))
    }

    fn put_held<R>(
        &self,
        work: &Work<'_>,
        parcel: &Parcel<'_, R>,
        faults: &Faults,
        ended: impl FnOnce() -> Result<(), String>,
    ) -> Result<Stored, Error>
    where
        R: ReadSource + 'static,
        R::Open: Send,
        R::Iter: Send,
    {
        let snapshot = self.guarded(work, || {
            let mut parent = ParentOptions::default();
            parent.group_by = Some(SnapshotGroupCriterion::new().label(true));
            parent.force = !parcel.has_parent;
            let options = BackupOptions::default().as_path(PathBuf::from(ROOT)).parent_opts(parent);
            let snapshot = SnapshotOptions::default().label(parcel.label.to_owned());
            let snapshot = snapshot.add_tags(parcel.tag)?.to_snapshot()?;
            let repository = work.opened_held()?.to_indexed_ids()?;
            repository.archive(&options, parcel.source, snapshot, &[parcel.path.to_owned()])
        })?;
        if let Some(why) = faults.told().or_else(|| ended().err()) {
            return Err(Error::Unreadable { what: parcel.what.clone(), why });
        }
        work.held.release().map_err(|fault| self.failed(fault))?;
        Ok(stored(snapshot))
    }
}

fn stored(snapshot: SnapshotFile) -> Stored {
    let id = snapshot.id.to_hex().as_str().to_owned();
    let summary = snapshot.summary.unwrap_or_default();
    Stored {
        id,
        files: summary.total_files_processed,
        bytes: summary.total_bytes_processed,
        added: summary.data_added_packed,
    }
}
