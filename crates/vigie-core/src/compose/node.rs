//! Decides the shape of what was read: nodes with the bytes that they stand in, kept in one list so
//! that an alias is only a number.

use std::ops::Range;

use super::Place;

/// A node's number in its document.
pub(super) type NodeId = usize;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Nothing is written: `key:`.
    Empty,
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its bytes, without anchor and tag. A block collection's are those of what it holds; a block
    /// scalar's those of its lines.
    pub(super) span: Range<usize>,
    pub(super) place: Place,
    /// The number of its anchor, 0 where it has none.
    pub(super) anchor: usize,
    pub(super) tag: Option<String>,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar {
        text: String,
        style: Style,
    },
    Mapping {
        entries: Vec<(NodeId, NodeId)>,
        flow: bool,
    },
    Sequence {
        items: Vec<NodeId>,
        flow: bool,
    },
    /// The anchor's number.
    Alias(usize),
}

impl Node {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Scalar { style: Style::Empty, .. })
    }
}
