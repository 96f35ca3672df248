//! Where things are: the workspace, the directory that builds go to, and the lab's cache.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use vigie_testkit::lab::run;

/// The directories that tasks work with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
    /// What the lab keeps between runs: packages, images, engines.
    pub(crate) cache: PathBuf,
}

impl Place {
    /// Finds them for this process.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().context("xtask has no directory above it")?.to_owned();
        let cache = cache_dir(&root, |key| env::var_os(key).map(PathBuf::from));
        Ok(Self { root, cache })
    }

    /// A `cargo` command at the root.
    pub(crate) fn cargo(&self) -> Command {
        let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }
}

fn cache_dir(root: &Path, get: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let set = |key| get(key).filter(|path: &PathBuf| path.is_absolute());
    set("VIGIE_LAB_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("vigie-lab")))
        .or_else(|| Some(set("HOME")?.join(".cache/vigie-lab")))
        .unwrap_or_else(|| root.join("target/lab-cache"))
}

/// Whether this process is root, which packages and engines need.
pub(crate) fn is_root() -> bool {
    run::text(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0")
}

/// Whether this runs as CI, where nothing may be skipped.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|v| v == "true" || v == "1")
}

/// The first of these programs that is a file: a path is taken as it is, a name is looked up in
/// `PATH` and in the directories of system programs.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .collect();
    names.iter().find_map(|name| {
        let direct = PathBuf::from(name);
        if direct.is_absolute() {
            return direct.is_file().then_some(direct);
        }
        dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_user_says_else_where_caches_go() {
        let root = Path::new("/src");
        let home = |key: &str| (key == "HOME").then(|| PathBuf::from("/home/a"));
        assert_eq!(cache_dir(root, home), Path::new("/home/a/.cache/vigie-lab"));
        let own = |key: &str| (key == "VIGIE_LAB_CACHE").then(|| PathBuf::from("/c"));
        assert_eq!(cache_dir(root, own), Path::new("/c"));
        assert_eq!(cache_dir(root, |_| None), Path::new("/src/target/lab-cache"));
    }

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        assert!(program(&["no-such-program", "sh"]).is_some());
        assert_eq!(program(&["/no/such/program"]), None);
    }
}
