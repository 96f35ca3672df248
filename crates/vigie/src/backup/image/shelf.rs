//! Decides how the layers of images are called in a repository, and which of them are whole. Never reads or
//! writes anything.
//!
//! A layer is kept once, however many images and backups share it. It is either its files, and behind
//! them what its archive had beside their contents; or its archive. The last of these says how large the
//! archive is, so that a layer of which a killed work left a half does not count.

use std::collections::{BTreeMap, BTreeSet};

/// The tag of a layer's files.
pub(super) const TREE: &str = "layer-tree";
/// The tag of what its archive had beside the files' contents.
const SPLIT: &str = "layer-split";
/// The tag of its archive.
const TAR: &str = "layer-tar";

/// A snapshot as a repository tells it: its name, its label and its tags.
pub(in crate::backup) type Told = (String, String, Vec<String>);

/// A layer that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelved {
    /// How.
    pub(super) how: How,
    /// Bytes of its archive.
    pub(super) bytes: u64,
    /// The layer whose files it has, where its archive was made anew.
    pub(super) of: Option<String>,
}

/// How a layer is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// Two snapshots.
    Files {
        /// Its files.
        tree: String,
        /// What its archive had beside their contents.
        split: String,
    },
    /// The snapshot with its archive.
    Tar(String),
}

/// The label of a layer.
pub(in crate::backup) fn label(diff_id: &str) -> String {
    format!("layer:{diff_id}")
}

/// The layer of a label.
fn layer_of(label: &str) -> Option<&str> {
    label.strip_prefix("layer:")
}

/// Whether a label is that of a layer.
pub(in crate::backup) fn is_layer(label: &str) -> bool {
    layer_of(label).is_some()
}

/// The tags of a split.
pub(super) fn split_tags(bytes: u64) -> String {
    format!("{SPLIT},bytes-{bytes}")
}

/// The tags of an archive. One that was made anew is remembered by the layer it was made from: `of`.
pub(super) fn tar_tags(bytes: u64, of: Option<&str>) -> String {
    let of = of.and_then(|of| of.split_once(':')).map(|(_, hex)| format!(",of-{hex}"));
    format!("{TAR},bytes-{bytes}{}", of.unwrap_or_default())
}

/// The layers that are whole, by their digests.
pub(super) fn read(snapshots: &[Told]) -> BTreeMap<String, Shelved> {
    let mut trees = BTreeMap::new();
    for (id, label, tags) in snapshots {
        if let Some(diff_id) = layer_of(label).filter(|_| has(tags, TREE)) {
            trees.insert(diff_id, id);
        }
    }
    let mut shelf = BTreeMap::new();
    for (id, label, tags) in snapshots {
        let Some(diff_id) = layer_of(label) else { continue };
        let bytes = tags.iter().find_map(|tag| tag.strip_prefix("bytes-")?.parse().ok());
        let Some(bytes) = bytes else { continue };
        let how = match trees.get(diff_id) {
            _ if has(tags, TAR) => How::Tar(id.clone()),
            Some(tree) if has(tags, SPLIT) => {
                How::Files { tree: (*tree).clone(), split: id.clone() }
            }
            _ => continue,
        };
        let of = tags.iter().find_map(|tag| tag.strip_prefix("of-"));
        let of = of.map(|hex| format!("sha256:{hex}"));
        shelf.insert(diff_id.to_owned(), Shelved { how, bytes, of });
    }
    shelf
}

/// The labels of what is whole among these snapshots.
pub(in crate::backup) fn there(snapshots: &[Told]) -> BTreeSet<String> {
    let layers = read(snapshots).into_keys().map(|layer| label(&layer));
    let others = snapshots.iter().map(|(_, label, _)| label).filter(|label| !is_layer(label));
    layers.chain(others.cloned()).collect()
}

fn has(tags: &[String], wanted: &str) -> bool {
    tags.iter().any(|tag| tag == wanted)
}

/// The digests of the layers that are whole among these snapshots.
pub(in crate::backup) fn whole(snapshots: &[Told]) -> BTreeSet<String> {
    read(snapshots).into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str, diff_id: &str, tags: &str) -> Told {
        (id.to_owned(), label(diff_id), tags.split(',').map(str::to_owned).collect())
    }

    #[test]
    fn only_a_whole_layer_counts() {
        let all = [
            told("1", "a", TREE),
            told("2", "a", &split_tags(7)),
            told("3", "half", TREE),
            told("4", "split", &split_tags(8)),
            told("5", "tar", &tar_tags(9, Some("sha256:old"))),
            (String::from("6"), String::from("image:game"), vec![TREE.to_owned()]),
        ];
        let shelf = read(&all);
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["a", "tar"]);
        let labels = ["image:game", "layer:a", "layer:tar"].map(String::from);
        assert_eq!(there(&all), BTreeSet::from(labels));
        let how = How::Files { tree: "1".into(), split: "2".into() };
        assert_eq!(shelf["a"], Shelved { how, bytes: 7, of: None });
        let of = Some(String::from("sha256:old"));
        assert_eq!(shelf["tar"], Shelved { how: How::Tar("5".into()), bytes: 9, of });
    }
}
