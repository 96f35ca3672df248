//! Does: what is read into a repository. Every source counts what it could not read, because whoever
//! reads from it only logs that.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{
    Excludes, LocalSource, LocalSourceFilterOptions, LocalSourceSaveOptions, ReadSource,
    ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult,
};

/// Reasons that are kept: one would do, thousands help nobody.
const KEPT: usize = 3;

/// What a source could not read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<(u64, Vec<String>)>>);

impl Faults {
    /// Counts one.
    pub(crate) fn add(&self, why: String) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.0 += 1;
        if faults.1.len() < KEPT {
            faults.1.push(why);
        }
    }

    /// The first reasons in one line, if there are any.
    pub(crate) fn told(&self) -> Option<String> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let more = faults.0.saturating_sub(faults.1.len() as u64);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (faults.0 > 0).then(|| format!("{}{more}", faults.1.join("; ")))
    }
}

/// A directory of this machine.
#[derive(Debug)]
pub(crate) struct Tree {
    source: LocalSource,
    faults: Faults,
}

impl Tree {
    /// Everything below `path`.
    pub(crate) fn new(path: &Path, faults: &Faults) -> RusticResult<Self> {
        let source = LocalSource::new(
            LocalSourceSaveOptions::default(),
            &Excludes::default(),
            &LocalSourceFilterOptions::default(),
            &[path],
        )?;
        Ok(Self { source, faults: faults.clone() })
    }
}

impl ReadSource for Tree {
    type Open = Counted<<LocalSource as ReadSource>::Open>;
    type Iter = Entries;

    fn size(&self) -> RusticResult<Option<u64>> {
        self.source.size()
    }

    fn entries(&self) -> Self::Iter {
        Entries { entries: self.source.entries(), faults: self.faults.clone() }
    }
}

/// The entries of a directory.
pub(crate) struct Entries {
    entries: <LocalSource as ReadSource>::Iter,
    faults: Faults,
}

impl Iterator for Entries {
    type Item = RusticResult<ReadSourceEntry<Counted<<LocalSource as ReadSource>::Open>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.entries.next()? {
            Ok(entry) => entry,
            Err(error) => {
                // A file that was deleted since its directory was read was not there to be kept.
                if !gone(&error) {
                    self.faults.add(told(&error));
                }
                return Some(Err(error));
            }
        };
        let ReadSourceEntry { path, node, open } = entry;
        let faults = self.faults.clone();
        let open = open.map(|open| Counted { open, path: path.clone(), faults });
        Some(Ok(ReadSourceEntry { path, node, open }))
    }
}

/// A file whose faults are counted.
#[derive(Debug)]
pub(crate) struct Counted<O> {
    open: O,
    path: PathBuf,
    faults: Faults,
}

impl<O: ReadSourceOpen> ReadSourceOpen for Counted<O> {
    type Reader = Watched<O::Reader>;

    fn open(self) -> RusticResult<Self::Reader> {
        match self.open.open() {
            Ok(reader) => Ok(Watched { reader, path: self.path, faults: self.faults }),
            Err(error) => {
                if !gone(&error) {
                    self.faults.add(told(&error));
                }
                Err(error)
            }
        }
    }
}

/// A reader that fills every buffer it is given, and whose faults are counted.
#[derive(Debug)]
pub(crate) struct Watched<R> {
    reader: R,
    path: PathBuf,
    faults: Faults,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.faults.add(format!("{}: {error}", self.path.display()));
                    return Err(error);
                }
            }
        }
        Ok(filled)
    }
}

/// One stream as one file.
pub(crate) struct Stream<R> {
    reader: Mutex<Option<R>>,
    path: PathBuf,
    faults: Faults,
}

impl<R> Stream<R> {
    /// `reader` as a file of this name.
    pub(crate) fn new(name: &str, reader: R, faults: &Faults) -> Self {
        let path = Path::new("/").join(name);
        Self { reader: Mutex::new(Some(reader)), path, faults: faults.clone() }
    }
}

impl<R: Read + Send + 'static> ReadSource for Stream<R> {
    type Open = Watched<R>;
    type Iter = std::option::IntoIter<RusticResult<ReadSourceEntry<Watched<R>>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let entry = reader.map(|reader| {
            // Older restics restore a file of size 0 as an empty one; newer ones look at its content.
            let meta = Metadata { size: 1, mode: Some(0o600), ..Metadata::default() };
            let name = self.path.file_name().unwrap_or_default();
            let node = Node::new_node(name, NodeType::File, meta);
            let (path, faults) = (self.path.clone(), self.faults.clone());
            let open = Watched { reader, path: path.clone(), faults };
            Ok(ReadSourceEntry { path, node, open: Some(open) })
        });
        entry.into_iter()
    }
}

/// An error in one line.
pub(crate) fn told(error: &RusticError) -> String {
    let mut line = error.display_log().replace('\n', " ");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        line = format!("{line}: {inner}");
        cause = inner.source();
    }
    line.trim_start_matches("Error: ").to_owned()
}

/// Whether it is about a file that is not there any more.
fn gone(error: &RusticError) -> bool {
    is_about(error, std::io::ErrorKind::NotFound)
}

/// Whether `kind` is what is behind an error.
pub(crate) fn is_about(error: &RusticError, kind: std::io::ErrorKind) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == kind) {
            return true;
        }
        cause = inner.source();
    }
    false
}
