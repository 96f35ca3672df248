//! The command line and the environment, settled into a [`Config`].
//!
//! The environment of the reference image (NAME, MAP, ARGS, …) works as it is,
//! so the practice server can stand in for the game in a stack. AUTHKEY is
//! ignored, as by the game. A flag or variable wins over the same setting in
//! ARGS.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::config::{Config, ConfigError};
use crate::console::Console;
use crate::crash_plan::{CrashPlan, FirstStarts};
use crate::death::Death;
use crate::launch_line::LaunchLine;
use crate::secret::Secret;
use crate::server::{Server, StartError};
use crate::{fault, healthcheck, signals, span, stdin};

/// Exit code of a setting that cannot be used.
const USAGE: u8 = 2;

/// A choice that reads better than true and false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// A practice game server: A2S, RCON and a console, to be broken on command.
#[derive(Clone, Parser)]
#[command(name = "vigie-practice", version, after_long_help = fault::HELP)]
pub struct Args {
    /// Server name [default: vigie practice server]
    #[arg(long, env = "NAME")]
    name: Option<String>,
    /// Gamemode folder [default: darkrp]
    #[arg(long, env = "GAMEMODE")]
    gamemode: Option<String>,
    /// First map [default: gm_construct]
    #[arg(long, env = "MAP")]
    map: Option<String>,
    /// Player slots, 1 to 128 [default: 24]
    #[arg(long, env = "MAXPLAYERS", value_name = "N")]
    maxplayers: Option<String>,
    /// More settings, as on the command line of srcds (+rcon_password X, -port N, ...)
    #[arg(
        long,
        env = "ARGS",
        value_name = "LINE",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    args: Option<String>,
    /// RCON password; without any, RCON refuses everybody
    #[arg(long, env = "RCON_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    rcon_password: Option<String>,
    /// File with the RCON password, which wins over the other ways
    #[arg(long, env = "RCON_PASSWORD_FILE", value_name = "FILE")]
    rcon_password_file: Option<PathBuf>,
    /// Wrong passwords before an address is banned; 0 never bans
    #[arg(long, env = "PRACTICE_RCON_MIN_FAILURES", value_name = "N", default_value_t = 5)]
    rcon_min_failures: u32,
    /// How long a ban lasts
    #[arg(long, env = "PRACTICE_RCON_BAN", value_name = "TIME", default_value = "30m", value_parser = span::parse)]
    rcon_ban: Duration,
    /// Send the odd packet that follows a mirrored end marker on a real server
    #[arg(long, env = "PRACTICE_RCON_TRAILER", value_name = "SWITCH", default_value = "on")]
    rcon_trailer: Switch,
    /// Ask for a challenge before A2S_INFO is answered
    #[arg(long, env = "PRACTICE_CHALLENGE", value_name = "SWITCH", default_value = "on")]
    challenge: Switch,
    /// Longest A2S datagram, 32 to 1400; longer replies are split
    #[arg(long, env = "PRACTICE_SPLIT_AT", value_name = "BYTES", default_value_t = 1400)]
    split_at: usize,
    /// How long a map change keeps the server silent
    #[arg(long, env = "PRACTICE_CHANGELEVEL_TIME", value_name = "TIME", default_value = "3s", value_parser = span::parse)]
    changelevel_time: Duration,
    /// Address to listen on
    #[arg(long, env = "PRACTICE_BIND", value_name = "ADDRESS", default_value = "0.0.0.0")]
    bind: IpAddr,
    /// Port, UDP and TCP; 0 picks a free one and prints it [default: 27015]
    #[arg(long, env = "PRACTICE_PORT")]
    port: Option<u16>,
    /// Fake players at the start
    #[arg(long, env = "PRACTICE_PLAYERS", value_name = "N", default_value_t = 0)]
    players: u8,
    /// How long the boot takes
    #[arg(long, env = "PRACTICE_BOOT", value_name = "TIME", default_value = "2s", value_parser = span::parse)]
    boot: Duration,
    /// Crash by itself, that long after the start; 0 never does
    #[arg(long, env = "PRACTICE_CRASH_AFTER", value_name = "TIME", default_value = "0", value_parser = span::parse)]
    crash_after: Duration,
    /// How: segv, lua-panic, engine-error, watchdog, quit, "exit CODE", port-taken
    #[arg(long, env = "PRACTICE_CRASH_KIND", value_name = "KIND", default_value = "segv")]
    crash_kind: Death,
    /// Crash only at the first N starts, counted in --crash-counter
    #[arg(long, env = "PRACTICE_CRASH_TIMES", value_name = "N")]
    crash_times: Option<u32>,
    /// File that counts the starts; it has to outlive the process
    #[arg(long, env = "PRACTICE_CRASH_COUNTER", value_name = "FILE")]
    crash_counter: Option<PathBuf>,
    /// Database that the addon wants, looked for every two seconds
    #[arg(long, env = "PRACTICE_DATABASE", value_name = "HOST:PORT")]
    database: Option<String>,
    /// Read commands from standard input
    #[arg(long)]
    console: bool,
    /// Start nothing: ask the server on this port whether it answers, for a health check
    #[arg(long)]
    healthcheck: bool,
}

