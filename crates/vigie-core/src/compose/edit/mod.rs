//! Decides an edit of one value of a compose file, in place: all bytes but those of the value stay.
//! Each edit is read again and proved: the new file must say what the old one said, but for that
//! value; else the file is left alone.

mod insert;
mod render;
mod replace;

use super::document::Document;
use super::node::{Kind, NodeId};
use super::value::{Value, said, wrapped};
use super::{Place, Refusal, Why};

/// One way to write the edit: these bytes become that text.
#[derive(Debug, Clone)]
struct Splice {
    span: std::ops::Range<usize>,
    text: String,
}

impl Splice {
    fn at(at: usize, text: String) -> Self {
        Self { span: at..at, text }
    }

    fn apply(&self, text: &str) -> Option<String> {
        let (before, after) = (text.get(..self.span.start)?, text.get(self.span.end..)?);
        Some([before, &self.text, after].concat())
    }
}

impl Document {
    /// The file with `value` at `path` (keys, and numbers of list items): replaced where something
    /// stands there, inserted where nothing does. What is merged or aliased into the mapping is
    /// overridden there alone.
    ///
    /// # Errors
    /// Where and why it cannot be done safely. The file that was read is never changed.
    pub fn set(&self, path: &[&str], value: &Value) -> Result<Self, Refusal> {
        let root = self.editable()?;
        let (before, mut wanted) = (said(self)?, said(self)?);
        if !wanted.set(path, value.clone()) {
            return Err(self.in_the_way(path));
        }
        if before.says(&wanted) {
            return Ok(self.clone());
        }
        let spot = self.descend(root, path, &wanted, value);
        let mut refusal = None;
        for splice in self.ways(&spot)? {
            match self.proved(&splice, &wanted) {
                Ok(document) => return Ok(document),
                Err(why) => refusal = refusal.or(Some(why)),
            }
        }
        Err(self.explain(&spot, refusal))
    }

    fn editable(&self) -> Result<NodeId, Refusal> {
        let Some(root) = self.root else { return Err(Refusal::new(Place::START, Why::Nothing)) };
        if self.documents > 1 {
            return Err(Refusal::new(Place::START, Why::Documents(self.documents)));
        }
        if let Some(twice) = self.twice.first() {
            let why = Why::Twice { key: twice.key.clone(), first: twice.first };
            return Err(Refusal::new(twice.again, why));
        }
        if self.nodes[root].is_empty() {
            return Err(Refusal::new(Place::START, Why::Nothing));
        }
        Ok(root)
    }

    fn in_the_way(&self, path: &[&str]) -> Refusal {
        let found = (0..path.len()).rev().find_map(|n| Some((n, self.at(&path[..n])?)));
        let (depth, place) = found.map_or((0, Place::START), |(n, view)| (n, view.place()));
        let name = depth.checked_sub(1).map_or("", |last| path[last]);
        Refusal::new(place, Why::NoMapping(name.to_owned()))
    }

    /// Where the path leaves what the file itself writes there.
    fn descend<'a>(
        &self,
        root: NodeId,
        path: &'a [&'a str],
        wanted: &Value,
        value: &Value,
    ) -> Spot<'a> {
        let (mut at, mut way, mut wanted) = (root, vec![root], Some(wanted));
        for (depth, key) in path.iter().copied().enumerate() {
            wanted = wanted.and_then(|wanted| wanted.get(key));
            let last = depth + 1 == path.len();
            // What has to stand under this key when the edit is made here.
            let whole =
                || wanted.cloned().unwrap_or_else(|| wrapped(&path[depth + 1..], value.clone()));
            let (name, inner) = match &self.nodes[at].kind {
                Kind::Mapping { .. } => match self.own(at, key) {
                    Some((name, inner)) => (Some(name), inner),
                    None => return Spot { way, key, name: None, old: None, value: whole() },
                },
                Kind::Sequence { items, .. } => {
                    let item = key.parse().ok().and_then(|number: usize| items.get(number));
                    match item {
                        Some(item) => (None, *item),
                        None => return Spot { way, key, name: None, old: None, value: whole() },
                    }
                }
                _ => return Spot { way, key, name: None, old: None, value: whole() },
            };
            let leaves =
                matches!(self.nodes[inner].kind, Kind::Alias(_)) || self.nodes[inner].is_empty();
            if last || leaves {
                return Spot { way, key, name, old: Some(inner), value: whole() };
            }
            way.push(inner);
            at = inner;
        }
        Spot { way, key: "", name: None, old: None, value: value.clone() }
    }

    fn ways(&self, spot: &Spot<'_>) -> Result<Vec<Splice>, Refusal> {
        match spot.old {
            Some(old) => replace::ways(self, spot, old),
            None => Ok(insert::ways(self, spot)),
        }
    }

    fn proved(&self, splice: &Splice, wanted: &Value) -> Result<Self, Refusal> {
        let unproved =
            || Refusal::new(Place::of_byte(&self.text, splice.span.start), Why::Unproved);
        let text = splice.apply(&self.text).ok_or_else(unproved)?;
        let document = Self::parse(&text).map_err(|_| unproved())?;
        let fine = document.documents == self.documents
            && document.twice.is_empty()
            && said(&document).is_ok_and(|said| said.says(wanted));
        if fine { Ok(document) } else { Err(unproved()) }
    }

    /// Why no way was proved: most often because somebody else uses what would change.
    fn explain(&self, spot: &Spot<'_>, refusal: Option<Refusal>) -> Refusal {
        let end = spot.old.filter(|old| self.target(*old) == *old);
        let anchored = spot.way.iter().copied().chain(end).filter(|id| self.nodes[*id].anchor != 0);
        for id in anchored {
            let anchor = self.nodes[id].anchor;
            let user =
                self.nodes.iter().find(|node| matches!(node.kind, Kind::Alias(to) if to == anchor));
            if let Some(user) = user {
                return Refusal::new(self.nodes[id].place, Why::Shared { used: user.place });
            }
        }
        refusal.unwrap_or_else(|| {
            let holder = spot.way.last().map_or(Place::START, |id| self.nodes[*id].place);
            Refusal::new(holder, Why::Missing(spot.key.to_owned()))
        })
    }
}

/// What is edited: the nodes on the way to it, the key, and what stands there now.
#[derive(Debug)]
struct Spot<'a> {
    /// From the root to the mapping or list that holds it.
    way: Vec<NodeId>,
    key: &'a str,
    /// The key's own node, where the mapping writes it.
    name: Option<NodeId>,
    old: Option<NodeId>,
    /// What has to stand there.
    value: Value,
}

impl Spot<'_> {
    fn holder(&self) -> Option<NodeId> {
        self.way.last().copied()
    }
}
