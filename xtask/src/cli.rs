//! The command line of the tasks: what can be asked, and which task answers.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use vigie_testkit::lab::ComposeVersion;

use crate::place::Place;
use crate::{bench, lab, picture, test, tidy};

/// All tasks.
pub(crate) fn command() -> Command {
    Command::new("cargo xtask")
        .about("The project's own tasks")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("test")
                .about("Make the machine ready, then run every check and every test")
                .arg(flag("no-real", "Leave out everything that needs root or Docker"))
                .arg(
                    Arg::new("filter")
                        .long("filter")
                        .value_name("TEXT")
                        .help("Only run tests whose name has TEXT, and no other check"),
                ),
        )
        .subcommand(Command::new("tidy").about("Check the rules that no compiler checks"))
        .subcommand(
            Command::new("bench")
                .about("Run one benchmark, or list them")
                .arg(Arg::new("name").value_name("NAME"))
                .arg(
                    Arg::new("options")
                        .value_name("OPTION")
                        .num_args(0..)
                        .trailing_var_arg(true)
                        .allow_hyphen_values(true)
                        .help(
                            "Its own options; `bench NAME -- --help` lists them where it has any",
                        ),
                ),
        )
        .subcommand(Command::new("picture").about("Make docs/demo.svg from a real run of the demo"))
        .subcommand(lab_command())
}

fn lab_command() -> Command {
    let dir = || {
        let about = "Directory of the compose project";
        Arg::new("dir").required(true).help(about).value_parser(value_parser!(PathBuf))
    };
    Command::new("lab")
        .about("The reference stack on a real engine, and the engine that tests use")
        .subcommand_required(true)
        .subcommand(
            Command::new("up")
                .about("Write the reference stack into DIR and start it")
                .arg(dir())
                .arg(
                    Arg::new("offset")
                        .long("offset")
                        .value_name("N")
                        .default_value("0")
                        .value_parser(value_parser!(u16).range(0..30_000))
                        .help("Shift ports by N and prefix names with labN-"),
                )
                .arg(
                    Arg::new("compose")
                        .long("compose")
                        .default_value("v2")
                        .value_parser(["v1", "v2"])
                        .help("Which Compose starts it"),
                )
                .arg(
                    Arg::new("boot")
                        .long("boot")
                        .value_name("TIME")
                        .default_value("2s")
                        .help("How long the game server takes to boot"),
                )
                .arg(flag("public", "Publish ports on all interfaces, not on 127.0.0.1 alone")),
        )
        .subcommand(Command::new("down").about("Stop the stack in DIR, remove its data").arg(dir()))
        .subcommand(Command::new("list").about("List the stacks that are up"))
        .subcommand(
            Command::new("env")
                .about("Print what tests need: eval \"$(cargo xtask lab env)\", then cargo test"),
        )
        .subcommand(
            Command::new("engine")
                .about("The private engine that tests use")
                .subcommand_required(true)
                .subcommand(Command::new("start").about("Make it ready and leave it running"))
                .subcommand(Command::new("stop").about("Stop it; its images stay")),
        )
}

fn flag(name: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(about)
}

/// Runs the task that was asked for; `false` means that it found something.
pub(crate) fn run(matches: &ArgMatches) -> Result<bool> {
    let place = Place::find()?;
    match matches.subcommand() {
        Some(("test", args)) => test::run(
            &place,
            &test::Options {
                filter: args.get_one::<String>("filter").cloned(),
                real: !args.get_flag("no-real"),
            },
        ),
        Some(("tidy", _)) => tidy::run(&place),
        Some(("bench", args)) => {
            let options = args.get_many::<String>("options").into_iter().flatten().cloned();
            let name = args.get_one::<String>("name").map(String::as_str);
            bench::run(&place, name, &options.collect::<Vec<_>>())
        }
        Some(("picture", _)) => picture::make(&place),
        Some(("lab", args)) => run_lab(&place, args),
        _ => bail!("no such task; `cargo xtask --help` lists them"),
    }
}

fn run_lab(place: &Place, matches: &ArgMatches) -> Result<bool> {
    match matches.subcommand() {
        Some(("up", args)) => lab::up(
            place,
            &lab::Wanted {
                dir: dir_of(args),
                offset: args.get_one("offset").copied().unwrap_or(0),
                compose: if args.get_one::<String>("compose").is_some_and(|v| v == "v1") {
                    ComposeVersion::V1
                } else {
                    ComposeVersion::V2
                },
                boot: args.get_one("boot").cloned().unwrap_or_else(|| "2s".to_owned()),
                public: args.get_flag("public"),
            },
        ),
        Some(("down", args)) => lab::down(place, &dir_of(args)),
        Some(("list", _)) => lab::list(place),
        Some(("env", _)) => lab::env(place),
        Some(("engine", args)) => lab::engine(place, args.subcommand_matches("start").is_some()),
        _ => bail!("no such task; `cargo xtask lab --help` lists them"),
    }
}

fn dir_of(args: &ArgMatches) -> PathBuf {
    args.get_one("dir").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
