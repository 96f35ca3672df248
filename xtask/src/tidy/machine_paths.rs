//! No path of one machine is in the project: it would be wrong on every other.

use super::Finding;
use super::tree::Tree;

/// Spelled in halves, or this file would find itself.
const PATHS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/tmp/", "bash_jobs"), concat!("/tmp/", "target-")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = PATHS.iter().find(|word| starts_path(line, word)) {
                let what = format!("{word} is a path of one machine");
                found.push(Finding::new(path, index + 1, what));
            }
        }
    }
    found
}

/// Whether the path starts at the root, and is not the middle of another (`docs/wo` `rk/`).
fn starts_path(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found_in_any_text() {
        for word in PATHS {
            let text = format!("first\nsee {word}x\n");
            assert_eq!(check(&Tree::of(&[("docs/a.md", &text)]))[0].line, 2);
            let inside = format!("see docs{word}x\n");
            assert!(check(&Tree::of(&[("docs/a.md", &inside)])).is_empty());
        }
    }
}
