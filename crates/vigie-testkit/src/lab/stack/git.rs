//! Gives a project a short git history, so that "what changed last" has an answer.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::lab::run;

/// Makes `dir` a repository with two commits; does nothing when it already is one.
pub(super) fn init(dir: &Path) -> Result<()> {
    if dir.join(".git").exists() {
        return Ok(());
    }
    git(dir, &["init", "--quiet", "--initial-branch=main"])?;
    git(dir, &["add", "docker-compose.yml", ".gitignore", "server-config", "mysql-init"])?;
    commit(dir, "Start the stack")?;
    git(dir, &["add", "addons", "gamemodes"])?;
    commit(dir, "Add the construction addon")
}

fn commit(dir: &Path, message: &str) -> Result<()> {
    git(dir, &["commit", "--quiet", "--no-verify", "--message", message])
}

fn git(dir: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new("git");
    command.current_dir(dir).args([
        "-c",
        "user.name=Operator",
        "-c",
        "user.email=operator@localhost",
    ]);
    command.args(["-c", "commit.gpgsign=false"]).args(args);
    run::quiet(&mut command).context("the project's git history; is git installed?")
}
