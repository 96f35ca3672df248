//! The files of the project that rules look at: what would be committed, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Directories that hold nothing of ours.
const SKIPPED: [&str; 5] = [".git", "target", ".vigie", "node_modules", "lab"];

/// Larger files are data.
const LARGEST: u64 = 1 << 20;

/// Paths from the root with their text; binary and large files have none.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, Option<String>>,
    dirs: BTreeSet<String>,
}

impl Tree {
    /// Reads the project at `root`.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_dir(root, "")?;
        Ok(tree)
    }

    fn read_dir(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(dir).with_context(|| format!("cannot list {dir:?}"))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {dir:?}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // `lab/` is scratch at the root only; rooms of the source have that name too.
            if SKIPPED.contains(&name.as_str()) && (name != "lab" || prefix.is_empty()) {
                continue;
            }
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().with_context(|| format!("cannot look at {path}"))?;
            if kind.is_dir() {
                self.read_dir(&entry.path(), &format!("{path}/"))?;
                self.dirs.insert(path);
            } else if kind.is_file() {
                let small = entry.metadata().is_ok_and(|meta| meta.len() <= LARGEST);
                // A file may vanish while we read: an editor's, another build's.
                let text = small.then(|| fs::read(entry.path()).ok()).flatten();
                self.files.insert(path, text.and_then(|bytes| String::from_utf8(bytes).ok()));
            }
        }
        Ok(())
    }

    /// All files that are text, with their paths.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Files whose name ends with `.extension`.
    pub(super) fn with_extension(
        &self,
        extension: &'static str,
    ) -> impl Iterator<Item = (&str, &str)> {
        let ends =
            move |path: &str| path.strip_suffix(extension).is_some_and(|rest| rest.ends_with('.'));
        self.files().filter(move |(path, _)| ends(path))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is such a file or directory.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains_key(path) || self.dirs.contains(path)
    }

    /// A tree made of the given files.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.files.insert((*path).to_owned(), Some((*text).to_owned()));
            for (at, _) in path.match_indices('/') {
                tree.dirs.insert(path[..at].to_owned());
            }
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_not_read_and_rooms_named_lab_are() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["target/a.rs", "lab/b.rs", "src/lab/c.rs", "src/d.bin"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"\xff\xfe").unwrap();
        }
        fs::write(dir.path().join("src/lab/c.rs"), "//! c\n").unwrap();
        let tree = Tree::read(dir.path()).unwrap();
        assert_eq!(tree.files().map(|(path, _)| path).collect::<Vec<_>>(), ["src/lab/c.rs"]);
        assert!(tree.has("src/lab/") && tree.has("src/d.bin") && !tree.has("target"));
    }
}
