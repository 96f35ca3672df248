//! The project's own tasks. `cargo xtask --help` lists them.
//!
//! Never part of the product, and builds without it: a task must run where the rest of the
//! workspace does not compile.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod bench;
mod cli;
mod lab;
mod picture;
mod place;
mod setup;
mod stage;
mod test;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    match cli::run(&matches) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
