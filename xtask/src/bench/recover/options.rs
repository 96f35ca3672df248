//! What `cargo xtask bench recover` can be told: sizes, rounds, the program.

use std::path::PathBuf;

use anyhow::Result;
use clap::Command;

use crate::bench::words::{self, boot, number, program};

/// How it is run.
#[derive(Debug)]
pub(super) struct Options {
    /// MiB in the database.
    pub(super) database_mib: u32,
    /// MiB in the volume.
    pub(super) volume_mib: u32,
    /// How often.
    pub(super) rounds: u32,
    /// Seconds of writing before the host may be lost.
    pub(super) least: u32,
    /// Seconds after that within which it is lost.
    pub(super) within: u32,
    /// Boot time of the server.
    pub(super) boot: String,
    /// A vigie that is built already.
    pub(super) vigie: Option<PathBuf>,
}

fn command() -> Command {
    Command::new("cargo xtask bench recover")
        .about("A host that is lost while rows are written, and comes back from a site")
        .arg(number("database-mib", 1, "300", "MiB of rows in the database"))
        .arg(number("volume-mib", 1, "1024", "MiB in the volume"))
        .arg(number("rounds", 1, "5", "How often"))
        .arg(number("least", 1, "75", "Seconds of writing before the host may be lost"))
        .arg(number("within", 1, "60", "Seconds after that within which it is lost"))
        .arg(boot())
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
            database_mib: number("database-mib"),
            volume_mib: number("volume-mib"),
            rounds: number("rounds"),
            least: number("least"),
            within: number("within"),
            boot: matches.get_one("boot").cloned().unwrap_or_default(),
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
        assert_eq!((usual.database_mib, usual.volume_mib, usual.rounds), (300, 1024, 5));
        assert_eq!(read("--within 5 --rounds 1").unwrap().unwrap().within, 5);
        read("--rounds 0").unwrap_err();
        read("--size 3").unwrap_err();
    }
}