impl Args {
    /// The settings, files read.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let line = LaunchLine::read(self.args.as_deref().unwrap_or_default());
        let default = Config::default();
        Ok(Config {
            name: first([self.name.as_ref(), line.hostname.as_ref()], default.name),
            gamemode: first([self.gamemode.as_ref(), line.gamemode.as_ref()], default.gamemode),
            map: first([self.map.as_ref(), line.map.as_ref()], default.map),
            max_players: self
                .maxplayers
                .as_ref()
                .and_then(|count| count.trim().parse().ok())
                .or(line.max_players)
                .unwrap_or(default.max_players),
            players: self.players,
            bind: self.bind,
            port: self.port.or(line.port).unwrap_or(default.port),
            rcon_password: self.password(line.rcon_password)?,
            rcon_min_failures: self.rcon_min_failures,
            rcon_ban: self.rcon_ban,
            rcon_trailer: self.rcon_trailer == Switch::On,
            challenge: self.challenge == Switch::On,
            split_at: self.split_at,
            changelevel_time: self.changelevel_time,
            boot: self.boot,
            crash: self.crash()?,
            database: self.database.clone().filter(|target| !target.is_empty()),
        })
    }

    fn password(&self, in_args: Option<String>) -> Result<Secret, ConfigError> {
        if let Some(path) =
            self.rcon_password_file.as_ref().filter(|path| !path.as_os_str().is_empty())
        {
            return std::fs::read_to_string(path)
                .map(|text| Secret::new(text.trim_end_matches(['\r', '\n'])))
                .map_err(|cause| ConfigError::PasswordFile { path: path.clone(), cause });
        }
        Ok(Secret::new(first([self.rcon_password.as_ref(), in_args.as_ref()], String::new())))
    }

    fn crash(&self) -> Result<Option<CrashPlan>, ConfigError> {
        if self.crash_after.is_zero() {
            return Ok(None);
        }
        let only = match (self.crash_times, &self.crash_counter) {
            (None, _) => None,
            (Some(times), Some(counter)) => Some(FirstStarts { times, counter: counter.clone() }),
            (Some(_), None) => return Err(ConfigError::NoCounter),
        };
        Ok(Some(CrashPlan { after: self.crash_after, how: self.crash_kind, only }))
    }
}

/// Without the values: some of them hold a password.
impl std::fmt::Debug for Args {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Args").finish_non_exhaustive()
    }
}

/// The first setting that says something: Compose hands an unset variable over
/// as an empty one.
fn first(settings: [Option<&String>; 2], default: String) -> String {
    settings.into_iter().flatten().find(|text| !text.is_empty()).cloned().unwrap_or(default)
}

/// Parses a command line, program name first, and runs a server until it dies.
pub fn main_from<I, T>(args: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    match Args::try_parse_from(args) {
        Ok(args) => run(&args),
        Err(error) => {
            // Help goes to the output and errors to the error output; if
            // nobody reads either, the exit code still tells.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE))
        }
    }
}

/// Runs a server on standard output until it dies; its death is the exit code.
/// It takes the process's signals over, so nothing else may want them.
pub fn run(args: &Args) -> ExitCode {
    if args.healthcheck {
        return check(args);
    }
    let console = Console::stdout();
    // Before anything can take time: the first process of a container that
    // does not handle SIGTERM never gets it.
    let caught = match signals::catch() {
        Ok(caught) => caught,
        Err(error) => return complain(&format!("cannot handle signals: {error}"), 1),
    };
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    let any_port = config.port == 0;
    let handle = match Server::start(config, console.clone()) {
        Ok(handle) => handle,
        Err(StartError::PortTaken(port)) => {
            console.line(&Death::PortTaken.line(port));
            return ExitCode::from(Death::PortTaken.code());
        }
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    if any_port {
        console.line(&format!("practice: port {}", handle.addr().port()));
    }
    if let Err(error) = signals::obey(caught, handle.world().clone()) {
        return complain(&format!("cannot handle signals: {error}"), 1);
    }
    if args.console
        && let Err(error) = stdin::listen(handle.world().clone())
    {
        return complain(&format!("cannot read the console: {error}"), 1);
    }
    let death = handle.wait();
    // Not dropped: its threads may be stuck in a write, and the process ends.
    std::mem::forget(handle);
    ExitCode::from(death.code())
}

fn check(args: &Args) -> ExitCode {
    let asked = args.config().map(|config| healthcheck::ask(config.port));
    match asked {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => complain(&error.to_string(), 1),
        Err(error) => complain(&error.to_string(), USAGE),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "vigie-practice: {message}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests;
