//! Decides the order in which a snapshot is gone through, and refuses names that are more than a name:
//! what it gives out is always below where it began. It keeps one directory of each depth in memory.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use rustic_core::Id;
use rustic_core::repofile::{Node, NodeType};

use super::Source;
use crate::Error;

/// Deeper than any file system goes.
const DEPTH: usize = 2_048;

/// What is next.
pub(crate) enum Step {
    /// An entry; a directory before what is in it.
    Enter(PathBuf, Node),
    /// A directory after what is in it.
    Leave(PathBuf, Node),
}

/// A directory that is being gone through, and what is left in it; the first has no entry of its own.
type Open = (Option<(PathBuf, Node)>, std::vec::IntoIter<Node>);

/// A way through a snapshot.
pub(crate) struct Walk<'a> {
    source: &'a Source<'a>,
    open: Vec<Open>,
    path: PathBuf,
}

impl<'a> Walk<'a> {
    /// From this directory.
    pub(crate) fn new(source: &'a Source<'a>, root: Id) -> Result<Self, Error> {
        let nodes = source.tree(&root, Path::new(""))?.nodes.into_iter();
        Ok(Self { source, open: vec![(None, nodes)], path: PathBuf::new() })
    }

    /// The next step, as long as there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Step>, Error> {
        let Some((_, nodes)) = self.open.last_mut() else { return Ok(None) };
        let Some(node) = nodes.next() else {
            let left = self.open.pop().and_then(|(left, _)| left);
            self.path.pop();
            return Ok(left.map(|(path, node)| Step::Leave(path, node)));
        };
        let name = node.name().into_owned();
        if !is_a_name(&name) {
            let why = format!("{name:?} in a snapshot is no name; somebody made it to do harm");
            return Err(Error::Repository(self.source.place.clone(), why));
        }
        let path = self.path.join(&name);
        if matches!(node.node_type, NodeType::Dir) {
            let nodes = match &node.subtree {
                _ if self.open.len() >= DEPTH => {
                    let why = format!("a snapshot has directories deeper than {DEPTH}");
                    return Err(Error::Repository(self.source.place.clone(), why));
                }
                Some(id) => self.source.tree(id, &path)?.nodes,
                None => Vec::new(),
            };
            self.open.push((Some((path.clone(), node.clone())), nodes.into_iter()));
            self.path.clone_from(&path);
        }
        Ok(Some(Step::Enter(path, node)))
    }
}

/// Whether it is one name, and nothing that leads elsewhere.
fn is_a_name(name: &OsStr) -> bool {
    let mut parts = Path::new(name).components();
    let one = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
    one && parts.next().is_none() && !name.as_encoded_bytes().contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_is_a_name() {
        for fine in ["a", "é ø", ".hidden", "..x", "a\\b"] {
            assert!(is_a_name(OsStr::new(fine)), "{fine}");
        }
        for bad in ["", ".", "..", "/", "/etc", "a/b", "a/", "../x", "a/../b", "a\0b"] {
            assert!(!is_a_name(OsStr::new(bad)), "{bad}");
        }
    }
}
