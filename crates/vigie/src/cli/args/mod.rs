//! Does: what can be written on the command line.

mod backup;
mod incident;
mod recover;
mod snapshot;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use vigie_core::doctor::{Level, Rule};
use vigie_core::incident::Severity;

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
    /// What is wrong with a compose project, with the line and the change that ends it
    Doctor(DoctorArgs),
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
    /// Restore points: create, list, show, go back, prune
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Backups: at several sites, verified, brought back
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Bring a lost stack back on a bare host: from one site, with the recovery sheet
    Recover(RecoverArgs),
    /// How redundant each asset is: its copies, their age, what was proved, what would raise it
    Redundancy(RedundancyArgs),
    /// Corrective actions of the post-mortems: list, done, add
    #[command(subcommand)]
    Action(ActionCommand),
    /// What can happen, what is done against it, and whether that is really so
    Risk(RiskArgs),
    /// Stop a service as an operator; vigie respects it
    Stop(OperateArgs),
    /// Start a service that an operator stopped
    Start(OperateArgs),
    /// Apply the compose file: in the order of the dependencies, each service proved before the next
    Up(UpArgs),
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
    pub(crate) struct DoctorArgs {
        /// The project's directory, or a compose file [default: what the configuration names, else
        /// this directory]
        pub(crate) path: Option<PathBuf>,
        /// This grave or graver: note, warning, error; the others are neither shown nor counted
        #[arg(long, default_value = "note", value_parser = level)]
        pub(crate) level: Level,
        /// Only this rule; several times for several
        #[arg(long, value_name = "RULE", value_parser = rule)]
        pub(crate) rule: Vec<Rule>,
        /// Make the safe changes; asks on a terminal, and keeps a copy of each compose file
        #[arg(long)]
        pub(crate) fix: bool,
        /// Show what --fix would change, write nothing
        #[arg(long)]
        pub(crate) dry_run: bool,
        /// Do not ask before writing
        #[arg(long, requires = "fix")]
        pub(crate) yes: bool,
        /// As JSON
        #[arg(long)]
        pub(crate) json: bool,
        /// As SARIF 2.1.0, for code review
        #[arg(long, conflicts_with_all = ["json", "fix", "dry_run"])]
        pub(crate) sarif: bool,
        /// In this language: en, fr [default: the configuration's, where there is one]
        #[arg(long, value_parser = lang)]
        pub(crate) lang: Option<Lang>,
    }

    fn level(text: &str) -> Result<Level, String> {
        let found = Level::ALL.into_iter().find(|level| level.word() == text);
        found.ok_or_else(|| String::from("a level is note, warning or error"))
    }

    fn rule(text: &str) -> Result<Rule, String> {
        Rule::parse(text).ok_or_else(|| {
            let words = Rule::ALL.into_iter().map(|rule| rule.about().word);
            let nearest = words.min_by_key(|word| strsim::osa_distance(word, text));
            let nearest = nearest.unwrap_or_default();
            format!(
                "there is no such rule; did you mean {nearest}? All are in docs/guide/doctor.md"
            )
        })
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

    pub(super) fn lang(text: &str) -> Result<Lang, String> {
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
    pub(crate) struct UpArgs {
        /// These services and what they need [default: all]
        pub(crate) service: Vec<String>,
        #[command(flatten)]
        pub(crate) deed: Deed,
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
    Deed, DemoArgs, DiagnoseArgs, DoctorArgs, InitArgs, MaintenanceCommand, NotifyCommand,
    OperateArgs, RiskArgs, RunbookCommand, StatusArgs, SystemdArgs, UpArgs, WatchArgs,
    account_name,
};
pub(super) use backup::{BackupCommand, RedundancyArgs, RestoreArgs};
pub(super) use incident::{
    ActionCommand, IncidentCommand, JournalAdd, JournalCommand, JournalShow, Only, PostmortemArgs,
};
pub(super) use recover::RecoverArgs;
pub(super) use snapshot::{AdoptArgs, CreateArgs, RollbackArgs, SnapshotCommand};

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
