//! No line ends in white space, and no text file ends without a line end. Recorded inputs stay as
//! they were recorded.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| !is_recorded(path)) {
        for (index, line) in text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                found.push(Finding::new(path, index + 1, "white space at the end of the line"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            found.push(Finding::new(path, text.lines().count(), "no line end at the end"));
        }
    }
    found
}

fn is_recorded(path: &str) -> bool {
    path.starts_with("fixtures/")
        || path.contains("/fixtures/")
        || path.contains("proptest-regressions")
        || path.ends_with(".snap")
        || path.ends_with(".svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_space_and_a_missing_line_end_are_found() {
        let tree = Tree::of(&[("a.rs", "//! a \nb\n"), ("b.md", "x"), ("c.toml", "a = 1\r\n")]);
        assert_eq!(check(&tree).len(), 3);
    }

    #[test]
    fn recordings_are_left_alone() {
        assert!(check(&Tree::of(&[("fixtures/console.log", "x \ny")])).is_empty());
    }
}
