//! Does: the arguments of the register: incidents, their post-mortems and actions, the journal.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vigie_core::incident::Severity;

use super::arguments::{Deed, Who, lang};
use super::severity;
use crate::cli::since::{self, Severities, Since, States};
use crate::config::Lang;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IncidentCommand {
    /// The incidents, newest first
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        only: Only,
    },
    /// How many, how fast (MTTD, MTTA, MTTR), how available, and what is left of the promise
    Stats {
        /// Incidents detected since: 30d, 24h, or a day such as 2026-11-01; or `all`
        #[arg(long, default_value = "30d", value_name = "TIME", value_parser = Since::parse)]
        since: Since,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Past incidents like this one, and what fixed them
    Similar {
        /// Its number
        id: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// How many at most
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// Read a table of past incidents (CSV or Markdown) into what is known
    Import {
        /// The file
        file: PathBuf,
        /// Say what would be learned, learn nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        who: Who,
    },
    /// What is known from before: what ships with vigie, and what was imported
    Known {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// In this language: en, fr [default: the configuration's]
        #[arg(long, value_parser = lang)]
        lang: Option<Lang>,
    },
    /// One incident with its timeline
    Show {
        /// Its number
        id: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take it in hand
    Ack {
        /// Its number
        id: u64,
        #[command(flatten)]
        deed: Deed,
    },
    /// Write something down in its timeline
    Note {
        /// Its number
        id: u64,
        /// What
        #[arg(required = true)]
        text: Vec<String>,
        #[command(flatten)]
        deed: Deed,
    },
    /// Report what no detector saw
    Report {
        /// What
        #[arg(required = true)]
        text: Vec<String>,
        /// On which service [default: the game]
        #[arg(long)]
        service: Option<String>,
        /// How bad: P1, P2, P3 or P4
        #[arg(long, default_value = "P2", value_parser = severity)]
        severity: Severity,
        #[command(flatten)]
        deed: Deed,
    },
    /// Declare it over
    Resolve {
        /// Its number
        id: u64,
        #[command(flatten)]
        deed: Deed,
    },
    /// The post-mortem, as Markdown in postmortems/: what vigie knows, and what is yours to fill in
    Postmortem(PostmortemArgs),
    /// File it; a P1 or P2 gets its post-mortem
    Close {
        /// Its number
        id: u64,
        #[command(flatten)]
        deed: Deed,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PostmortemArgs {
    /// The incident's number
    #[arg(required_unless_present = "template")]
    pub(in crate::cli) id: Option<u64>,
    /// Open it in your editor ($VISUAL, $EDITOR)
    #[arg(long)]
    pub(in crate::cli) edit: bool,
    /// In this language: en, fr [default: the configuration's]
    #[arg(long, value_parser = lang)]
    pub(in crate::cli) lang: Option<Lang>,
    /// Commit the file to git
    #[arg(long)]
    pub(in crate::cli) commit: bool,
    /// What is known, as JSON; writes nothing
    #[arg(long, conflicts_with_all = ["edit", "commit"])]
    pub(in crate::cli) json: bool,
    /// Print the draft, write nothing
    #[arg(long, conflicts_with_all = ["edit", "commit", "json"])]
    pub(in crate::cli) dry_run: bool,
    /// Print vigie's own template, to begin one of yours with
    #[arg(long, conflicts_with_all = ["id", "edit", "commit", "json", "dry_run"])]
    pub(in crate::cli) template: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ActionCommand {
    /// The open ones, what is due first
    List {
        /// Those that are done too
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tick one
    Done {
        /// Its name, such as 12.1
        id: String,
        /// Say what would be ticked, write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Add one to the post-mortem of an incident
    Add {
        /// The incident's number
        incident: u64,
        /// What
        #[arg(required = true)]
        text: Vec<String>,
        /// Who does it
        #[arg(long)]
        owner: Option<String>,
        /// Until which day: 2026-12-01 [default: `due` in [postmortem]]
        #[arg(long)]
        due: Option<jiff::civil::Date>,
        /// Say what would be added, write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which incidents to list.
#[derive(Debug, Args)]
pub(in crate::cli) struct Only {
    /// Of this service; several times for several
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service: Vec<String>,
    /// This bad or worse: P2; or exactly these: P1,P3
    #[arg(long, value_name = "LEVEL", value_parser = since::severities)]
    pub(in crate::cli) severity: Option<Severities>,
    /// Detected since: 7d, 24h, or a day such as 2026-11-01
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    pub(in crate::cli) since: Option<Since>,
    /// In this state, or several with commas: open, repairing, escalated, restored, resolved,
    /// closed; `active` is the first three
    #[arg(long, value_parser = since::states)]
    pub(in crate::cli) state: Option<States>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum JournalCommand {
    /// Write an entry; `#12` in it links incident 12
    Add(JournalAdd),
    /// The entries, newest first
    Show(JournalShow),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct JournalAdd {
    /// What; `-` reads it from standard input
    #[arg(required = true)]
    pub(in crate::cli) text: Vec<String>,
    /// About this incident; several times for several
    #[arg(long, value_name = "N")]
    pub(in crate::cli) incident: Vec<u64>,
    /// Done by this commit of the stack's repository; several times for several [without a value: HEAD]
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
    pub(in crate::cli) commit: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) deed: Deed,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct JournalShow {
    /// Written since: 7d, 24h, or a day such as 2026-11-01
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    pub(in crate::cli) since: Option<Since>,
    /// About this incident
    #[arg(long, value_name = "N")]
    pub(in crate::cli) incident: Option<u64>,
    /// As JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// As Markdown, for a wiki
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) markdown: bool,
}
