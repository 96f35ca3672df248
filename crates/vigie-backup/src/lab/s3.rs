//! Does, in tests: an S3 server over a directory.

use std::process::Command;

use super::Place;
use super::running::{Running, port};
use crate::site::{S3, Secret, Site};

/// A bucket.
pub(crate) fn start(what: &str) -> Option<Place> {
    let program = vigie_testkit::lab::facts_or_skip("s3s-fs", what, |facts| facts.s3s_fs)?;
    let kept = tempfile::tempdir().unwrap();
    let files = kept.path().join("bucket/some/prefix");
    std::fs::create_dir_all(kept.path().join("bucket")).unwrap();
    let port = port();
    let (access_key, secret_key) = ("AKEXAMPLE", "a secret of s3");
    let mut command = Command::new(program);
    command.args(["--access-key", access_key, "--secret-key", secret_key, "--host", "127.0.0.1"]);
    command.args(["--port", &port.to_string()]).arg(kept.path());
    let server = Running::start(&mut command, port);
    let site = Site::S3(S3 {
        bucket: "bucket".into(),
        endpoint: format!("http://127.0.0.1:{port}"),
        region: "us-east-1".into(),
        prefix: "some/prefix".into(),
        access_key: access_key.into(),
        secret_key: Secret::new(secret_key),
    });
    Some(Place { kind: "s3", site, files, server: Some(server), _kept: kept })
}
