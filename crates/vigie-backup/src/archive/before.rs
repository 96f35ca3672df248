//! Decides which files did not change since the last snapshot: what a file system says of them is the
//! same, and everything in them is still there. It reads directories of that snapshot only.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use rustic_core::Id;
use rustic_core::repofile::{Node, NodeType};

use crate::crypt::Seal;
use crate::pack::{self, Index, Kind};
use crate::store::Store;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It is the same, and this is in it.
    Same(Vec<Id>),
    /// There was one of this name.
    Changed,
    /// There was none.
    New,
}

/// The last snapshot, gone through beside a directory.
pub(super) struct Before<'a> {
    store: &'a dyn Store,
    seal: &'a Seal,
    index: &'a Index,
    /// The entries of each directory that is open, where there was one of this name.
    open: Vec<HashMap<OsString, Node>>,
}

impl<'a> Before<'a> {
    /// Begins at the directory that was kept; nothing was kept without one.
    pub(super) fn new(
        store: &'a dyn Store,
        seal: &'a Seal,
        index: &'a Index,
        root: Option<&Id>,
    ) -> Self {
        let mut before = Self { store, seal, index, open: Vec::new() };
        let first = root.map(|id| before.entries(id)).unwrap_or_default();
        before.open.push(first);
        before
    }

    /// What cannot be read is read anew from its source.
    fn entries(&self, id: &Id) -> HashMap<OsString, Node> {
        let tree = pack::tree(self.store, self.seal, self.index, id);
        let nodes = tree.map(|tree| tree.nodes).unwrap_or_default();
        nodes.into_iter().map(|node| (node.name().into_owned(), node)).collect()
    }

    fn node(&self, name: &OsStr) -> Option<&Node> {
        self.open.last()?.get(name)
    }

    /// Goes into the directory `name`, and says what was known of it.
    pub(super) fn enter(&mut self, name: &OsStr) -> Option<Id> {
        let tree = self.node(name).and_then(|node| node.subtree).map(|id| *id);
        let entries = tree.as_ref().map(|id| self.entries(id)).unwrap_or_default();
        self.open.push(entries);
        tree
    }

    /// Leaves it.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// Whether `node` is what was kept under its name.
    pub(super) fn look(&self, node: &Node) -> Known {
        let Some(old) = self.node(&node.name()) else { return Known::New };
        let (was, is) = (&old.meta, &node.meta);
        let same_change = was.ctime.zip(is.ctime).is_none_or(|(was, is)| was == is);
        let same_file = was.inode == 0 || is.inode == 0 || was.inode == is.inode;
        let same = old.node_type == node.node_type
            && was.size == is.size
            && was.mtime.is_some()
            && was.mtime == is.mtime;
        if !same || !same_change || !same_file {
            return Known::Changed;
        }
        let content: Vec<Id> = old.content.iter().flatten().map(|id| **id).collect();
        let is_there = |id: &Id| self.index.place(Kind::Data, id).is_some();
        let is_file = matches!(old.node_type, NodeType::File);
        match content.iter().all(is_there) && (is_file || content.is_empty()) {
            true => Known::Same(content),
            false => Known::Changed,
        }
    }
}
