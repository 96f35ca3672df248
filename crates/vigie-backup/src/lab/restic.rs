//! Does, in tests: asks restic itself, of the machine's release and of the next one, what it thinks of
//! a repository.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program;

/// The restics that are here, oldest first; those that are missing skip the test loudly.
pub(crate) fn every(what: &str) -> Vec<PathBuf> {
    let newer = vigie_testkit::lab::facts_or_skip("restic 0.18", what, |facts| facts.restic_new);
    program("restic", what).into_iter().chain(newer).collect()
}

fn restic(program: &Path, repository: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.arg("--repo").arg(repository).arg("--no-cache").args(arguments);
    command.env("RESTIC_PASSWORD", "a password");
    vigie_testkit::lab::run::text(&mut command).unwrap()
}

/// Every restic finds nothing wrong with it.
pub(crate) fn agrees(repository: &Path, what: &str) {
    for program in every(what) {
        let said = restic(&program, repository, &["check", "--read-data"]);
        assert!(said.contains("no errors were found"), "{program:?}: {said}");
    }
}

/// Every restic restores a snapshot; `look` is given the directory that was kept.
pub(crate) fn restores(repository: &Path, id: &str, what: &str, look: impl Fn(&Path)) {
    for program in every(what) {
        let target = tempfile::tempdir().unwrap();
        let at = target.path().to_str().unwrap();
        restic(&program, repository, &["restore", id, "--target", at]);
        look(&target.path().join("data"));
    }
}

/// Takes restic's lock as its own prune would; a lock of ours refuses it.
pub(crate) fn prunes(program: &Path, repository: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("--repo").arg(repository).args(["--no-cache", "prune"]);
    command.env("RESTIC_PASSWORD", "a password");
    vigie_testkit::lab::run::text(&mut command).map_err(|error| format!("{error:#}"))
}

/// A restic that backs up its input, which does not end yet.
pub(crate) struct Writing(Child);

impl Writing {
    /// Starts it.
    pub(crate) fn start(program: &Path, repository: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg("--repo").arg(repository).args(["--no-cache", "backup", "--stdin"]);
        command.env("RESTIC_PASSWORD", "a password").stdin(Stdio::piped());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn goes_on(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Ends its input, and waits for it.
    pub(crate) fn ends(mut self) {
        use std::io::Write as _;
        let mut input = self.0.stdin.take().unwrap();
        input.write_all(b"all of it").unwrap();
        drop(input);
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps a directory, and says how many pieces of files were not there yet.
pub(crate) fn lacks(program: &Path, repository: &Path, tree: &Path) -> u64 {
    let said = restic(program, repository, &["backup", "--json", tree.to_str().unwrap()]);
    let last = said.lines().last().unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(last).unwrap();
    summary["data_blobs"].as_u64().unwrap()
}
