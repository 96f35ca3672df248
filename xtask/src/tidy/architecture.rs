//! Each path that ARCHITECTURE.md names in backquotes exists, so that the map is never of another
//! country.

use super::Finding;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

/// Endings that make a word without `/` a path.
const FILES: [&str; 6] = [".rs", ".toml", ".md", ".sh", ".jsonl", ".lock"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let text = tree.text(MAP).unwrap_or_default();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            if is_path(word) && !exists(tree, word) {
                let what = format!("`{word}` does not exist; correct the map");
                found.push(Finding::new(MAP, index + 1, what));
            }
        }
    }
    found
}

fn is_path(word: &str) -> bool {
    let clean = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    word.chars().all(clean)
        && !word.starts_with('/')
        && (word.contains('/') || FILES.iter().any(|end| word.ends_with(end)))
}

/// Of a pattern, only the directory in front of the first star has to exist.
fn exists(tree: &Tree, word: &str) -> bool {
    let word = word.trim_start_matches("./");
    match word.split_once('*') {
        None => tree.has(word),
        Some((before, _)) => tree.has(before.rsplit_once('/').map_or("", |(dir, _)| dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(map: &str) -> Tree {
        Tree::of(&[(MAP, map), ("crates/a/src/lib.rs", ""), ("fixtures/x.jsonl", "")])
    }

    #[test]
    fn paths_that_exist_are_fine_and_other_words_are_no_paths() {
        let map = "`crates/a/src/lib.rs` `crates/a/` `fixtures/*.jsonl` `handle(now)` `/metrics`\n";
        assert!(check(&tree(map)).is_empty());
    }

    #[test]
    fn a_path_that_moved_is_found_with_its_line() {
        let found = check(&tree("map\n| `crates/b/src` | `gone.rs` | `nowhere/*.toml`\n"));
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].line, 2);
    }
}
