//! The database image: Debian's MariaDB in a minimal root file system, and an entry point that
//! behaves like the usual MySQL images.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Docker, Facts, run};

use super::images::{content_of, made_of, with_entrypoint};
use super::{apt, cache};
use crate::place::{Place, is_root};

/// With the tools of physical copies: one that was made without them has another name.
const BASE: &str = "vigie-lab/mariadb-base:10.11-tools";
const IMAGE: &str = "vigie-lab/mariadb:10.11";
const ENTRYPOINT: &str = include_str!("mariadb-entrypoint.sh");

/// Left out of the image: it is imported into every new engine, so it should be small.
const LEFT_OUT: [&str; 9] = [
    "./var/cache/*",
    "./var/lib/apt/lists/*",
    "./var/lib/mysql/*",
    "./var/log/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
    "./usr/share/info/*",
    "./usr/lib/x86_64-linux-gnu/perl/*",
];

/// Makes the image, from the cached root file system when there is one.
pub(super) fn image(place: &Place, docker: &Docker, facts: &mut Facts) -> Result<String> {
    let mut note = "in the engine".to_owned();
    if content_of(docker, IMAGE).as_deref() != Some(&made_of(BASE, ENTRYPOINT)) {
        note = "made from the cache".to_owned();
        if !docker.has_image(BASE) {
            let tar = place.cache.join("images/mariadb-10.11-tools.tar");
            if !tar.is_file() {
                root_file_system(place, &tar)?;
                note = "made from packages".to_owned();
            }
            let path = tar.to_string_lossy().into_owned();
            docker.text(["import", &path, BASE])?;
        }
        with_entrypoint(docker, BASE, IMAGE, ENTRYPOINT)?;
    }
    facts.mariadb_image = Some(IMAGE.to_owned());
    Ok(note)
}

fn root_file_system(place: &Place, tar: &Path) -> Result<()> {
    if !is_root() {
        bail!("only root can make the database image; run `cargo xtask test` as root once");
    }
    let (mirror, release) = apt::mirror()?;
    cache(place, "images")?;
    let dir = Scratch(place.cache.join("images/mariadb-root"));
    // What an interrupted run left is of no use.
    let _ = fs::remove_dir_all(&dir.0);
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "--include=mariadb-server,mariadb-backup", &release]);
    run::streamed(debootstrap.arg(&dir.0).arg(mirror))?;
    let part = tar.with_extension("part");
    let mut pack = Command::new("tar");
    pack.arg("--create").arg("--file").arg(&part).arg("--directory").arg(&dir.0);
    pack.args(LEFT_OUT.map(|path| format!("--exclude={path}"))).arg(".");
    run::quiet(&mut pack)?;
    // The last step makes it complete: a tar under its own name is whole.
    fs::rename(&part, tar).with_context(|| format!("cannot write {tar:?}"))
}

/// A directory that is removed whatever happens.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
