//! No module is named after nothing: what would go there lives with its owner.

use super::Finding;
use super::tree::Tree;

const EMPTY: [&str; 7] = ["types", "common", "util", "utils", "helper", "helpers", "misc"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        if let Some(name) = stem.split('/').find(|part| EMPTY.contains(part)) {
            found.push(finding(path, 0, name));
        }
        for (index, line) in text.lines().enumerate() {
            if let Some(name) = inline_module(line).filter(|name| EMPTY.contains(name)) {
                found.push(finding(path, index + 1, name));
            }
        }
    }
    found
}

fn inline_module(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let before = before.trim();
    let is_item = before.is_empty() || before.starts_with("pub");
    let name = after.split([' ', '{', ';']).next()?;
    is_item.then_some(name)
}

fn finding(path: &str, line: usize, name: &str) -> Finding {
    Finding::new(path, line, format!("`{name}` names nothing; move each item to its owner"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found_as_files_directories_and_modules() {
        let tree = Tree::of(&[
            ("a/src/types.rs", ""),
            ("a/src/util/b.rs", ""),
            ("a/src/c.rs", "pub(crate) mod helpers {\n"),
            ("a/src/lib.rs", "mod common;\n"),
        ]);
        assert_eq!(check(&tree).len(), 4);
    }

    #[test]
    fn names_that_only_contain_one_are_fine() {
        let tree = Tree::of(&[("a/src/symptom_types.rs", "//! a common mod types\nmod typed;\n")]);
        assert!(check(&tree).is_empty());
    }
}
