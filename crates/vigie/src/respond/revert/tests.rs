//! A real git: what is taken back, what is refused, and that nothing is left half done.

use std::path::Path;
use std::process::Command;

use vigie_core::respond::LuaFinding;

use super::super::{Redactor, blame};
use super::*;
use crate::config::Config;

#[expect(clippy::disallowed_methods, reason = "a test sets its repository up with git itself")]
fn run(at: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=anna", "-c", "user.email=anna@localhost"];
    let output = Command::new("git").current_dir(at).args(identity).args(arguments).output();
    let output = output.expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository whose `lua/a.lua` has three lines, and a second commit that changed the middle one.
fn repository() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    run(at, &["init", "-q", "-b", "main"]);
    write(at, "one\ntwo\nthree\n");
    run(at, &["add", "."]);
    run(at, &["commit", "-q", "-m", "first"]);
    write(at, "one\nTWO\nthree\n");
    run(at, &["commit", "-q", "-am", "louder"]);
    let commit = run(at, &["rev-parse", "HEAD"]);
    (directory, commit)
}

fn write(at: &Path, text: &str) {
    std::fs::create_dir_all(at.join("lua")).unwrap();
    std::fs::write(at.join("lua/a.lua"), text).unwrap();
}

fn read(at: &Path) -> String {
    std::fs::read_to_string(at.join("lua/a.lua")).unwrap()
}

fn later(at: &Path, text: &str) {
    write(at, text);
    run(at, &["commit", "-q", "-am", "later"]);
}

async fn suspect(at: &Path, line: u32) -> Result<Option<vigie_core::respond::Suspect>, String> {
    let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n";
    let config = Config::parse(&at.join("vigie.toml"), text).unwrap();
    let mounts = [(at.display().to_string(), String::from("/server/garrysmod/addons/x"))];
    let error = LuaFinding {
        file: String::from("addons/x/lua/a.lua"),
        line,
        message: String::from("attempt"),
    };
    blame::suspect(&mounts, &error, &Redactor::of(&config)).await
}

