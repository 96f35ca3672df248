//! Does: brings directories and streams back, and says what is in a snapshot. It never writes to the
//! repository.

use std::io::Write;
use std::path::Path;

use rustic_core::repofile::Node;
use rustic_core::{IndexedFull, LocalDestination, LsOptions, RestoreOptions, RusticResult};

use super::entry::{Entry, entry};
use super::{ROOT, Repository, SnapshotId};
use crate::Error;

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
        self.known(id)?;
        self.reading_locked(|work| {
            let repository = work.opened()?.to_indexed()?;
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
    }

    /// Writes the file `name` of a snapshot.
    ///
    /// # Errors
    /// When it is not there, is damaged, or `to` does not take it.
    pub fn get_file(&self, id: &str, name: &str, to: &mut impl Write) -> Result<(), Error> {
        self.known(id)?;
        self.reading_locked(|work| {
            let repository = work.opened()?.to_indexed()?;
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
        let mut entries = self.reading_locked(|work| {
            let repository = work.opened()?.to_indexed()?;
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
        let mut all = self.reading(|work| work.opened()?.get_all_snapshots())?;
        all.sort_by(|one, other| one.time.cmp(&other.time));
        let told = all.into_iter().map(|one| {
            let tags = one.tags.iter().cloned().collect();
            (one.id.to_hex().as_str().to_owned(), one.label, tags)
        });
        Ok(told.collect())
    }

    /// Fails when there is no such snapshot.
    fn known(&self, id: &str) -> Result<(), Error> {
        let all = self.reading(|work| work.opened()?.get_all_snapshots())?;
        let known = all.iter().any(|one| one.id.to_hex().as_str() == id);
        let missing = || Error::NotThere(self.place(), format!("the snapshot {id}"));
        known.then_some(()).ok_or_else(missing)
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
