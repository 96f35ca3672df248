//! Nothing is left to be finished later inside the source: work that waits is an issue.

use super::Finding;
use super::tree::Tree;

/// Words of comments. A post-mortem has them too, for what only a person knows; that is no comment.
const WORDS: [&str; 2] = ["TODO", "FIXME"];
/// Spelled in halves, or this file would find itself.
const MACROS: [&str; 2] = [concat!("to", "do!"), concat!("unimple", "mented!")];

/// What is left to be finished in this line.
fn mark(line: &str) -> Option<&'static str> {
    let commented = |word: &&&str| {
        let before = line.split_once(**word).map(|(before, _)| before);
        before.is_some_and(|before| before.contains("//") || before.contains('#'))
    };
    let word = WORDS.iter().find(commented);
    word.or_else(|| MACROS.iter().find(|mark| line.contains(**mark))).copied()
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let sources = ["rs", "sh", "toml", "py"];
    for (path, text) in sources.into_iter().flat_map(|ext| tree.with_extension(ext)) {
        for (index, line) in text.lines().enumerate() {
            if let Some(mark) = mark(line) {
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
        for mark in WORDS.iter().chain(&MACROS) {
            let text = format!("//! A\n    // {mark}(x)\n");
            assert_eq!(check(&Tree::of(&[("a.rs", &text)]))[0].line, 2, "{mark}");
        }
        let said = "let owner = \"TODO\";\n";
        assert!(check(&Tree::of(&[("a.rs", said)])).is_empty(), "a word of the product");
        assert!(check(&Tree::of(&[("a.md", WORDS[0]), ("b.rs", "method\n")])).is_empty());
    }
}
