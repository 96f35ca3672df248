//! `cargo xtask tidy`: rules of this project that no compiler checks, one file each. Reads files and
//! nothing else, so that it is fast enough to run before every commit.

mod allow;
mod architecture;
mod documents;
mod length;
mod links;
mod machine_paths;
mod module_doc;
mod names;
mod purity;
mod tree;
mod unfinished;
mod whitespace;

use std::fmt;

use anyhow::Result;

use crate::place::Place;
use crate::stage::End;
use tree::Tree;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// Path from the root.
    path: String,
    /// Line, counted from 1; 0 when it is about the whole file.
    line: usize,
    /// What is wrong and what to do.
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// All rules.
const CHECKS: [fn(&Tree) -> Vec<Finding>; 11] = [
    documents::check,
    architecture::check,
    purity::check,
    module_doc::check,
    length::check,
    names::check,
    unfinished::check,
    allow::check,
    links::check,
    machine_paths::check,
    whitespace::check,
];

fn findings(tree: &Tree) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(tree)).collect()
}

/// Prints what breaks a rule; `false` when something does.
pub(crate) fn run(place: &Place) -> Result<bool> {
    let end = stage(place)?;
    if let End::Done(note) = &end {
        println!("tidy: {note}");
    }
    Ok(matches!(end, End::Done(_)))
}

/// The same as a stage of `cargo xtask test`.
pub(crate) fn stage(place: &Place) -> Result<End> {
    let tree = Tree::read(&place.root)?;
    let found = findings(&tree);
    for finding in &found {
        println!("{finding}");
    }
    Ok(match found.len() {
        0 => End::Done(format!("{} files", tree.files().count())),
        count => End::Failed(format!("{count} findings, listed above")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let found = findings(&Tree::read(&Place::find().unwrap().root).unwrap());
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
