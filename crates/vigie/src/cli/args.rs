//! Does: what can be written on the command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use vigie_core::incident::Severity;

use super::since::{self, Severities, Since, States};
use super::{Exit, Failure};
use crate::config::Lang;

const ABOUT: &str = "Keeps a community game server reachable: sees a fault from the player's side, \
    repairs it by a written runbook, and proves the repair.";
const EXIT_CODES: &str = "Exit codes: 0 fine, 1 finding or failed verify, 2 usage or config, \
    3 the runtime or the watch cannot be reached, 4 refused by a guard; unknown = failure.";

/// Keeps a community game server reachable.
#[derive(Debug, Parser)]
#[command(version, about = ABOUT, propagate_version = true, max_term_width = 100)]
pub(super) struct Cli {
    /// The configuration [default: ./vigie.toml, then ~/.config/vigie/vigie.toml, then /etc/vigie]
    #[arg(long, global = true, env = "VIGIE_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented vigie.toml and runbooks/ for the compose project in this directory
    Init(InitArgs),
    /// Watch the stack: detect, repair, verify (the daemon)
    Watch(WatchArgs),
    /// See vigie at work on an embedded practice stack, broken in front of you
    Demo(DemoArgs),
    /// How the stack is now
    Status(StatusArgs),
    /// Everything that helps to find a fault, in one report
    Diagnose(DiagnoseArgs),
    /// Incidents: list, show, acknowledge, note, report, resolve, close, post-mortem, figures, likenesses
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// The development journal: what was changed and why, linked to incidents and commits
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Runbooks: list, show, check, run, approve, refuse
    #[command(subcommand)]
    Runbook(RunbookCommand),
    /// Where people are told: the channels, and a message to try one
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Declare maintenance: nothing is repaired while it lasts
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Corrective actions of the post-mortems: list, done, add
    #[command(subcommand)]
    Action(ActionCommand),
    /// What can happen, what is done against it, and whether that is really so
    Risk(RiskArgs),
    /// Stop a service as an operator; vigie respects it
    Stop(OperateArgs),
    /// Start a service that an operator stopped
    Start(OperateArgs),
    /// The systemd unit that keeps the watch of this configuration running
    Systemd(SystemdArgs),
    /// Shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// The manual page
    Man,
    /// The practice game server
    #[command(hide = true)]
    Practice(Box<vigie_practice::Args>),
}

mod arguments {
    use super::*;

