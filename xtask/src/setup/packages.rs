//! Packages of the machine's own release that the lab is made of.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use vigie_testkit::lab::{Facts, run};

use super::apt;
use crate::place::{is_root, program};

/// Each package with a file that shows it is there.
const PACKAGES: [(&str, &str); 12] = [
    ("docker.io", "/usr/sbin/dockerd"),
    ("iptables", "/usr/sbin/iptables"),
    ("docker-compose", "/usr/bin/docker-compose"),
    ("mariadb-server", "/usr/sbin/mariadbd"),
    ("debootstrap", "/usr/sbin/debootstrap"),
    ("docker-registry", "/usr/bin/docker-registry"),
    ("git", "/usr/bin/git"),
    ("openssh-server", "/usr/sbin/sshd"),
    ("rclone", "/usr/bin/rclone"),
    ("restic", "/usr/bin/restic"),
    ("faketime", "/usr/bin/faketime"),
    // Only for `systemd-analyze`: nothing of it is started.
    ("systemd", "/usr/bin/systemd-analyze"),
];

/// Services which must not come up by themselves at the next boot, when we installed them.
const SERVICES: [&str; 5] = [
    "docker.service",
    "docker.socket",
    "docker-registry.service",
    "mariadb.service",
    "ssh.service",
];

/// Installs what is missing and notes where the programs are.
pub(super) fn install(facts: &mut Facts) -> Result<String> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, proof)| program(&[proof, base_name(proof)]).is_none())
        .map(|(package, _)| *package)
        .collect();
    let result = if missing.is_empty() { Ok(()) } else { install_missing(&missing) };
    facts.docker_cli = program(&["/usr/bin/docker", "docker"]);
    facts.dockerd = program(&["/usr/sbin/dockerd", "dockerd"]);
    facts.compose_v1 = program(&["/usr/bin/docker-compose", "docker-compose"]);
    facts.mariadbd = program(&["/usr/sbin/mariadbd", "mariadbd"]);
    result?;
    Ok(if missing.is_empty() { "all there".into() } else { missing.join(" ") })
}

fn install_missing(missing: &[&str]) -> Result<()> {
    let names = missing.join(" ");
    if program(&["apt-get"]).is_none() {
        bail!("{names} not found, and this is no Debian; install them by hand");
    }
    if !is_root() {
        bail!("{names} not found; run as root, or `sudo apt-get install {names}`");
    }
    apt::install(missing)?;
    if Path::new("/run/systemd/system").exists() {
        let _ =
            run::succeeds(Command::new("systemctl").args(["disable", "--quiet"]).args(SERVICES));
    }
    Ok(())
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
