//! Runs commands and turns a failure into an error that says which command, how it ended, and what
//! it printed last. Never decides what to do about it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// How much of a failed command's output goes into its error, in lines.
const TAIL: usize = 20;

/// The command as one would type it, without its environment (it may hold passwords).
#[must_use]
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs to the end and captures both outputs, whatever the exit status.
///
/// # Errors
/// When the program cannot be started at all.
pub fn output(command: &mut Command) -> Result<Output> {
    let shown = shown(command);
    command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))
}

/// Runs and returns standard output, trimmed at its end.
///
/// # Errors
/// When it cannot start or exits with a failure; the error carries the last lines it printed.
pub fn text(command: &mut Command) -> Result<String> {
    let out = output(command)?;
    if !out.status.success() {
        bail!("`{}` ended with {}:\n{}", shown(command), out.status, tail(&out));
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

/// Runs quietly; like [`text`] when only success matters.
///
/// # Errors
/// As [`text`].
pub fn quiet(command: &mut Command) -> Result<()> {
    text(command).map(drop)
}

/// Runs quietly with `input` on standard input.
///
/// # Errors
/// As [`text`], or when the program stops reading early.
pub fn feed(command: &mut Command, input: &[u8]) -> Result<String> {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    // The pipe closes when it is dropped, which is what ends the program's input.
    let written = child.stdin.take().map(|mut pipe| pipe.write_all(input));
    let out = child.wait_with_output().with_context(|| format!("lost `{shown}`"))?;
    if !out.status.success() {
        bail!("`{shown}` ended with {}:\n{}", out.status, tail(&out));
    }
    written.unwrap_or(Ok(())).with_context(|| format!("`{shown}` did not read its input"))?;
    Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

/// Runs with both outputs going where ours go.
///
/// # Errors
/// When it cannot start or exits with a failure.
pub fn streamed(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Whether the command can be started and succeeds.
#[must_use]
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok_and(|out| out.status.success())
}

fn tail(out: &Output) -> String {
    let both =
        [String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)].concat();
    let lines: Vec<&str> = both.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_last_words() {
        let error =
            text(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("why"), "{error}");
    }

    #[test]
    fn input_reaches_the_program() {
        assert_eq!(feed(&mut Command::new("cat"), b"hello\n").unwrap(), "hello");
    }

    #[test]
    fn a_missing_program_is_an_error_and_not_a_panic() {
        assert!(!succeeds(&mut Command::new("no-such-program-here")));
    }
}
