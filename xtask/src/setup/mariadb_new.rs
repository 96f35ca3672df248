//! The database of the next Debian release, unpacked beside the system with the libraries that it was
//! built for: vigie has to work with both generations.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Facts, run};

use super::{apt, cache};
use crate::place::{Place, is_root, program};

/// The release that has it.
const RELEASE: &str = "trixie";
/// Where it is kept below the cache.
const NAME: &str = "trixie-mariadb";

/// The database and every library that its programs load: those of this machine are older.
const PACKAGES: [&str; 27] = [
    "mariadb-server-core",
    "mariadb-client-core",
    "mariadb-client",
    "libaio1t64",
    "libbsd0",
    "libc6",
    "libcap2",
    "libcrypt1",
    "libedit2",
    "libgcc-s1",
    "libgcrypt20",
    "libgpg-error0",
    "liblz4-1",
    "liblzma5",
    "libmariadb3",
    "libmd0",
    "libncurses6",
    "libnuma1",
    "libpcre2-8-0",
    "libpcre2-posix3",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libtinfo6",
    "liburing2",
    "libzstd1",
    "zlib1g",
];

/// The programs that are used, with what they need besides the libraries: the server finds its messages
/// where it was built for, which is where this machine's older one has its own.
const PROGRAMS: [&str; 6] = [
    "sbin/mariadbd",
    "bin/mariadb",
    "bin/mariadb-binlog",
    "bin/mariadb-dump",
    "bin/my_print_defaults",
    "bin/resolveip",
];

/// Downloads what the cache does not have yet.
pub(super) fn fetch(place: &Place, facts: &mut Facts) -> Result<String> {
    let dir = place.cache.join(NAME);
    let bin = dir.join("bin");
    let mut note = "cached";
    // The link to the bin directory comes last: then all is whole.
    if !bin.join("mariadbd").exists() {
        if program(&["apt-get"]).is_none() || !is_root() {
            bail!("needs root on Debian to download a newer database");
        }
        let _ = fs::remove_dir_all(&dir);
        let dir = cache(place, NAME)?;
        apt::unpack(RELEASE, &PACKAGES, &dir)?;
        arrange(&dir)?;
        note = "downloaded";
    }
    facts.mariadb_new = Some(bin);
    Ok(note.to_owned())
}

/// One tree of all packages, in which each program runs with the libraries beside it.
fn arrange(dir: &Path) -> Result<()> {
    let root = dir.join("root");
    fs::create_dir_all(&root).with_context(|| format!("cannot make {root:?}"))?;
    for package in PACKAGES {
        let from = dir.join(package);
        run::quiet(Command::new("cp").arg("-a").arg(from.join(".")).arg(&root))?;
        fs::remove_dir_all(&from).with_context(|| format!("cannot remove {from:?}"))?;
    }
    let usr = root.join("usr");
    let libraries = libraries(&usr)?;
    let loader = fs::read_dir(&libraries)?.flatten().map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
    });
    let loader = loader.with_context(|| format!("no loader in {libraries:?}"))?;
    for name in PROGRAMS {
        let path = usr.join(name);
        let real = path.with_extension("elf");
        fs::rename(&path, &real).with_context(|| format!("cannot rename {path:?}"))?;
        let base = match name {
            "sbin/mariadbd" => format!(" --basedir='{}'", usr.display()),
            _ => String::new(),
        };
        let (loader, libraries, real) = (loader.display(), libraries.display(), real.display());
        let line = format!("exec '{loader}' --library-path '{libraries}' '{real}' \"$@\"{base}");
        script(&path, &line)?;
    }
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("cannot make {bin:?}"))?;
    let install = usr.join("bin/mariadb-install-db");
    let line = format!("exec '{}' \"$@\" --basedir='{}'", install.display(), usr.display());
    script(&bin.join("mariadb-install-db"), &line)?;
    for name in PROGRAMS.iter().rev() {
        let link = bin.join(name.rsplit('/').next().unwrap_or(name));
        symlink(usr.join(name), &link).with_context(|| format!("cannot make {link:?}"))?;
    }
    Ok(())
}

/// `usr/lib/x86_64-linux-gnu`, by whatever name this machine's kind has.
fn libraries(usr: &Path) -> Result<PathBuf> {
    let lib = usr.join("lib");
    let entries = fs::read_dir(&lib).with_context(|| format!("cannot list {lib:?}"))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let found = paths.find(|path| path.join("libc.so.6").exists());
    found.with_context(|| format!("no C library under {lib:?}"))
}

fn script(path: &Path, line: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\n{line}\n"))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
        .with_context(|| format!("cannot write {path:?}"))
}
