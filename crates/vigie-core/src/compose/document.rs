//! Decides how a compose file is read: by keys, with aliases and merge keys followed, each value with
//! the place it stands at.

use std::collections::BTreeMap;

use super::node::{Kind, Node, NodeId, Style};
use super::{Place, Refusal, read};

/// Merge keys within merge keys; more were written to go round in circles.
const DEEPEST: usize = 16;
/// The key by which a mapping takes in another.
pub(super) const MERGE: &str = "<<";

/// A compose file that was read.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    /// By the number of the anchor.
    pub(super) anchors: BTreeMap<usize, NodeId>,
    /// Of the first document.
    pub(super) root: Option<NodeId>,
    pub(super) documents: usize,
    pub(super) twice: Vec<Twice>,
}

/// A key that stands twice in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The key.
    pub key: String,
    /// Where it stands first.
    pub first: Place,
    /// Where it stands again.
    pub again: Place,
}

impl Document {
    /// Reads a compose file.
    ///
    /// # Errors
    /// Where and why it is no YAML, or more than a compose file can be.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        read::read(text)
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it holds; nothing when it is empty.
    #[must_use]
    pub fn root(&self) -> Option<View<'_>> {
        Some(self.view(self.root?))
    }

    /// How many documents the file has.
    #[must_use]
    pub const fn documents(&self) -> usize {
        self.documents
    }

    /// Keys that stand twice in one mapping.
    #[must_use]
    pub fn twice(&self) -> &[Twice] {
        &self.twice
    }

    /// The value at `path`, keys of mappings or numbers of lists.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<View<'_>> {
        path.iter().try_fold(self.root()?, |view, key| view.get(key))
    }

    pub(super) fn view(&self, id: NodeId) -> View<'_> {
        View { document: self, id: self.target(id) }
    }

    /// What an alias stands for; itself for anything else.
    pub(super) fn target(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            Kind::Alias(anchor) => self.anchors.get(&anchor).copied().unwrap_or(id),
            _ => id,
        }
    }

    /// The value that a mapping itself writes under `key`: not followed, not merged.
    pub(super) fn own(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let Kind::Mapping { entries, .. } = &self.nodes[id].kind else { return None };
        entries.iter().copied().find(|(name, _)| self.is_key(*name, key))
    }

    fn is_key(&self, id: NodeId, key: &str) -> bool {
        let id = self.target(id);
        matches!(&self.nodes[id].kind, Kind::Scalar { text, .. } if text == key)
    }

    /// What a mapping merges, in the order that counts.
    fn merged(&self, id: NodeId) -> Vec<NodeId> {
        let Some((_, from)) = self.own(id, MERGE) else { return Vec::new() };
        let from = self.target(from);
        match &self.nodes[from].kind {
            Kind::Sequence { items, .. } => items.iter().map(|item| self.target(*item)).collect(),
            _ => vec![from],
        }
    }

    fn find(&self, id: NodeId, key: &str, depth: usize) -> Option<NodeId> {
        if depth > DEEPEST {
            return None;
        }
        if let Some((_, value)) = self.own(id, key) {
            return Some(self.target(value));
        }
        self.merged(id).into_iter().find_map(|from| self.find(from, key, depth + 1))
    }

    /// Keys and values of a mapping, merged ones behind its own.
    pub(super) fn pairs(&self, id: NodeId, depth: usize) -> Vec<(NodeId, NodeId)> {
        let Kind::Mapping { entries, .. } = &self.nodes[id].kind else { return Vec::new() };
        if depth > DEEPEST {
            return Vec::new();
        }
        let own = entries.iter().filter(|(key, _)| !self.is_key(*key, MERGE));
        let mut pairs: Vec<_> = own.copied().collect();
        let mut known: std::collections::BTreeSet<String> =
            pairs.iter().filter_map(|(key, _)| self.scalar(*key)).map(str::to_owned).collect();
        for from in self.merged(id) {
            for (key, value) in self.pairs(from, depth + 1) {
                if self.scalar(key).is_some_and(|text| known.insert(text.to_owned())) {
                    pairs.push((key, value));
                }
            }
        }
        pairs
    }

    fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[self.target(id)].kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// A value of a document, aliases followed.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    document: &'a Document,
    id: NodeId,
}

impl<'a> View<'a> {
    fn node(self) -> &'a Node {
        &self.document.nodes[self.id]
    }

    /// The document it is of.
    #[must_use]
    pub const fn document(self) -> &'a Document {
        self.document
    }

    /// Where it stands.
    #[must_use]
    pub fn place(self) -> Place {
        self.node().place
    }

    /// Its text, for a scalar; empty where nothing is written.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        self.document.scalar(self.id)
    }

    /// How its scalar is written.
    #[must_use]
    pub fn style(self) -> Option<Style> {
        match &self.node().kind {
            Kind::Scalar { style, .. } => Some(*style),
            _ => None,
        }
    }

    /// The value under `key` (merge keys followed), or the item of a list whose number it is.
    #[must_use]
    pub fn get(self, key: &str) -> Option<View<'a>> {
        if let Kind::Sequence { items, .. } = &self.node().kind {
            return Some(self.document.view(*items.get(key.parse::<usize>().ok()?)?));
        }
        let id = self.document.find(self.id, key, 0)?;
        Some(View { document: self.document, id })
    }

    /// Where `key` itself stands, when the mapping writes it itself.
    #[must_use]
    pub fn key_place(self, key: &str) -> Option<Place> {
        let (key, _) = self.document.own(self.id, key)?;
        Some(self.document.nodes[key].place)
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(self) -> bool {
        matches!(self.node().kind, Kind::Mapping { .. })
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self.node().kind, Kind::Sequence { .. })
    }

    /// Keys with their places and values, for a mapping; what is merged comes behind.
    #[must_use]
    pub fn entries(self) -> Vec<(&'a str, Place, View<'a>)> {
        let pairs = self.document.pairs(self.id, 0);
        let told = pairs.into_iter().filter_map(|(key, value)| {
            let place = self.document.nodes[key].place;
            Some((self.document.scalar(key)?, place, self.document.view(value)))
        });
        told.collect()
    }

    /// The items of a list.
    #[must_use]
    pub fn items(self) -> Vec<View<'a>> {
        match &self.node().kind {
            Kind::Sequence { items, .. } => {
                items.iter().map(|item| self.document.view(*item)).collect()
            }
            _ => Vec::new(),
        }
    }
}
