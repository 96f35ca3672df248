//! Does: reads the runbooks: the user's files, and the built-in one wherever the user has none of
//! that name.

use std::collections::BTreeSet;
use std::path::Path;

use vigie_core::respond::Runbook;

use super::ConfigError;

/// The built-in runbooks: name and text.
pub const BUILT_IN: [(&str, &str); 6] = [
    ("p1-unreachable", include_str!("../../runbooks/p1-unreachable.toml")),
    ("p2-database-down", include_str!("../../runbooks/p2-database-down.toml")),
    ("p1-host-memory", include_str!("../../runbooks/p1-host-memory.toml")),
    ("p1-other", include_str!("../../runbooks/p1-other.toml")),
    ("p2-broken-feature", include_str!("../../runbooks/p2-broken-feature.toml")),
    ("p3-performance", include_str!("../../runbooks/p3-performance.toml")),
];

/// Reads one runbook.
///
/// # Errors
/// What is wrong, at which line and column, and what to write instead.
pub fn parse_runbook(path: &Path, text: &str) -> Result<Runbook, ConfigError> {
    let runbook: Runbook =
        toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
    let at = |needle: &str, what: String| {
        let span = text.find(needle).map(|start| start..start + needle.len());
        ConfigError::at(path, text, span, &what)
    };
    if runbook.on.is_empty() {
        return Err(at("on", String::from("`on` is empty: it would never be used")));
    }
    let mut seen = BTreeSet::new();
    for case in &runbook.cases {
        let id = format!("id = \"{}\"", case.id);
        if !seen.insert(&case.id) {
            return Err(at(&id, format!("there are two cases `{}`", case.id)));
        }
        if case.when.is_empty() {
            let what = format!("case `{}` has an empty `when`; write [\"always\"]", case.id);
            return Err(at(&id, what));
        }
        if runbook.verify_of(case).stable > runbook.verify_of(case).within {
            let what = format!("case `{}`: `stable` is longer than `within`", case.id);
            return Err(at("verify", what));
        }
    }
    Ok(runbook)
}

/// All runbooks in the order in which they are tried: the user's by file name, then the built-in
/// ones that the user has not replaced.
///
/// # Errors
/// As [`parse_runbook`], or a directory that cannot be read.
pub fn load_runbooks(directory: &Path) -> Result<Vec<Runbook>, ConfigError> {
    let mut runbooks = Vec::new();
    if directory.is_dir() {
        let unreadable = |error: std::io::Error| {
            ConfigError::whole(directory, format!("cannot be read: {error}"), None)
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                ConfigError::whole(&path, format!("cannot be read: {error}"), None)
            })?;
            runbooks.push(parse_runbook(&path, &text)?);
        }
    }
    for (name, text) in BUILT_IN {
        if !runbooks.iter().any(|runbook: &Runbook| runbook.name == name) {
            runbooks.push(parse_runbook(Path::new(name), text)?);
        }
    }
    Ok(runbooks)
}
