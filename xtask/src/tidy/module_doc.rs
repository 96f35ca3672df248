//! Every module starts with `//!`, which says what it decides or does and what it never does.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let without = tree.with_extension("rs").filter(|(_, text)| !has_doc(text));
    without
        .map(|(path, _)| {
            Finding::new(path, 1, "starts without `//!`; say what the module does and never does")
        })
        .collect()
}

/// Attributes of the whole file may come first, on one line or several.
fn has_doc(text: &str) -> bool {
    let mut in_attribute = false;
    for line in text.lines().map(str::trim) {
        if in_attribute || line.starts_with("#![") {
            in_attribute = !line.ends_with(']');
        } else if !line.is_empty() {
            return line.starts_with("//!") && line.len() > 3;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_its_words_is_found() {
        for text in
            ["", "use std::fmt;\n", "// a comment\n", "//!\n", "/// of an item\nstruct A;\n"]
        {
            assert_eq!(check(&Tree::of(&[("a.rs", text)])).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn attributes_may_come_first() {
        let text = "#![expect(\n    dead_code,\n    reason = \"x\"\n)]\n\n//! What it does.\n";
        assert!(check(&Tree::of(&[("a.rs", text)])).is_empty());
    }
}
