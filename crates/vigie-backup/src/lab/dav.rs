//! Does, in tests: rclone as a WebDAV server and as a server of restic's protocol.

use std::path::Path;
use std::process::Command;

use super::running::{Running, port};
use super::{Place, program};
use crate::site::{Rest, Secret, Site, WebDav};

const USER: &str = "me";
const PASSWORD: &str = "a secret of dav";

fn serve(what: &str, how: &[&str], files: &Path, port: u16) -> Option<Running> {
    std::fs::create_dir_all(files).unwrap();
    let mut command = Command::new(program("rclone", what)?);
    command.arg("serve").args(how).arg("--addr").arg(format!("127.0.0.1:{port}"));
    command.arg(files).env("RCLONE_USER", USER).env("RCLONE_PASS", PASSWORD);
    Some(Running::start(&mut command, port))
}

/// A WebDAV server.
pub(crate) fn webdav(what: &str) -> Option<Place> {
    let kept = tempfile::tempdir().unwrap();
    let port = port();
    // Its own cache would show a second connection what was there before.
    let how = ["webdav", "--dir-cache-time", "0s"];
    let server = serve(what, &how, kept.path(), port)?;
    let site = Site::WebDav(WebDav {
        endpoint: format!("http://127.0.0.1:{port}"),
        path: "some/path".into(),
        user: USER.into(),
        password: Secret::new(PASSWORD),
    });
    let files = kept.path().join("some/path");
    Some(Place { kind: "webdav", site, files, server: Some(server), _kept: kept })
}

/// A server of restic's protocol.
pub(crate) fn rest(what: &str) -> Option<Place> {
    rest_as(what, &["restic"])
}

/// A server of restic's protocol that removes and overwrites nothing but locks.
pub(crate) fn rest_append_only(what: &str) -> Option<Place> {
    rest_as(what, &["restic", "--append-only"])
}

fn rest_as(what: &str, how: &[&str]) -> Option<Place> {
    let kept = tempfile::tempdir().unwrap();
    let port = port();
    let files = kept.path().join("repo");
    let server = serve(what, how, &files, port)?;
    let site = Site::Rest(Rest {
        endpoint: format!("http://127.0.0.1:{port}"),
        user: USER.into(),
        password: Secret::new(PASSWORD),
    });
    Some(Place { kind: "rest", site, files, server: Some(server), _kept: kept })
}
