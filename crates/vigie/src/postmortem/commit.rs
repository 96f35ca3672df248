//! Does: commits one post-mortem to the repository around it, and nothing else that is staged there.

use std::path::Path;
use std::time::Duration;

use crate::runner;
use crate::text::{cut, printable};

/// Hooks may take their time.
const LIMIT: Duration = Duration::from_secs(60);

/// Why it was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Git did not do it.
    #[error(
        "the post-mortem is written, but git {0} failed: {1}; commit it yourself, or set `commit = false` in [postmortem]"
    )]
    Git(&'static str, String),
}

/// Commits `file` with `subject`; whether there was anything to commit.
///
/// # Errors
/// See [`CommitError`].
pub async fn commit(file: &Path, subject: &str) -> Result<bool, CommitError> {
    let changed = git("status", file, &["--porcelain", "--"]).await?;
    if changed.trim().is_empty() {
        return Ok(false);
    }
    git("add", file, &["--"]).await?;
    let subject = cut(&printable(subject), 100);
    git("commit", file, &["--quiet", "--only", "-m", &subject, "--"]).await?;
    Ok(true)
}

async fn git(verb: &'static str, file: &Path, arguments: &[&str]) -> Result<String, CommitError> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default();
    let mut command = runner::program("git");
    command.arg("-C").arg(directory).arg(verb).args(arguments).arg(name);
    command.env("GIT_TERMINAL_PROMPT", "0");
    let failed = |why: String| CommitError::Git(verb, why);
    let output =
        runner::run(&mut command, LIMIT).await.map_err(|error| failed(error.to_string()))?;
    let output = output.ok_or_else(|| failed(String::from("it did not end in time")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stderr, output.stdout].concat();
    let said =
        String::from_utf8_lossy(&said).lines().map(printable).collect::<Vec<_>>().join(" · ");
    Err(failed(cut(said.trim(), 300)))
}