    #[derive(Debug, Args)]
    pub(crate) struct InitArgs {
        /// The project's directory
        #[arg(default_value = ".")]
        pub(crate) directory: PathBuf,
        /// Replace files that exist
        #[arg(long)]
        pub(crate) force: bool,
        /// Show what would be written, write nothing
        #[arg(long)]
        pub(crate) dry_run: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct WatchArgs {
        /// Say every record as JSON lines instead of text
        #[arg(long)]
        pub(crate) json: bool,
        /// Say what would be done, do nothing (mode = "observe")
        #[arg(long)]
        pub(crate) dry_run: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct DemoArgs {
        /// Only this scenario: crash, freeze, crash-loop, memory-leak, lua-errors, operator-stop
        #[arg(long, value_name = "NAME")]
        pub(crate) scenario: Vec<String>,
        /// Leave the stack running afterwards, to play with
        #[arg(long)]
        pub(crate) hold: bool,
        /// The results as JSON
        #[arg(long)]
        pub(crate) json: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct StatusArgs {
        /// As JSON
        #[arg(long)]
        pub(crate) json: bool,
        /// Redraw every second until interrupted
        #[arg(long, conflicts_with = "json")]
        pub(crate) live: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct DiagnoseArgs {
        /// As JSON
        #[arg(long)]
        pub(crate) json: bool,
        /// Also write everything, secrets taken out, into an archive (FILE.tar.zst)
        #[arg(long, value_name = "FILE")]
        pub(crate) bundle: Option<PathBuf>,
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum IncidentCommand {
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
    pub(crate) struct PostmortemArgs {
        /// The incident's number
        #[arg(required_unless_present = "template")]
        pub(crate) id: Option<u64>,
        /// Open it in your editor ($VISUAL, $EDITOR)
        #[arg(long)]
        pub(crate) edit: bool,
        /// In this language: en, fr [default: the configuration's]
        #[arg(long, value_parser = lang)]
        pub(crate) lang: Option<Lang>,
        /// Commit the file to git
        #[arg(long)]
        pub(crate) commit: bool,
        /// What is known, as JSON; writes nothing
        #[arg(long, conflicts_with_all = ["edit", "commit"])]
        pub(crate) json: bool,
        /// Print the draft, write nothing
        #[arg(long, conflicts_with_all = ["edit", "commit", "json"])]
        pub(crate) dry_run: bool,
        /// Print vigie's own template, to begin one of yours with
        #[arg(long, conflicts_with_all = ["id", "edit", "commit", "json", "dry_run"])]
        pub(crate) template: bool,
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum ActionCommand {
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
    pub(crate) struct Only {
        /// Of this service; several times for several
        #[arg(long, value_name = "NAME")]
        pub(crate) service: Vec<String>,
        /// This bad or worse: P2; or exactly these: P1,P3
        #[arg(long, value_name = "LEVEL", value_parser = since::severities)]
        pub(crate) severity: Option<Severities>,
        /// Detected since: 7d, 24h, or a day such as 2026-11-01
        #[arg(long, value_name = "TIME", value_parser = Since::parse)]
        pub(crate) since: Option<Since>,
        /// In this state, or several with commas: open, repairing, escalated, restored, resolved,
        /// closed; `active` is the first three
        #[arg(long, value_parser = since::states)]
        pub(crate) state: Option<States>,
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum JournalCommand {
        /// Write an entry; `#12` in it links incident 12
        Add(JournalAdd),
        /// The entries, newest first
        Show(JournalShow),
    }

    #[derive(Debug, Args)]
    pub(crate) struct JournalAdd {
        /// What; `-` reads it from standard input
        #[arg(required = true)]
        pub(crate) text: Vec<String>,
        /// About this incident; several times for several
        #[arg(long, value_name = "N")]
        pub(crate) incident: Vec<u64>,
        /// Done by this commit of the stack's repository; several times for several [without a value: HEAD]
        #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "HEAD")]
        pub(crate) commit: Vec<String>,
        #[command(flatten)]
        pub(crate) deed: Deed,
    }

    #[derive(Debug, Args)]
    pub(crate) struct JournalShow {
        /// Written since: 7d, 24h, or a day such as 2026-11-01
        #[arg(long, value_name = "TIME", value_parser = Since::parse)]
        pub(crate) since: Option<Since>,
        /// About this incident
        #[arg(long, value_name = "N")]
        pub(crate) incident: Option<u64>,
        /// As JSON
        #[arg(long)]
        pub(crate) json: bool,
        /// As Markdown, for a wiki
        #[arg(long, conflicts_with = "json")]
        pub(crate) markdown: bool,
    }

    fn lang(text: &str) -> Result<Lang, String> {
        match text {
            "en" => Ok(Lang::En),
            "fr" => Ok(Lang::Fr),
            _ => Err(String::from("it is en or fr")),
        }
    }

    #[derive(Debug, Args)]
    pub(crate) struct RiskArgs {
        /// As JSON
        #[arg(long)]
        pub(crate) json: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct Who {
        /// Your name, for the timeline [default: the login name]
        #[arg(long)]
        pub(crate) by: Option<String>,
    }

    /// What every order has.
    #[derive(Debug, Args)]
    pub(crate) struct Deed {
        #[command(flatten)]
        pub(crate) who: Who,
        /// Say what would be done, do nothing
        #[arg(long)]
        pub(crate) dry_run: bool,
    }

    impl Who {
        /// The name given, or the login name.
        pub(crate) fn name(&self) -> String {
            let login = || std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).ok();
            let given = self.by.clone().filter(|by| !by.trim().is_empty());
            let known = given.or_else(login).or_else(account);
            known.unwrap_or_else(|| String::from("somebody"))
        }
    }

    /// The name of the account this runs as: cron jobs and containers have no `USER`.
    fn account() -> Option<String> {
        account_name(rustix::process::getuid().as_raw())
    }

    /// The name of an account.
    pub(crate) fn account_name(id: u32) -> Option<String> {
        let id = id.to_string();
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mut mine = fields.filter(|fields| fields.get(2) == Some(&id.as_str()));
        mine.next().and_then(|fields| fields.first().map(|name| (*name).to_owned()))
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum RunbookCommand {
        /// The runbooks and what they answer
        List {
            /// As JSON
            #[arg(long)]
            json: bool,
        },
        /// One runbook, as its file
        Show {
            /// Its name
            name: String,
            /// As JSON
            #[arg(long)]
            json: bool,
        },
        /// Check runbook files; points at file, line and column
        Check {
            /// The files [default: the configured directory]
            files: Vec<PathBuf>,
            /// As JSON
            #[arg(long)]
            json: bool,
        },
        /// Run a runbook now
        Run {
            /// Its name
            name: String,
            /// On which service
            #[arg(long)]
            service: String,
            /// Show the evidence, the chosen case and its plan; change nothing
            #[arg(long)]
            dry_run: bool,
            /// The dry run as JSON
            #[arg(long, requires = "dry_run")]
            json: bool,
            #[command(flatten)]
            who: Who,
        },
        /// Say yes to a run that asks
        Approve {
            /// The run's number
            run: u64,
            #[command(flatten)]
            deed: Deed,
        },
        /// Say no to a run that asks
        Refuse {
            /// The run's number
            run: u64,
            #[command(flatten)]
            deed: Deed,
        },
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum NotifyCommand {
        /// The channels and what they are told of
        List {
            /// As JSON
            #[arg(long)]
            json: bool,
        },
        /// Send a test message and say what the other side answered
        Test {
            /// Only to this channel
            channel: Option<String>,
            /// Say what would be sent, send nothing
            #[arg(long)]
            dry_run: bool,
        },
    }

    #[derive(Debug, Subcommand)]
    pub(crate) enum MaintenanceCommand {
        /// Begin
        Start {
            /// For how long: 30m, 2h
            #[arg(value_parser = vigie_core::span::parse)]
            time: std::time::Duration,
            #[command(flatten)]
            deed: Deed,
        },
        /// End
        Stop {
            #[command(flatten)]
            deed: Deed,
        },
    }

    #[derive(Debug, Args)]
    pub(crate) struct SystemdArgs {
        /// Write it instead of printing it (as root)
        #[arg(long)]
        pub(crate) install: bool,
        /// Where to
        #[arg(
            long,
            value_name = "FILE",
            default_value = "/etc/systemd/system/vigie.service",
            requires = "install"
        )]
        pub(crate) to: PathBuf,
        /// Replace a unit that says something else
        #[arg(long, requires = "install")]
        pub(crate) force: bool,
        /// Show what would be written, write nothing
        #[arg(long, requires = "install")]
        pub(crate) dry_run: bool,
    }

    #[derive(Debug, Args)]
    pub(crate) struct OperateArgs {
        /// The service
        pub(crate) service: String,
        /// Say what would be done, do nothing
        #[arg(long)]
        pub(crate) dry_run: bool,
    }
}

pub(super) use arguments::{
    ActionCommand, Deed, DemoArgs, DiagnoseArgs, IncidentCommand, InitArgs, JournalAdd,
    JournalCommand, JournalShow, MaintenanceCommand, NotifyCommand, Only, OperateArgs,
    PostmortemArgs, RiskArgs, RunbookCommand, StatusArgs, SystemdArgs, WatchArgs, account_name,
};

/// The whole command line; every `--help` says the exit codes.
fn command() -> clap::Command {
    fn coded(command: clap::Command) -> clap::Command {
        command.after_help(EXIT_CODES).mut_subcommands(coded)
    }
    coded(Cli::command())
}

/// Reads the arguments.
pub(super) fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command().try_get_matches()?)
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| String::from("a severity is P1, P2, P3 or P4"))
}

pub(super) fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut command(), "vigie", &mut std::io::stdout());
}

pub(super) fn man() -> Result<Exit, Failure> {
    clap_mangen::Man::new(command()).render(&mut std::io::stdout())?;
    Ok(Exit::Fine)
}
