//! Calls apt: to install packages without starting their services, and to learn which mirror this
//! machine uses. It adds no source to the machine.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::run;

/// Debian asks this file before a package may start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages, refreshing apt's lists first when it does not know them.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let known = run::text(Command::new("apt-cache").arg("policy").args(packages))?;
    let candidates = known.lines().filter(|l| l.trim_start().starts_with("Candidate:"));
    if candidates.filter(|l| !l.contains("(none)")).count() < packages.len() {
        update();
    }
    let _quiet = NoServices::new()?;
    let install = || {
        run::streamed(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
    };
    // Lists that are too old name files that the mirror no longer has.
    install().or_else(|_| {
        update();
        install()
    })
}

/// A broken extra source of the machine must not stop us: the installation tells what is missing.
fn update() {
    if let Err(error) = run::streamed(apt_get().arg("update")) {
        println!("   apt-get update: {error:#}; going on");
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
    command
}

/// The mirror that this machine gets its Debian release from, and the release's name.
pub(super) fn mirror() -> Result<(String, String)> {
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    let mut command = Command::new("apt-get");
    let text =
        run::text(command.args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    let release = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let release = release.lines().find_map(|l| l.strip_prefix("VERSION_CODENAME="));
    let release = release.context("/etc/os-release names no release")?.trim_matches('"');
    let Some(uri) = mirror_in(&text, release) else {
        bail!("apt has no source for {release} main; add it to /etc/apt/sources.list.d");
    };
    Ok((uri, release.to_owned()))
}

fn mirror_in(targets: &str, release: &str) -> Option<String> {
    let wanted = |line: &&str| line.split(' ').skip(1).eq([release, "main"]);
    Some(targets.lines().find(wanted)?.split(' ').next()?.trim_end_matches('/').to_owned())
}

/// Downloads and unpacks packages of another release into `dir`, with lists of their own: the
/// machine's sources stay as they are. Returns the directories, in the order of `packages`.
pub(super) fn unpack(release: &str, packages: &[&str], dir: &Path) -> Result<()> {
    let (mirror, _) = mirror()?;
    let lists = dir.join("lists");
    for path in [&lists.join("partial"), &dir.join("debs")] {
        fs::create_dir_all(path).with_context(|| format!("cannot make {path:?}"))?;
    }
    let source = dir.join("side.list");
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let line = format!("deb [signed-by={key}] {mirror} {release} main\n");
    fs::write(&source, line).with_context(|| format!("cannot write {source:?}"))?;
    let side = || {
        let mut command = apt_get();
        for (key, value) in [
            ("Dir::Etc::sourcelist", source.as_path()),
            ("Dir::Etc::sourceparts", Path::new("-")),
            ("Dir::State::Lists", lists.as_path()),
            ("Dir::Cache::pkgcache", Path::new("")),
            ("Dir::Cache::srcpkgcache", Path::new("")),
            ("APT::Sandbox::User", Path::new("root")),
            ("Acquire::Languages", Path::new("none")),
        ] {
            command.arg("-o").arg(format!("{key}={}", value.display()));
        }
        command.current_dir(dir.join("debs"));
        command
    };
    run::streamed(side().arg("update"))?;
    run::streamed(side().arg("download").args(packages))?;
    for package in packages {
        let deb = downloaded(&dir.join("debs"), package)?;
        run::quiet(Command::new("dpkg").arg("-x").arg(&deb).arg(dir.join(package)))?;
    }
    for path in [lists, dir.join("debs")] {
        fs::remove_dir_all(&path).with_context(|| format!("cannot remove {path:?}"))?;
    }
    Ok(())
}

fn downloaded(dir: &Path, package: &str) -> Result<std::path::PathBuf> {
    let prefix = format!("{package}_");
    let files = fs::read_dir(dir).with_context(|| format!("cannot list {dir:?}"))?;
    let mut files = files.filter_map(|entry| Some(entry.ok()?.path()));
    let found = files.find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    });
    found.with_context(|| format!("apt-get download left no {package} in {dir:?}"))
}

/// While it lives, packages that are installed start no service. A policy that the machine already
/// has is left in place.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn new() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")
                .and_then(|()| fs::set_permissions(POLICY, Permissions::from_mode(0o755)))
                .with_context(|| format!("cannot write {POLICY}"))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_of_the_release_itself() {
        let targets = "http://sec.example/debian-security/ bookworm-security main\n\
            http://mirror.example/debian/ bookworm contrib\n\
            http://mirror.example/debian/ bookworm main\n";
        assert_eq!(mirror_in(targets, "bookworm").unwrap(), "http://mirror.example/debian");
        assert_eq!(mirror_in(targets, "trixie"), None);
    }
}
