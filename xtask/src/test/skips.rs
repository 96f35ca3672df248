//! Collects the names of tests that were skipped for want of a real component.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A file to which test processes append.
#[derive(Debug)]
pub(super) struct Skips {
    path: PathBuf,
}

impl Skips {
    /// An empty one.
    pub(super) fn new() -> Result<Self> {
        let name = format!("vigie-skips-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, "").with_context(|| format!("cannot write {path:?}"))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Each skipped test once, with what it needed.
    pub(super) fn read(&self) -> BTreeMap<String, String> {
        parse(&fs::read_to_string(&self.path).unwrap_or_default())
    }
}

impl Drop for Skips {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(test, what)| (test.to_owned(), what.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_skips_twice_counts_once() {
        let skipped = parse("a::b\tx (needs docker)\na::b\ty (needs docker)\nc\tz\n");
        assert_eq!(skipped.len(), 2);
    }
}
