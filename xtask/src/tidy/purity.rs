//! `vigie-core` decides and does nothing: no runtime, no files, no network, no threads, no
//! processes, no clock, no randomness. Its tests may read fixtures.

use super::Finding;
use super::tree::Tree;

const CORE: &str = "crates/vigie-core/";

/// What core may not name.
const BANNED: [&str; 13] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::os",
    "SystemTime",
    "Instant::now",
    "rand::",
    "getrandom",
    "rustix",
    "libc::",
];

/// Modules of `std` that a `use std::{…}` may not bring in.
const BANNED_MODULES: [&str; 6] = ["fs", "net", "thread", "process", "env", "os"];

/// Crates that core may not depend on.
const BANNED_CRATES: [&str; 9] =
    ["tokio", "rand", "rustix", "libc", "bollard", "rusqlite", "reqwest", "getrandom", "fastrand"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = manifest(tree);
    let source = format!("{CORE}src/");
    for (path, text) in tree.with_extension("rs") {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if path.starts_with(&source) && !is_test {
            found.extend(file(path, text));
        }
    }
    found
}

fn file(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let named = BANNED.iter().copied().find(|word| names(code, word));
        if let Some(word) = named.or_else(|| in_group(code)) {
            let what = format!("core is pure, it may not use `{word}`; let vigie do it");
            found.push(Finding::new(path, index + 1, what));
        }
    }
    found
}

/// Whether `code` has `word` and not only as a part of a longer name (`operand::`).
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let after = &code[at + word.len()..];
        !code[..at].ends_with(part) && (word.ends_with(':') || !after.starts_with(part))
    })
}

/// A banned module inside `use std::{…}`.
fn in_group(code: &str) -> Option<&'static str> {
    let (_, group) = code.split_once("std::{")?;
    let mut items = group.split([',', '{', '}', ' ']);
    items.find_map(|item| {
        let first = item.split("::").next()?;
        BANNED_MODULES.into_iter().find(|module| *module == first)
    })
}

fn manifest(tree: &Tree) -> Vec<Finding> {
    let path = format!("{CORE}Cargo.toml");
    let mut section = "";
    let mut found = Vec::new();
    for (index, line) in tree.text(&path).unwrap_or_default().lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if section.ends_with("dependencies")
            && section != "dev-dependencies"
            && BANNED_CRATES.contains(&name)
        {
            let what = format!("core is pure, it may not depend on {name}");
            found.push(Finding::new(&path, index + 1, what));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Vec<Finding> {
        check(&Tree::of(&[("crates/vigie-core/src/a.rs", text)]))
    }

    #[test]
    fn each_way_of_doing_is_found() {
        for word in BANNED {
            assert_eq!(
                source(&format!("let x = {word}x();\n").replace("x()", "()")).len(),
                1,
                "{word}"
            );
        }
        assert_eq!(source("use std::{collections::BTreeMap, fs};\n").len(), 1);
        assert_eq!(source("use std::{fmt, net::IpAddr};\n").len(), 1);
    }

    #[test]
    fn comments_names_and_tests_are_left_alone() {
        assert!(
            source("//! No tokio, no std::fs in here.\nlet a = operand::b(x); // rand::\n")
                .is_empty()
        );
        assert!(source("use std::{fmt, collections::BTreeMap};\n").is_empty());
        let tree = Tree::of(&[
            ("crates/vigie-core/src/a/tests.rs", "use std::fs;\n"),
            ("crates/vigie/src/a.rs", "use std::fs;\n"),
        ]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn dependencies_count_and_those_of_tests_do_not() {
        let text =
            "[dependencies]\nserde = 1\ntokio.workspace = true\n[dev-dependencies]\nrand = 1\n";
        let found = check(&Tree::of(&[("crates/vigie-core/Cargo.toml", text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
    }
}