#[tokio::test]
async fn a_commit_is_taken_back_and_that_is_taken_back() {
    let (directory, commit) = repository();
    let at = directory.path();
    revert(at, &commit, false).await.unwrap();
    assert_eq!(read(at), "one\ntwo\nthree\n");
    // It is not done twice.
    let again = revert(at, &commit, false).await.unwrap_err();
    assert!(again.contains("already"), "{again}");
    unrevert(at, &commit, false).await.unwrap();
    assert_eq!(read(at), "one\nTWO\nthree\n");
    // Nothing is left to take back.
    unrevert(at, &commit, false).await.unwrap();
    assert_eq!(run(at, &["rev-list", "--count", "HEAD"]), "4");
    // And again: what was taken back and brought back may be taken back.
    revert(at, &commit, false).await.unwrap();
    assert_eq!(read(at), "one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_conflict_leaves_everything_as_it_was() {
    let (directory, commit) = repository();
    let at = directory.path();
    later(at, "one\nTwo!\nthree\n");
    let head = run(at, &["rev-parse", "HEAD"]);
    let why = revert(at, &commit, false).await.unwrap_err();
    assert_eq!(
        why,
        "it conflicts with what came later in lua/a.lua and its repository is as it was"
    );
    assert_eq!(run(at, &["rev-parse", "HEAD"]), head);
    assert_eq!(run(at, &["status", "--porcelain"]), "");
    assert_eq!(read(at), "one\nTwo!\nthree\n");
}

#[tokio::test]
async fn what_was_broken_off_in_the_middle_is_cleaned_up() {
    let (directory, commit) = repository();
    let at = directory.path();
    later(at, "one\nTwo!\nthree\n");
    // Vigie was ended while git stood in the conflict.
    let begun = ask(at, &["revert", "--no-edit", &commit]).await.unwrap();
    assert!(!begun.status.success());
    assert_eq!(blame::under_way(at).await.as_deref(), Some("revert"));
    unrevert(at, &commit, false).await.unwrap();
    assert_eq!(run(at, &["status", "--porcelain"]), "");
    assert_eq!(read(at), "one\nTwo!\nthree\n");
}

#[tokio::test]
async fn work_that_is_not_committed_is_not_touched() {
    let (directory, commit) = repository();
    let at = directory.path();
    write(at, "mine\n");
    let why = revert(at, &commit, false).await.unwrap_err();
    assert!(why.contains("a file of its repository is not committed"), "{why}");
    assert_eq!(read(at), "mine\n");
}

#[tokio::test]
async fn a_revert_is_pushed_where_that_is_asked_for_and_stays_where_it_fails() {
    let (directory, commit) = repository();
    let at = directory.path();
    let remote = tempfile::tempdir().unwrap();
    run(remote.path(), &["init", "-q", "--bare", "-b", "main"]);
    run(at, &["remote", "add", "origin", &remote.path().display().to_string()]);
    run(at, &["push", "-q", "-u", "origin", "main"]);
    revert(at, &commit, true).await.unwrap();
    let head = run(at, &["rev-parse", "HEAD"]);
    assert_eq!(run(remote.path(), &["rev-parse", "main"]), head);
    // A remote that is gone takes nothing of it back.
    drop(remote);
    unrevert(at, &commit, true).await.unwrap();
    assert_eq!(read(at), "one\nTWO\nthree\n");
}

#[tokio::test]
async fn an_error_is_blamed_on_who_wrote_its_line() {
    let (directory, commit) = repository();
    let at = directory.path();
    later(at, "one\nTWO\nthree\nfour\n");
    let found = suspect(at, 2).await.unwrap().unwrap();
    assert_eq!((found.commit.as_str(), found.obstacle), (commit.as_str(), None));
    assert_eq!(found.file, "lua/a.lua");
    assert!(found.subject.ends_with("anna: louder"), "{}", found.subject);
    assert_eq!(found.log.len(), 3);
    assert!(found.diff.contains(&String::from("+TWO")), "{:?}", found.diff);
    // A line that nobody wrote: who touched the file last.
    let found = suspect(at, 99).await.unwrap().unwrap();
    assert!(found.subject.ends_with("anna: later"), "{}", found.subject);
}

#[tokio::test]
async fn what_stands_in_the_way_is_said() {
    let (directory, _) = repository();
    let at = directory.path();
    write(at, "one\nTWO\nthree\nmine\n");
    let found = suspect(at, 4).await.unwrap().unwrap();
    let why = found.obstacle.unwrap();
    assert_eq!(why, "a file of its repository is not committed");
    run(at, &["checkout", "-q", "lua/a.lua"]);
    run(at, &["checkout", "-q", "--detach"]);
    let found = suspect(at, 2).await.unwrap().unwrap();
    assert!(found.obstacle.unwrap().contains("no branch"));
    // A file that is in the repository's directory, and not in the repository.
    std::fs::remove_dir_all(at.join(".git")).unwrap();
    assert_eq!(suspect(at, 2).await.unwrap(), None);
    run(at, &["init", "-q", "-b", "main"]);
    std::fs::write(at.join("other"), "").unwrap();
    run(at, &["add", "other"]);
    run(at, &["commit", "-q", "-m", "other"]);
    let why = suspect(at, 2).await.unwrap_err();
    assert_eq!(why, "lua/a.lua is in a repository, but not committed");
}

#[tokio::test]
async fn an_old_commit_is_shown_and_not_offered() {
    let (directory, _) = repository();
    let at = directory.path();
    let old = "2020-01-01T00:00:00Z";
    #[expect(clippy::disallowed_methods, reason = "a test sets its repository up with git itself")]
    let status = Command::new("git")
        .current_dir(at)
        .env("GIT_COMMITTER_DATE", old)
        .args(["-c", "user.name=anna", "-c", "user.email=a@localhost"])
        .args(["commit", "-q", "--amend", "--no-edit", "--date", old])
        .status()
        .unwrap();
    assert!(status.success());
    let found = suspect(at, 2).await.unwrap().unwrap();
    let why = found.obstacle.unwrap();
    assert!(why.ends_with("only what is younger than 24 h is taken back"), "{why}");
}
