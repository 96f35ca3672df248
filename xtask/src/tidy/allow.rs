//! A lint is set aside with `expect` and a reason, which the compiler takes back when it no longer
//! applies; never with `allow`.

use super::Finding;
use super::tree::Tree;

/// Spelled in halves, or this file would find itself.
const MARKS: [&str; 2] = [concat!("#[al", "low("), concat!("#![al", "low(")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        for (index, line) in text.lines().enumerate() {
            if MARKS.iter().any(|mark| line.contains(mark)) {
                let what = "use #[expect(…, reason = \"…\")]";
                found.push(Finding::new(path, index + 1, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_found_and_expect_is_not() {
        for mark in MARKS {
            assert_eq!(check(&Tree::of(&[("a.rs", &format!("{mark}dead_code)]\n"))])).len(), 1);
        }
        assert!(check(&Tree::of(&[("a.rs", "#[expect(dead_code)]\n")])).is_empty());
    }
}
