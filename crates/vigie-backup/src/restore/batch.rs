//! Does: makes the entries of a snapshot, some thousands at a time: first all of them, then their
//! contents, then what else is known of them. It replaces nothing: what is there already is an error.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rustic_core::repofile::{Metadata, Node, NodeType};

use super::contents::{self, Wanted};
use super::{Source, below, metadata};
use crate::Error;
use crate::pack::{Damage, Kind};

/// Entries that are under way.
const ENTRIES: usize = 20_000;
/// Blobs that are under way.
const BLOBS: usize = 100_000;

/// Entries that are made together.
pub(super) struct Batch<'a> {
    source: &'a Source<'a>,
    to: &'a Path,
    /// Files whose contents are wanted.
    files: Vec<PathBuf>,
    wanted: Vec<Wanted>,
    /// What is set when the contents are there, in this order.
    known: Vec<(PathBuf, NodeType, Metadata)>,
    /// Where the first name of a file is that has several, and how many names are still to come.
    linked: HashMap<(u64, u64), (PathBuf, u64)>,
}

impl<'a> Batch<'a> {
    /// Nothing is made yet.
    pub(super) fn new(source: &'a Source<'a>, to: &'a Path) -> Self {
        let (files, wanted, known) = (Vec::new(), Vec::new(), Vec::new());
        Self { source, to, files, wanted, known, linked: HashMap::new() }
    }

    /// Makes an entry.
    pub(super) fn enter(&mut self, path: PathBuf, node: Node) -> Result<(), Error> {
        let at = below(self.to, &path);
        let failed = |error| Error::File(at.clone(), error);
        match &node.node_type {
            NodeType::Dir => return fs::create_dir(&at).map_err(failed),
            NodeType::File => {
                if let Some(first) = self.first_name(&path, &node.meta) {
                    return fs::hard_link(below(self.to, &first), &at).map_err(failed);
                }
                self.file(&path, &at, &node)?;
            }
            other => metadata::make(&at, other).map_err(failed)?,
        }
        self.known.push((path, node.node_type, node.meta));
        self.flush_when_full()
    }

    /// Ends a directory: everything in it is made.
    pub(super) fn leave(&mut self, path: PathBuf, node: Node) -> Result<(), Error> {
        self.known.push((path, node.node_type, node.meta));
        self.flush_when_full()
    }

    /// Another name under which this file is there already.
    fn first_name(&mut self, path: &Path, meta: &Metadata) -> Option<PathBuf> {
        if meta.links < 2 || meta.inode == 0 {
            return None;
        }
        let key = (meta.device_id, meta.inode);
        let Some((first, left)) = self.linked.get_mut(&key) else {
            self.linked.insert(key, (path.to_owned(), meta.links - 1));
            return None;
        };
        let first = first.clone();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.linked.remove(&key);
        }
        Some(first)
    }

    fn file(&mut self, path: &Path, at: &Path, node: &Node) -> Result<(), Error> {
        let failed = |error| Error::File(at.to_owned(), error);
        let made = fs::OpenOptions::new().write(true).create_new(true).open(at).map_err(failed)?;
        let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let mut position = 0_u64;
        for id in node.content.iter().flatten() {
            let place = self.source.index.place(Kind::Data, id);
            let place = place.ok_or_else(|| self.source.damaged(path, Damage::Missing))?;
            self.wanted.push(Wanted { place, id: **id, file, position });
            position = position.saturating_add(place.content());
        }
        self.files.push(path.to_owned());
        made.set_len(position).map_err(failed)
    }

    fn flush_when_full(&mut self) -> Result<(), Error> {
        let full = self.known.len() >= ENTRIES || self.wanted.len() >= BLOBS;
        if full { self.flush() } else { Ok(()) }
    }

    /// Writes the contents of everything that was made, and sets what else is known of it.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        contents::write(self.source, self.to, &self.files, std::mem::take(&mut self.wanted))?;
        self.files.clear();
        for (path, kind, meta) in self.known.drain(..) {
            let at = below(self.to, &path);
            metadata::set(&at, &kind, &meta).map_err(|error| Error::File(at, error))?;
        }
        Ok(())
    }
}
