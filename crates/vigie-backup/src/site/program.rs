//! Does: the programs of this machine that a site needs begin here and end with the site: `ssh` and
//! `rclone`. Their arguments never have a secret.

use std::ffi::OsString;
use std::process::Stdio;

use tokio::process::Command;

/// A program that reads and writes pipes and ends when its last owner drops it.
pub(crate) fn command(program: &str, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// The last line that says something, of what a program wrote.
pub(crate) fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing")
}
