//! Does: the arguments of `vigie backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vigie_core::backup::Wanted;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackupCommand {
    /// Make the repositories at the sites that have none, and print the recovery sheet
    Init {
        /// Say what would be made, make nothing
        #[arg(long)]
        dry_run: bool,
        /// Print the recovery sheet also when nothing had to be made
        #[arg(long)]
        sheet: bool,
    },
    /// Back up now: some assets by name, or all; then copy to the other sites
    Run {
        /// Assets: `database`, `files:addons`, `volume`, `image`, `project`, … [default: all]
        asset: Vec<String>,
        /// Say what would be backed up, back up nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// The backups, newest first
    List {
        /// Only of this asset
        asset: Option<String>,
        /// At this site [default: the one that is written first]
        #[arg(long)]
        site: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What is in one
    Show {
        /// ASSET, the newest; or ASSET@TIME, the newest until then
        wanted: Wanted,
        /// At this site [default: the one that is written first]
        #[arg(long)]
        site: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The files in one
    Ls {
        /// ASSET, the newest; or ASSET@TIME, the newest until then
        wanted: Wanted,
        /// Only below this path
        path: Option<PathBuf>,
        /// At this site [default: the one that is written first]
        #[arg(long)]
        site: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// One file of one, on standard output
    Cat {
        /// ASSET, the newest; or ASSET@TIME, the newest until then
        wanted: Wanted,
        /// The file
        path: PathBuf,
        /// At this site [default: the one that is written first]
        #[arg(long)]
        site: Option<String>,
    },
    /// What differs between two
    Diff {
        /// ASSET@TIME, the older one
        one: Wanted,
        /// ASSET or ASSET@TIME
        other: Wanted,
        /// At this site [default: the one that is written first]
        #[arg(long)]
        site: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Read a site back and say what is damaged, by asset and backup
    Verify {
        /// The site [default: all]
        site: Option<String>,
        /// So much of the data is read, as `10%`
        #[arg(long, default_value = "100%", value_parser = percent)]
        read_data: u8,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Heal what is damaged at a site from another one
    Repair {
        /// The site
        site: String,
        /// The one that is sound
        #[arg(long)]
        from: String,
        /// Say what is damaged, heal nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring one back: beside what is there, or in its place
    Restore(RestoreArgs),
    /// Copy what one site has to another; only what it lacks
    Copy {
        /// From
        from: String,
        /// To
        to: String,
        /// Say what would be copied, copy nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Forget what expired, and free its space
    Prune {
        /// The site [default: all that may be pruned]
        #[arg(long)]
        site: Option<String>,
        /// Say what would go, forget nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring backups back only to prove that they come back; nothing is left of it
    Drill {
        /// Assets by name; `stack` is all of it at once, brought up beside the living one [default: all]
        asset: Vec<String>,
        /// Say what would be tried, try nothing
        #[arg(long)]
        dry_run: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The worker's own side
    #[command(hide = true)]
    Work {
        /// Everything else goes first
        #[arg(long)]
        idle: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// ASSET, the newest; or ASSET@TIME, the newest until then; a database is brought to that very
    /// second, or right behind a transaction (ASSET@0-1-1234), where its log is kept; points:NAME is one
    /// restore point
    pub(in crate::cli) wanted: Wanted,
    /// A database's newest dump until then alone, without its log
    #[arg(long)]
    pub(in crate::cli) dump_only: bool,
    /// Into this directory, which is made or is empty
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "in_place",
        conflicts_with = "in_place"
    )]
    pub(in crate::cli) to: Option<PathBuf>,
    /// Where it came from; what is there now is backed up first
    #[arg(long)]
    pub(in crate::cli) in_place: bool,
    /// From this site [default: the one that is written first]
    #[arg(long)]
    pub(in crate::cli) site: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Say what would be done, do nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<u8>();
    number
        .ok()
        .filter(|number| *number <= 100)
        .ok_or_else(|| String::from("write a part of a hundred, such as 10%"))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RedundancyArgs {
    /// As JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
