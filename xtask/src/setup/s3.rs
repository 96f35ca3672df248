//! A small server that speaks S3 over a directory. It is built once and kept in the cache, because it is
//! a program of its own that shares nothing with this workspace.

use anyhow::{Result, bail};
use vigie_testkit::lab::{Facts, run};

use super::cache;
use crate::place::Place;

/// The newest one that our compiler builds.
const VERSION: &str = "0.14.1";

/// Builds it and notes where it is.
pub(super) fn build(place: &Place, facts: &mut Facts) -> Result<String> {
    let dir = cache(place, "s3s-fs")?;
    let program = dir.join("bin/s3s-fs");
    let mut note = "cached";
    if !program.is_file() {
        let mut cargo = place.cargo();
        cargo.args(["install", "s3s-fs", "--version", VERSION, "--features", "binary", "--locked"]);
        // Not in the workspace's target directory: whoever wipes that keeps this.
        cargo.arg("--root").arg(&dir).current_dir(&dir).env_remove("CARGO_TARGET_DIR");
        run::streamed(&mut cargo)?;
        note = "built";
    }
    if !program.is_file() {
        bail!("cargo installed no s3s-fs");
    }
    facts.s3s_fs = Some(program);
    Ok(note.to_owned())
}
