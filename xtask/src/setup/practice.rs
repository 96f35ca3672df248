//! Builds the practice game server as one static program, which needs no base image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Facts, run};

use super::cache;
use crate::place::{Place, program};

const NAME: &str = "vigie-practice";

/// Builds it and notes where it is.
pub(super) fn build(place: &Place, facts: &mut Facts) -> Result<String> {
    let triple = host_triple()?;
    let mut cargo = place.cargo();
    cargo.args(["build", "--release", "--package", NAME, "--bins", "--target", &triple]);
    // With --target, this reaches neither build scripts nor proc macros.
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run::streamed(&mut cargo)?;
    let built = place.target().join(&triple).join("release").join(NAME);
    if !built.is_file() {
        bail!("cargo built no {NAME}");
    }
    facts.practice_bin = Some(keep(place, &built)?);
    Ok(String::new())
}

/// A copy in the cache: `lab env` names it, and a target directory may be wiped at any time.
fn keep(place: &Place, built: &Path) -> Result<PathBuf> {
    let dir = cache(place, "bin")?;
    let (kept, part) = (dir.join(NAME), dir.join(format!("{NAME}.{}", std::process::id())));
    // A rename, since the old one may be running.
    fs::copy(built, &part)
        .and_then(|_| fs::rename(&part, &kept))
        .with_context(|| format!("cannot write {kept:?}"))?;
    Ok(kept)
}

fn host_triple() -> Result<String> {
    let rustc = program(&["rustc"]).context("rustc is not in PATH")?;
    let text = run::text(Command::new(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}
