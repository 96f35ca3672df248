//! Does: the command line: one file a command. The only place that prints to standard output.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

mod action;
mod args;
mod backup;
mod bar;
mod demo;
mod diagnose;
mod doctor;
mod exit;
mod held;
mod incident;
mod init;
mod journal;
mod known;
mod maintenance;
mod notify;
mod order;
mod paint;
mod postmortem;
mod put;
mod recover;
mod redundancy;
mod register;
mod risk;
mod runbook;
mod since;
mod snapshot;
mod stats;
mod status;
mod systemd;
mod table;
mod up;
mod watch;

use std::process::ExitCode;

use args::{Cli, Command};
pub use exit::{Exit, Failure};
pub use paint::Paint;

/// Reads the arguments, does what they say, and gives the documented exit code.
#[must_use]
pub fn main() -> ExitCode {
    quiet_on_closed_pipe();
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    // The practice server takes over the process's signals, so it begins before anything else.
    if let Command::Practice(args) = &cli.command {
        return vigie_practice::run(args);
    }
    init_tracing(&cli);
    let workers = 2;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("vigie: the machine gives no threads: {error}");
            return Exit::Finding.into();
        }
    };
    let result = runtime.block_on(dispatch(cli));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("vigie: {failure}");
            failure.exit.into()
        }
    }
}

async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let config = crate::config::find(cli.config.as_deref());
    match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Doctor(args) => doctor::run(&config, cli.config.is_some(), &args).await,
        Command::Watch(args) => watch::run(&config, &args).await,
        Command::Demo(args) => demo::run(&args).await,
        Command::Status(args) => status::run(&config, &args).await,
        Command::Diagnose(args) => diagnose::run(&config, &args).await,
        Command::Incident(command) => incident::run(&config, command).await,
        Command::Journal(command) => journal::run(&config, command).await,
        Command::Runbook(command) => runbook::run(&config, command).await,
        Command::Notify(command) => notify::run(&config, command).await,
        Command::Maintenance(command) => maintenance::run(&config, command).await,
        Command::Snapshot(command) => snapshot::run(&config, command).await,
        Command::Backup(command) => backup::run(&config, command).await,
        Command::Recover(args) => recover::run(cli.config.as_deref(), &args).await,
        Command::Redundancy(args) => redundancy::run(&config, &args).await,
        Command::Action(command) => action::run(&config, command),
        Command::Risk(args) => risk::run(&config, &args).await,
        Command::Stop(args) => maintenance::operate(&config, &args, true).await,
        Command::Start(args) => maintenance::operate(&config, &args, false).await,
        Command::Up(args) => up::run(&config, &args).await,
        Command::Systemd(args) => systemd::run(&config, &args),
        Command::Completions { shell } => {
            args::completions(shell);
            Ok(Exit::Fine)
        }
        Command::Man => args::man(),
        Command::Practice(_) => Ok(Exit::Fine),
    }
}

/// `vigie … | head` ends quietly, as every other tool does.
fn quiet_on_closed_pipe() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        if text.contains("Broken pipe") {
            std::process::exit(0);
        }
        eprintln!("vigie: this is a fault of vigie itself: {text}");
    }));
}

fn init_tracing(cli: &Cli) {
    use tracing_subscriber::EnvFilter;
    let level = if matches!(cli.command, Command::Watch(_)) { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("VIGIE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(Paint::for_stderr().colour())
        .with_target(false)
        .try_init();
}
