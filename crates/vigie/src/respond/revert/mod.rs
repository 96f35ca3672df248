//! Does: takes a commit back with a new commit, and that back again. Everything is looked at once more
//! right before; what cannot be done wholly leaves the repository as it was.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use vigie_core::respond::blame;

use super::blame::{facts, reverted_by, seen, under_way};
use super::git::{ask, ask_within, git};
use crate::text::printable;

/// A repository may be on a slow disk.
const LIMIT: Duration = Duration::from_secs(60);
/// Names that are told of files in conflict.
const NAMED: usize = 5;

/// Takes `commit` back.
///
/// # Errors
/// Why not; the repository is as it was then, or it is said how to make it so.
pub(super) async fn revert(root: &Path, commit: &str, push: bool) -> Result<(), String> {
    let gone = || format!("there is no commit {commit} in {} any more", root.display());
    let known = seen(root, commit).await.ok_or_else(gone)?;
    if let Some(why) = blame::obstacle(&facts(root, &known).await) {
        return Err(format!("its commit cannot be taken back: {why}"));
    }
    take_back(root, commit).await?;
    pushed(root, push).await;
    Ok(())
}

/// Takes the revert of `commit` back; nothing where there is none.
///
/// # Errors
/// As [`revert`].
pub(super) async fn unrevert(root: &Path, commit: &str, push: bool) -> Result<(), String> {
    if under_way(root).await.as_deref() == Some("revert") {
        // Vigie was ended in the middle of it.
        abort(root).await?;
    }
    let Some(revert) = reverted_by(root, commit).await else {
        let changed = git(root, &["status", "--porcelain", "--untracked-files=no"]).await;
        if changed.is_some_and(|changed| changed.is_empty()) {
            return Ok(());
        }
        let root = root.display();
        return Err(format!(
            "something is half done in its repository; look at it: git -C {root} status"
        ));
    };
    take_back(root, &revert).await?;
    pushed(root, push).await;
    Ok(())
}

async fn take_back(root: &Path, commit: &str) -> Result<(), String> {
    let before = git(root, &["rev-parse", "HEAD"]).await;
    let mut words = vec![
        // Nobody is there to type a passphrase or to answer a hook.
        "-c",
        "commit.gpgSign=false",
        "-c",
        "core.hooksPath=/dev/null",
    ];
    if git(root, &["var", "GIT_COMMITTER_IDENT"]).await.is_none() {
        words.extend(["-c", "user.name=vigie", "-c", "user.email=vigie@localhost"]);
    }
    words.extend(["revert", "--no-edit", commit]);
    // What did not end in time is looked at and taken back as what failed.
    let done = ask_within(root, &words, LIMIT).await;
    if done.as_ref().is_ok_and(|done| done.status.success()) {
        return Ok(());
    }
    let conflicts =
        git(root, &["diff", "--name-only", "--diff-filter=U"]).await.unwrap_or_default();
    let why = match conflicts.lines().count() {
        0 => done.map_or_else(|error| error.to_string(), |done| said(&done)),
        count => {
            let named = conflicts.lines().take(NAMED).map(printable).collect::<Vec<_>>().join(", ");
            let more = if count > NAMED { ", …" } else { "" };
            format!("it conflicts with what came later in {named}{more}")
        }
    };
    if under_way(root).await.as_deref() == Some("revert") {
        abort(root).await.map_err(|aborting| format!("{why}; {aborting}"))?;
    }
    let after = git(root, &["rev-parse", "HEAD"]).await;
    let changed = git(root, &["status", "--porcelain", "--untracked-files=no"]).await;
    if before == after && changed.is_some_and(|changed| changed.is_empty()) {
        return Err(format!("{why} and its repository is as it was"));
    }
    Err(format!("{why}; look at its repository: git -C {} status", root.display()))
}

async fn abort(root: &Path) -> Result<(), String> {
    let done = ask(root, &["revert", "--abort"]).await.map_err(|error| error.to_string())?;
    if done.status.success() {
        return Ok(());
    }
    let root = root.display();
    Err(format!(
        "the revert could not be broken off ({}); try: git -C {root} revert --abort",
        said(&done)
    ))
}

/// A push that fails takes nothing of the repair back: it is said, and can be done by hand.
async fn pushed(root: &Path, push: bool) {
    if !push {
        return;
    }
    let why = match ask_within(root, &["push", "--quiet"], LIMIT).await {
        Ok(done) if done.status.success() => return,
        Ok(done) => said(&done),
        Err(error) => error.to_string(),
    };
    tracing::warn!(repository = %root.display(), why, "the revert could not be pushed; do it by hand: git push");
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("git does not say why");
    printable(line)
}

#[cfg(test)]
mod tests;
