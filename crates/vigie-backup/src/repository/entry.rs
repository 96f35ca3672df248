//! Decides how an entry of a snapshot is told; never reads one.

use std::path::PathBuf;

use rustic_core::repofile::{Node, NodeType};

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

/// The entry that a node is.
pub(super) fn entry(path: PathBuf, node: &Node) -> Entry {
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
