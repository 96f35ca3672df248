//! What `cargo xtask bench snapshot` can be told: sizes, rounds, the program.

use std::path::PathBuf;

use anyhow::Result;
use clap::Command;

use crate::bench::words::{self, boot, number, program};

/// How it is run.
#[derive(Debug)]
pub(super) struct Options {
    /// MiB in the image.
    pub(super) image_mib: u32,
    /// MiB in the volume.
    pub(super) volume_mib: u32,
    /// Measurements of each kind.
    pub(super) rounds: u32,
    /// Boot time of the server.
    pub(super) boot: String,
    /// A vigie that is built already.
    pub(super) vigie: Option<PathBuf>,
}

fn command() -> Command {
    Command::new("cargo xtask bench snapshot")
        .about("A second restore point and the way back, against docker save | gzip")
        .arg(number("image-mib", 1, "2048", "MiB of content in the image"))
        .arg(number("volume-mib", 1, "1024", "MiB in the volume"))
        .arg(number("rounds", 1, "3", "Measurements of each kind"))
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
            image_mib: number("image-mib"),
            volume_mib: number("volume-mib"),
            rounds: number("rounds"),
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
        assert_eq!((usual.image_mib, usual.volume_mib, usual.rounds), (2048, 1024, 3));
        assert_eq!(read("--image-mib 64 --rounds 1").unwrap().unwrap().image_mib, 64);
        read("--rounds 0").unwrap_err();
        read("--size 3").unwrap_err();
    }
}
