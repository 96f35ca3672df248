//! The practice game server as a program of its own: one static binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigie_practice::main_from(std::env::args_os())
}
