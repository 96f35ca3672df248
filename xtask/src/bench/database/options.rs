//! What `cargo xtask bench database` can be told: how much there is, rounds, and the program.

use std::path::PathBuf;

use anyhow::Result;
use clap::Command;

use crate::bench::words::{self, number, program};

/// How it is run.
#[derive(Debug)]
pub(super) struct Options {
    /// MiB in the database.
    pub(super) mib: u32,
    /// Measurements of each kind.
    pub(super) rounds: u32,
    /// Transactions that are played after a backup; 0 leaves that half out.
    pub(super) transactions: u32,
    /// A vigie that is built already.
    pub(super) vigie: Option<PathBuf>,
}

fn command() -> Command {
    Command::new("cargo xtask bench database")
        .about("A database kept, brought back and played to a second, against mydumper and mariadb-backup")
        .arg(number("mib", 1, "500", "MiB in the database"))
        .arg(number("rounds", 1, "3", "Measurements of each kind"))
        .arg(number("transactions", 0, "30000", "Transactions that are played; 0 plays none"))
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
            mib: number("mib"),
            rounds: number("rounds"),
            transactions: number("transactions"),
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
        assert_eq!((usual.mib, usual.rounds, usual.transactions), (500, 3, 30_000));
        assert_eq!(read("--mib 5 --transactions 0").unwrap().unwrap().transactions, 0);
        read("--mib 0").unwrap_err();
        read("--size 3").unwrap_err();
    }
}
