//! Does, in tests: starts a real server of each kind of site on a private port and directory, and stops
//! it. A part that is not installed skips the test with a line, and fails it in CI.

mod dav;
pub(crate) mod restic;
mod running;
mod s3;
mod ssh;

use std::path::{Path, PathBuf};

pub(crate) use running::Running;
pub(crate) use ssh::Sshd;

use crate::site::{Rclone, Site};

/// A site with what serves it.
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    pub(crate) site: Site,
    /// The directory where the server keeps the repository's files.
    pub(crate) files: PathBuf,
    pub(crate) server: Option<Running>,
    _kept: tempfile::TempDir,
}

/// The program of this name, or `None` after saying that the test is skipped.
pub(crate) fn program(name: &str, what: &str) -> Option<PathBuf> {
    let places = ["/usr/bin", "/usr/sbin", "/usr/local/bin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    if found.is_none() {
        vigie_testkit::lab::skip(name, what, "it is not installed");
    }
    found
}

/// A directory of this machine.
pub(crate) fn local() -> Place {
    let kept = tempfile::tempdir().unwrap();
    let files = kept.path().join("repo");
    Place { kind: "local", site: Site::Local(files.clone()), files, server: None, _kept: kept }
}

/// One place of every kind that can be had here; those that cannot are skipped loudly.
pub(crate) fn every(what: &str) -> Vec<Place> {
    let mut all = vec![local()];
    all.extend(s3::start(what));
    all.extend(ssh::start(what));
    all.extend(dav::webdav(what));
    all.extend(dav::rest(what));
    all.extend(remote(what));
    all
}

/// A remote of rclone's own: a directory, in a configuration that only this test has.
pub(crate) fn remote(what: &str) -> Option<Place> {
    program("rclone", what)?;
    let kept = tempfile::tempdir().unwrap();
    let files = kept.path().join("repo");
    let config = kept.path().join("rclone.conf");
    std::fs::write(&config, "[there]\ntype = local\n").unwrap();
    let remote = format!("there:{}", files.display());
    let site = Site::Rclone(Rclone { remote, config: Some(config) });
    Some(Place { kind: "rclone", site, files, server: None, _kept: kept })
}

pub(crate) use dav::{rest, rest_append_only, webdav};
pub(crate) use s3::start as s3;
pub(crate) use ssh::start as sftp;
