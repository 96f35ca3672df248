//! No source file is too long to be read at once.

use super::Finding;
use super::tree::Tree;

const LONGEST: usize = 600;

/// What a file that has to be longer says in its `//!`, with the reason after it.
const EXCUSE: &str = "tidy: long because ";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let long = tree.with_extension("rs").filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > LONGEST && !is_excused(text)).then(|| {
            let what = format!(
                "{lines} lines, more than {LONGEST}; split it, or write `{EXCUSE}…` in its `//!`"
            );
            Finding::new(path, 0, what)
        })
    });
    long.collect()
}

fn is_excused(text: &str) -> bool {
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    header.into_iter().any(|line| line.contains(EXCUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason() {
        let long = "x\n".repeat(LONGEST + 1);
        assert_eq!(check(&Tree::of(&[("a.rs", &long), ("b.md", &long)])).len(), 1);
        let excused = format!("//! Tables.\n//! {EXCUSE}it is one table\n{long}");
        assert!(check(&Tree::of(&[("a.rs", &excused)])).is_empty());
        assert!(check(&Tree::of(&[("a.rs", &"x\n".repeat(LONGEST))])).is_empty());
    }
}
