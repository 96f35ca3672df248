//! Nothing is left to be finished later inside the source: work that waits is an issue.

use super::Finding;
use super::tree::Tree;

/// Spelled in halves, or this file would find itself.
const MARKS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let sources = ["rs", "sh", "toml", "py"];
    for (path, text) in sources.into_iter().flat_map(|ext| tree.with_extension(ext)) {
        for (index, line) in text.lines().enumerate() {
            if let Some(mark) = MARKS.iter().find(|mark| line.contains(**mark)) {
                let what = format!("{mark} in the source; do it, or open an issue");
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
    fn each_mark_is_found() {
        for mark in MARKS {
            let text = format!("//! A\n    // {mark}(x)\n");
            assert_eq!(check(&Tree::of(&[("a.rs", &text)]))[0].line, 2, "{mark}");
        }
        assert!(check(&Tree::of(&[("a.md", MARKS[0]), ("b.rs", "method\n")])).is_empty());
    }
}
