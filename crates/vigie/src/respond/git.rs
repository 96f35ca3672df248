//! Does: asks `git` itself about the stack's repositories.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use vigie_core::respond::Commit;

use crate::runner;
use crate::text::{cut, printable};

const LIMIT: Duration = Duration::from_secs(3);
/// A remote may be far away.
const ASKED: Duration = Duration::from_secs(10);
/// Characters of a subject that are kept in the journal.
const SUBJECT: usize = 200;

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

/// Why a commit could not be found.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// There is no git here, or it does not answer.
    #[error("git cannot be asked: {0}; install it, or leave out --commit")]
    NoGit(String),
    /// There is nothing to ask about.
    #[error("{} is in no git repository; leave out --commit, or make one there: git init", .0.display())]
    NoRepository(PathBuf),
    /// There is, but git does not read it.
    #[error("git does not read the repository of {}: {}; try: git -C {} status", .0.display(), .1, .0.display())]
    Unreadable(PathBuf, String),
    /// The repository has no such commit.
    #[error("`{revision}` is no commit of the repository of {}; try: git -C {} log --oneline", .directory.display(), .directory.display())]
    NoCommit {
        /// Where.
        directory: PathBuf,
        /// What was asked for, made printable.
        revision: String,
    },
}

/// The commit that `revision` names in the repository around `directory`: its short hash and subject.
///
/// # Errors
/// When there is none, or no repository, or no git.
pub async fn commit(directory: &Path, revision: &str) -> Result<Commit, CommitError> {
    let none =
        || CommitError::NoCommit { directory: directory.to_owned(), revision: printable(revision) };
    let inside = ask(directory, &["rev-parse", "--git-dir"]).await?;
    if !inside.status.success() {
        let why = String::from_utf8_lossy(&inside.stderr);
        let holds = |above: &Path| above.join(".git").exists();
        return Err(if directory.ancestors().any(holds) {
            let why = printable(why.lines().next().unwrap_or_default());
            CommitError::Unreadable(directory.to_owned(), why)
        } else {
            CommitError::NoRepository(directory.to_owned())
        });
    }
    // Git would take it for an option.
    if revision.starts_with('-') {
        return Err(none());
    }
    let named = format!("{revision}^{{commit}}");
    let found = ask(directory, &["rev-parse", "--verify", "--quiet", &named]).await?;
    let hash = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if !found.status.success() || hash.is_empty() {
        return Err(none());
    }
    let show = ["log", "-1", "--no-color", "--no-show-signature", "--format=%h%x09%s", &hash, "--"];
    let told = ask(directory, &show).await?;
    let text = String::from_utf8_lossy(&told.stdout);
    let (hash, subject) = text.trim_end().split_once('\t').ok_or_else(none)?;
    Ok(Commit { hash: printable(hash), subject: cut(&printable(subject), SUBJECT) })
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

/// A remote that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// The directory that it is, where it is one of this host.
    pub directory: Option<PathBuf>,
    /// Whether it has the commit that is checked out here. One that does not answer has nothing.
    pub has_head: bool,
}

/// The remotes of the repository around `directory`, asked whether they have the commit that is checked
/// out; nothing where there is no repository or no commit.
pub async fn asked_remotes(directory: &Path) -> Vec<Remote> {
    let Some(head) = git(directory, &["rev-parse", "HEAD"]).await else { return Vec::new() };
    let Some(remotes) = git(directory, &["remote"]).await else { return Vec::new() };
    let mut told = Vec::new();
    for name in remotes.lines().filter(|name| !name.starts_with('-')) {
        let url = git(directory, &["remote", "get-url", name]).await.unwrap_or_default();
        let path = url.trim().strip_prefix("file://").unwrap_or(url.trim()).to_owned();
        let near = Some(directory.join(path)).filter(|path| path.is_dir());
        let asked = ask_within(directory, &["ls-remote", "--heads", name], ASKED).await;
        let answer = asked.ok().filter(|output| output.status.success());
        let has_head = match answer {
            None => false,
            Some(answer) => {
                let text = String::from_utf8_lossy(&answer.stdout).into_owned();
                // One that went on from there has it too, where that is known here.
                let refs = format!("{name}/*");
                let known = ["branch", "--remotes", "--contains", "HEAD", "--list", &refs];
                text.lines().any(|line| line.starts_with(head.trim()))
                    || git(directory, &known).await.is_some_and(|told| !told.trim().is_empty())
            }
        };
        told.push(Remote { name: printable(name), directory: near, has_head });
    }
    told
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

/// The root of the repository around `directory`, where there is one.
pub async fn root(directory: &Path) -> Option<PathBuf> {
    let told = git(directory, &["rev-parse", "--show-toplevel"]).await?;
    Some(PathBuf::from(told.trim_end_matches('\n'))).filter(|root| root.is_dir())
}

/// The commit that the repository at `root` has checked out, its branch, and what is not committed, as a
/// patch.
pub async fn checked_out(root: &Path) -> Option<(String, Option<String>, Vec<u8>)> {
    let commit = git(root, &["rev-parse", "HEAD"]).await?.trim().to_owned();
    let branch = git(root, &["symbolic-ref", "--quiet", "--short", "HEAD"]).await;
    let branch = branch.map(|name| printable(name.trim()));
    let patch = ask(root, &["diff", "--binary", "HEAD"]).await.ok()?;
    Some((commit, branch, patch.stdout))
}

/// The commits of the repository around `directory` behind `from` up to `to`, newest first; at most 100.
pub async fn between(directory: &Path, from: &str, to: &str) -> Vec<String> {
    let range = format!("{from}..{to}");
    let arguments = ["log", "--no-color", "-100", "--format=%h %s", &range, "--"];
    let text = git(directory, &arguments).await.unwrap_or_default();
    text.lines().map(printable).collect()
}

/// Whether the repository around `directory` has `path`.
pub async fn tracks(directory: &Path, path: &str) -> bool {
    git(directory, &["ls-files", "--", path]).await.is_some_and(|told| !told.trim().is_empty())
}

pub(super) async fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = ask(directory, arguments).await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(super) async fn ask(directory: &Path, arguments: &[&str]) -> Result<Output, CommitError> {
    ask_within(directory, arguments, LIMIT).await
}

pub(super) async fn ask_within(
    directory: &Path,
    arguments: &[&str],
    limit: Duration,
) -> Result<Output, CommitError> {
    let mut command = runner::program("git");
    command
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = runner::run(&mut command, limit).await;
    let output = output.map_err(|error| CommitError::NoGit(error.to_string()))?;
    output.ok_or_else(|| CommitError::NoGit(format!("no answer within {} s", limit.as_secs())))
}
