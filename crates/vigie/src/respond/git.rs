//! Does: reads the stack's git repository through `git` itself. Never writes to it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use vigie_core::respond::Commit;

use crate::runner;
use crate::text::printable;

const LIMIT: Duration = Duration::from_secs(3);

/// The last `count` commits of the repository around `directory`, newest first; none when there is
/// no repository or no git.
pub async fn commits(directory: &Path, count: usize) -> Vec<Commit> {
    let count = format!("-{count}");
    let format = "--format=%h%x09%cr, %an: %s";
    let Some(text) = git(directory, &["log", "--no-color", &count, format]).await else {
        return Vec::new();
    };
    let parse = |line: &str| {
        let (hash, subject) = line.split_once('\t')?;
        Some(Commit { hash: printable(hash), subject: printable(subject) })
    };
    text.lines().filter_map(parse).collect()
}

/// The branch and commit checked out, and whether anything is uncommitted.
pub async fn head(directory: &Path) -> Option<String> {
    let at = git(directory, &["log", "-1", "--no-color", "--format=%h %s"]).await?;
    let branch = git(directory, &["rev-parse", "--abbrev-ref", "HEAD"]).await.unwrap_or_default();
    let dirty = git(directory, &["status", "--porcelain"]).await.unwrap_or_default();
    let changed = dirty.lines().count();
    let dirty = match changed {
        0 => String::new(),
        _ => format!(", {changed} files not committed"),
    };
    Some(printable(&format!("{} on {}{dirty}", at.trim(), branch.trim())))
}

/// The remotes of the repository around `directory`, and whether one of them is known to have the
/// commit that is checked out; none when there is no repository.
///
/// # Errors
/// Why git cannot tell.
pub async fn remotes(directory: &Path) -> Result<Option<(Vec<String>, bool)>, String> {
    if git(directory, &["rev-parse", "--git-dir"]).await.is_none() {
        if directory.ancestors().any(|above| above.join(".git").exists()) {
            return Err(String::from("git cannot read the repository; `git status` says why"));
        }
        return Ok(None);
    }
    let remotes = git(directory, &["remote"]).await.unwrap_or_default();
    let remotes = remotes.lines().map(printable).collect();
    let holders = git(directory, &["branch", "--remotes", "--contains", "HEAD"]).await;
    Ok(Some((remotes, holders.is_some_and(|holders| !holders.trim().is_empty()))))
}

/// Which of `paths` the repository around `directory` ignores, also as a directory that is not there yet;
/// nothing when there is no repository. What it has already, it does not ignore.
pub async fn ignored(directory: &Path, paths: &[String]) -> Option<BTreeSet<String>> {
    git(directory, &["rev-parse", "--git-dir"]).await?;
    let both =
        paths.iter().flat_map(|path| [path.clone(), format!("{}/", path.trim_end_matches('/'))]);
    let both: Vec<String> = both.collect();
    let mut words = vec!["-c", "core.quotePath=false", "check-ignore", "--"];
    words.extend(both.iter().map(String::as_str));
    // It fails when none of them is ignored.
    let told = git(directory, &words).await.unwrap_or_default();
    let told: BTreeSet<&str> = told.lines().map(|line| line.trim_end_matches('/')).collect();
    let is_told = |path: &&String| told.contains(path.trim_end_matches('/'));
    Some(paths.iter().filter(is_told).cloned().collect())
}

/// Whether the repository around `directory` has `path`.
pub async fn tracks(directory: &Path, path: &str) -> bool {
    git(directory, &["ls-files", "--", path]).await.is_some_and(|told| !told.trim().is_empty())
}

async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = runner::program("git");
    command
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = runner::run(&mut command, LIMIT).await.ok()??;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
