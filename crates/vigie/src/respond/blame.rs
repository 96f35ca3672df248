//! Does: blames a Lua error on a commit: the error's file is found through the mounts, and git is
//! asked who wrote it. Never writes; whether the commit may be taken back is decided in the core.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_core::respond::{LuaFinding, Suspect, blame};

use super::Redactor;
use super::git::git;
use crate::text::{cut, printable};

/// Commits of the file that are shown.
const LOG: &str = "-5";
/// Lines of the diff that are kept.
const DIFF: usize = 60;
/// Characters of a line that are kept.
const WIDTH: usize = 200;

/// The commit that `error` is blamed on; none where its file is not found or in no repository.
/// `mounts` are directories of this host and where the service has them.
///
/// # Errors
/// Why git cannot tell, in one line.
pub(super) async fn suspect(
    mounts: &[(String, String)],
    error: &LuaFinding,
    redactor: &Redactor,
) -> Result<Option<Suspect>, String> {
    let places = blame::places(&error.file, mounts);
    let found = places.iter().map(PathBuf::from).find(|place| place.is_file());
    let Some(found) = found.and_then(|place| place.canonicalize().ok()) else { return Ok(None) };
    let Some(directory) = found.parent() else { return Ok(None) };
    let Some(root) = super::root(directory).await else {
        if directory.ancestors().any(|above| above.join(".git").exists()) {
            let directory = directory.display();
            return Err(format!(
                "git does not read the repository of {directory}; `git status` says why"
            ));
        }
        return Ok(None);
    };
    let Ok(inside) = found.strip_prefix(&root) else { return Ok(None) };
    let file = inside.to_string_lossy().into_owned();
    let Some(last) = git(&root, &["log", "-1", "--format=%H", "--", &file]).await else {
        return Ok(None);
    };
    let last = last.trim().to_owned();
    if last.is_empty() {
        return Err(format!("{} is in a repository, but not committed", printable(&file)));
    }
    let line = author_of(&root, &file, error.line).await;
    let Some(mut commit) = seen(&root, &last).await else { return Ok(None) };
    // Who wrote the line is nearer to the error than who touched the file last, where that is recent.
    if let Some(line) = line
        && let Some(wrote) = seen(&root, &line).await
        && wrote.age < blame::YOUNG
    {
        commit = wrote;
    }
    let facts = facts(&root, &commit).await;
    let log =
        git(&root, &["log", "--no-color", LOG, "--format=%h %cr, %an: %s", "--", &file]).await;
    let diff = ["show", "--no-color", "--no-ext-diff", "--format=", &commit.hash, "--", &file];
    let diff = git(&root, &diff).await.unwrap_or_default();
    Ok(Some(Suspect {
        obstacle: blame::obstacle(&facts),
        subject: printable(&commit.subject),
        repository: root.display().to_string(),
        log: lines(&log.unwrap_or_default(), redactor),
        diff: lines(&diff, redactor),
        commit: commit.hash,
        file: printable(&file),
    }))
}

/// Lines fit for people: no secrets, no escapes, not too many.
#[must_use]
pub fn lines(text: &str, redactor: &Redactor) -> Vec<String> {
    let cleaned = redactor.clean(text);
    let told = cleaned.lines().take(DIFF).map(|line| cut(&printable(line), WIDTH));
    let mut told: Vec<_> = told.collect();
    let more = cleaned.lines().count().saturating_sub(DIFF);
    told.extend((more > 0).then(|| format!("… {more} more lines")));
    told
}

/// What `file` has other than in the last commit that is a day old: that commit, and the difference;
/// none where it is the same or in no repository.
pub async fn unlike_yesterday(file: &Path) -> Option<(String, String)> {
    let root = super::root(file.parent()?).await?;
    let inside = file.canonicalize().ok()?.strip_prefix(&root).ok()?.to_string_lossy().into_owned();
    let base = ["log", "-1", "--before=24 hours ago", "--format=%H", "HEAD", "--"];
    let base = git(&root, &base).await?.trim().to_owned();
    if base.is_empty() {
        return None;
    }
    let diff = ["diff", "--no-color", "--no-ext-diff", "-U1", &base, "--", &inside];
    let diff = git(&root, &diff).await.filter(|diff| !diff.is_empty())?;
    Some((base.chars().take(8).collect(), diff))
}

/// A commit as git tells it.
pub(super) struct Seen {
    hash: String,
    subject: String,
    age: Duration,
    parents: usize,
}

pub(super) async fn seen(root: &Path, commit: &str) -> Option<Seen> {
    let format = "--format=%H%x09%ct%x09%P%x09%cr, %an: %s";
    let told =
        git(root, &["log", "-1", "--no-color", "--no-show-signature", format, commit]).await?;
    let mut parts = told.trim_end().splitn(4, '\t');
    let hash = parts.next()?.to_owned();
    let made = parts.next()?.parse::<i64>().ok()?;
    let parents = parts.next()?.split_whitespace().count();
    let now = jiff::Timestamp::now().as_second();
    let age = Duration::from_secs(u64::try_from(now.saturating_sub(made)).unwrap_or(0));
    Some(Seen { hash, subject: parts.next()?.to_owned(), age, parents })
}

/// The commit that wrote a line; none where it is not committed or there is no such line.
async fn author_of(root: &Path, file: &str, line: u32) -> Option<String> {
    let range = format!("-L{line},{line}");
    let told = git(root, &["blame", "--porcelain", &range, "--", file]).await?;
    let hash = told.split_whitespace().next()?.to_owned();
    (!hash.bytes().all(|byte| byte == b'0')).then_some(hash)
}

/// What git says of a commit and of the place that it would be taken back in.
pub(super) async fn facts(root: &Path, commit: &Seen) -> blame::Facts {
    let status = git(root, &["status", "--porcelain", "--untracked-files=no"]).await;
    let branch = git(root, &["symbolic-ref", "--quiet", "--short", "HEAD"]).await;
    blame::Facts {
        age: commit.age,
        parents: commit.parents,
        // What cannot be asked is not known to be clean.
        uncommitted: status.map_or(1, |status| status.lines().count()),
        under_way: under_way(root).await,
        branch: branch.map(|branch| branch.trim().to_owned()),
        reverted: reverted_by(root, &commit.hash).await.is_some(),
    }
}

/// The commit behind `commit` that took it back, and was not taken back itself.
pub(super) async fn reverted_by(root: &Path, commit: &str) -> Option<String> {
    let by = takes_back(root, commit).await?;
    match Box::pin(reverted_by(root, &by)).await {
        Some(_) => None,
        None => Some(by),
    }
}

/// The newest commit behind `commit` that says that it takes it back.
async fn takes_back(root: &Path, commit: &str) -> Option<String> {
    let says = format!("--grep=This reverts commit {commit}");
    let range = format!("{commit}..HEAD");
    let told =
        git(root, &["log", "-1", "--format=%H", "--fixed-strings", &says, &range, "--"]).await?;
    Some(told.trim().to_owned()).filter(|hash| !hash.is_empty())
}

/// What somebody has begun in the repository and not finished.
pub(super) async fn under_way(root: &Path) -> Option<String> {
    let directory = git(root, &["rev-parse", "--absolute-git-dir"]).await?;
    let directory = Path::new(directory.trim_end_matches('\n')).to_owned();
    let marks = [
        ("MERGE_HEAD", "merge"),
        ("REVERT_HEAD", "revert"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("BISECT_LOG", "bisect"),
    ];
    let mark = marks.iter().find(|(mark, _)| directory.join(mark).exists());
    mark.map(|(_, what)| (*what).to_owned())
}
