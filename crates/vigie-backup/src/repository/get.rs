//! Does: brings directories and streams back, and says what is in a snapshot. It never writes to the
//! repository.

use std::io::Write;
use std::path::Path;

use rustic_core::Id;
use rustic_core::repofile::{Node, SnapshotFile};

use super::entry::{Entry, entry};
use super::put::given;
use super::work::Work;
use super::{ROOT, Repository, SnapshotId};
use crate::Error;
use crate::crypt::hash;
use crate::lock::Hold;
use crate::pack::Index;
use crate::restore::{self, Piece, Source, Step, Walk};
use crate::store::{Area, Object, Store};

/// More entries than these are not told at once; nobody has that many by chance.
const ENTRIES: usize = 5_000_000;

impl Repository {
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
        self.holding(Hold::Read, |work, _| {
            let (snapshot, source) = self.source(work, id)?;
            if let (Some(meter), Some(summary)) = (&self.meter, &snapshot.summary) {
                meter.total(summary.total_bytes_processed);
            }
            match root(&source, &snapshot)?.and_then(|root| root.subtree) {
                Some(tree) => restore::tree(&source, *tree, to),
                None => Ok(()),
            }
        })
    }

    /// Writes the file `name` of a snapshot.
    ///
    /// # Errors
    /// When it is not there, is damaged, or `to` does not take it.
    pub fn get_file(&self, id: &str, name: &str, to: &mut impl Write) -> Result<(), Error> {
        self.holding(Hold::Read, |work, _| {
            let (snapshot, source) = self.source(work, id)?;
            let mut node = root(&source, &snapshot)?;
            for part in Path::new(name) {
                let Some(tree) = node.and_then(|node| node.subtree) else {
                    node = None;
                    break;
                };
                let tree = source.tree(&tree, Path::new(name))?;
                node = tree.nodes.into_iter().find(|node| node.name() == part);
            }
            let node =
                node.ok_or_else(|| Error::NotThere(self.place(), format!("{name} in {id}")))?;
            restore::file(&source, Path::new(name), &node, to)
        })
    }

    /// Writes a stream that is put together of `pieces`: bytes that they bring themselves, and the
    /// contents of files of a snapshot. Some megabytes are read ahead, whatever the files' sizes.
    ///
    /// # Errors
    /// When the snapshot or one of its files is not there or is damaged, a piece cannot be had, or `to`
    /// does not take it.
    pub fn get_woven(
        &self,
        id: &str,
        pieces: impl Iterator<Item = std::io::Result<Piece>> + Send,
        to: &mut impl Write,
    ) -> Result<(), Error> {
        self.holding(Hold::Read, |work, _| {
            let (snapshot, source) = self.source(work, id)?;
            let root = root(&source, &snapshot)?.and_then(|root| root.subtree);
            restore::weave(&source, root.map(|root| *root), pieces, to)
        })
    }

    /// What is in a snapshot, in the order of its paths.
    ///
    /// # Errors
    /// When it is not there or is damaged.
    pub fn entries(&self, id: &str) -> Result<Vec<Entry>, Error> {
        let mut entries = self.holding(Hold::Read, |work, _| {
            let mut entries = Vec::new();
            let (snapshot, source) = self.source(work, id)?;
            let Some(tree) = root(&source, &snapshot)?.and_then(|root| root.subtree) else {
                return Ok(entries);
            };
            let mut walk = Walk::new(&source, *tree)?;
            while let Some(step) = walk.next()? {
                if let Step::Enter(path, node) = step {
                    entries.push(entry(path, &node));
                }
                if entries.len() > ENTRIES {
                    let why = format!("a snapshot has more than {ENTRIES} entries");
                    return Err(Error::Repository(self.place(), why));
                }
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
        let mut all = self.reading(|work| work.opened()?.get_all_snapshots())?;
        all.sort_by(|one, other| one.time.cmp(&other.time));
        let told = all.into_iter().map(|one| {
            let tags = given(&one.tags);
            (one.id.to_hex().as_str().to_owned(), one.label, tags)
        });
        Ok(told.collect())
    }

    /// A snapshot and what it is read from.
    fn source<'a>(
        &self,
        work: &'a Work<'_>,
        id: &str,
    ) -> Result<(SnapshotFile, Source<'a>), Error> {
        let seal = self.seal()?;
        let failed = |fault| self.failed(fault);
        let missing = || Error::NotThere(self.place(), format!("the snapshot {id}"));
        let named: Id = id.parse().map_err(|_| missing())?;
        let content = match work.site.read(&Object::new(Area::Snapshots, named), None) {
            Err(fault) if fault.is_missing() => return Err(missing()),
            content => content.map_err(failed)?,
        };
        let plain = (hash(&content) == named).then(|| seal.open_file(&content)).flatten();
        let snapshot = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        let snapshot = snapshot.ok_or_else(|| {
            let why = format!("the snapshot {id} is damaged; repair it from another site");
            Error::Repository(self.place(), why)
        })?;
        let index = Index::load(&work.site, &seal).map_err(failed)?;
        let (place, meter) = (self.place(), self.meter.clone());
        Ok((snapshot, Source { store: &work.site, seal, index, place, meter }))
    }
}

/// The directory that was kept; none where nothing was in it.
fn root(source: &Source<'_>, snapshot: &SnapshotFile) -> Result<Option<Node>, Error> {
    let top = source.tree(&snapshot.tree, Path::new(""))?;
    let name = ROOT.trim_start_matches('/');
    Ok(top.nodes.into_iter().find(|node| &*node.name() == name))
}
