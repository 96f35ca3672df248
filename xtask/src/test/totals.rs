//! Adds up the result lines of `cargo test` while its output streams by.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use vigie_testkit::lab::run;

/// What the test programs reported.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Totals {
    /// The closing line. The harness counts a test that skipped itself as passed; `skipped` of them
    /// did.
    pub(super) fn without(self, skipped: usize) -> String {
        let passed = self.passed.saturating_sub(skipped);
        format!("{passed} passed, {} failed, {} skipped", self.failed, self.ignored + skipped)
    }

    /// Adds what a line says when it is a result line, coloured or not.
    fn add(&mut self, line: &str) {
        if !line.starts_with("test result: ") {
            return;
        }
        for part in line.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let Some(count) = words.next().and_then(|word| word.parse::<usize>().ok()) else {
                continue;
            };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed") => self.failed += count,
                Some("ignored") => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// Runs a test command with its output going on to ours. Says whether it succeeded.
pub(super) fn stream(command: &mut Command) -> Result<(bool, Totals)> {
    let shown = run::shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let mut totals = Totals::default();
    let pipe = child.stdout.take().context("no output to read")?;
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).context("lost the tests' output")? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        totals.add(&text);
        line.clear();
    }
    let status = child.wait().with_context(|| format!("lost `{shown}`"))?;
    Ok((status.success(), totals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_add_up() {
        let mut totals = Totals::default();
        totals.add("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n");
        totals.add("test result: \x1b[31mFAILED\x1b[0m. 2 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.00s\n");
        totals.add("test a::b ... ok\n");
        assert_eq!(totals, Totals { passed: 7, failed: 3, ignored: 1 });
        assert_eq!(totals.without(2), "5 passed, 3 failed, 3 skipped");
    }

    #[test]
    fn output_streams_and_the_status_is_kept() {
        let script = "echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'; exit 101";
        let (fine, totals) = stream(Command::new("sh").args(["-c", script])).unwrap();
        assert!(!fine);
        assert_eq!(totals.failed, 1);
    }
}
