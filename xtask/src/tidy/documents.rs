//! The documents that every reader looks for are there.

use super::Finding;
use super::tree::Tree;

const WANTED: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let missing = WANTED.iter().filter(|path| !tree.has(path));
    missing.map(|path| Finding::new(path, 0, "does not exist; write it")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_document_is_found() {
        let mut files: Vec<(&str, &str)> = WANTED.iter().map(|path| (*path, "x\n")).collect();
        assert!(check(&Tree::of(&files)).is_empty());
        files.pop();
        assert_eq!(check(&Tree::of(&files))[0].path, "LICENSE");
    }
}
