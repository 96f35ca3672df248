//! What `cargo xtask bench backup` can be told: sizes, rounds, the program, and which half of it is run.

use std::path::PathBuf;

use anyhow::Result;
use clap::Command;

use crate::bench::words::{self, number, program};

/// How it is run.
#[derive(Debug)]
pub(super) struct Options {
    /// MiB in the tree; 0 leaves it out.
    pub(super) tree_mib: u32,
    /// MiB in the image; 0 leaves it out.
    pub(super) image_mib: u32,
    /// Measurements of each kind.
    pub(super) rounds: u32,
    /// A vigie that is built already.
    pub(super) vigie: Option<PathBuf>,
}

fn command() -> Command {
    Command::new("cargo xtask bench backup")
        .about(
            "Backups of a tree and of an image, against restic, borg, tar | zstd and save | gzip",
        )
        .arg(number("tree-mib", 0, "3072", "MiB in the tree; 0 leaves it out"))
        .arg(number("image-mib", 0, "3072", "MiB of content in the image; 0 leaves it out"))
        .arg(number("rounds", 1, "3", "Measurements of each kind"))
        .arg(program())
}

impl Options {
    /// Reads what was typed; nothing when only help was asked for, which is printed.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub(super) fn read(words: &[String]) -> Result<Option<Self>> {
        let Some(matches) = words::read(command(), words)? else { return Ok(None) };
        let number = |name| words::told(&matches, name);
        Ok(Some(Self {
            tree_mib: number("tree-mib"),
            image_mib: number("image-mib"),
            rounds: number("rounds"),
            vigie: matches.get_one("vigie").cloned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_options_and_nonsense_is_refused() {
        command().debug_assert();
        let read = |text: &str| {
            Options::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        let usual = read("").unwrap().unwrap();
        assert_eq!((usual.tree_mib, usual.image_mib, usual.rounds), (3072, 3072, 3));
        assert_eq!(read("--tree-mib 0 --rounds 1").unwrap().unwrap().tree_mib, 0);
        read("--rounds 0").unwrap_err();
        read("--size 3").unwrap_err();
    }
}
