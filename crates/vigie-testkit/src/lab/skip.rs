//! Skips a test loudly when the real component it needs is not here. With `CI=true` nothing is
//! skipped: a missing component fails the test.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;

use super::{Facts, Lab};

/// Names a file to which skipped tests are appended, one `test<TAB>what` a line.
pub const SKIPS_ENV: &str = "VIGIE_LAB_SKIPS";

/// The lab, or `None` after saying that the test which needs `what` is skipped.
///
/// ```no_run
/// # use vigie_testkit::lab::docker_or_skip;
/// let Some(lab) = docker_or_skip("restart of a real container") else { return };
/// ```
#[must_use]
pub fn docker_or_skip(what: &str) -> Option<Lab> {
    match Lab::from_env() {
        Ok(lab) => Some(lab),
        Err(why) => {
            skip("docker", what, &format!("{why:#}"));
            None
        }
    }
}

/// Something from [`Facts`] (a program, an image), or `None` after saying that the test is skipped.
///
/// ```no_run
/// # use vigie_testkit::lab::facts_or_skip;
/// let Some(program) = facts_or_skip("mariadbd", "a real login", |f| f.mariadbd) else { return };
/// ```
pub fn facts_or_skip<T>(need: &str, what: &str, pick: impl Fn(Facts) -> Option<T>) -> Option<T> {
    let found = pick(Facts::from_env());
    if found.is_none() {
        skip(need, what, "`cargo xtask test` did not make it ready");
    }
    found
}

/// Says that `what` is skipped because `need` is missing, and notes it for the closing report.
/// With `CI=true` it panics instead, which fails the test.
#[expect(clippy::panic, reason = "in a test, a panic is the failure report")]
pub fn skip(need: &str, what: &str, why: &str) {
    if env::var("CI").is_ok_and(|v| v == "true" || v == "1") {
        panic!("{what} needs {need}, and with CI=true nothing is skipped: {why}");
    }
    // Written to the stream itself: the test harness only captures the print macros.
    let _ = writeln!(std::io::stderr(), "SKIPPED (needs {need}): {what}: {why}");
    let thread = thread::current();
    let line = format!("{}\t{what} (needs {need})\n", thread.name().unwrap_or("?"));
    if let Some(path) = env::var_os(SKIPS_ENV) {
        // One write of one short line: parallel tests do not mix their lines.
        let file = OpenOptions::new().create(true).append(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
