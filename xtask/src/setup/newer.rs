//! A newer engine and the Compose plugin, from the next Debian release, unpacked beside the system:
//! vigie has to work with both generations.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::Facts;

use super::{apt, cache};
use crate::place::{Place, is_root, program};

/// The release that has them.
const RELEASE: &str = "trixie";

/// `docker.io` is the engine alone there; its client is not needed.
const PACKAGES: [&str; 2] = ["docker-compose", "docker.io"];

/// A newer restic, which has to read what we keep as the machine's own does.
const RESTIC: &str = "restic";

/// Downloads what the cache does not have yet.
pub(super) fn fetch(place: &Place, facts: &mut Facts) -> Result<String> {
    let dir = place.cache.join(RELEASE);
    let mut note = "cached";
    if plugin_in(&dir).is_none() || !engine_in(&dir).is_file() {
        if program(&["apt-get"]).is_none() || !is_root() {
            bail!("needs root on Debian to download the compose plugin and a newer engine");
        }
        let dir = cache(place, RELEASE)?;
        apt::unpack(RELEASE, &PACKAGES, &dir)?;
        note = "downloaded";
    }
    let plugin = plugin_in(&dir).with_context(|| format!("no compose plugin under {dir:?}"))?;
    facts.docker_config = Some(plugin_config(place, &plugin)?);
    facts.dockerd_new = Some(engine_in(&dir)).filter(|path| path.is_file());
    Ok(note.to_owned())
}

/// Downloads restic alone: a cache of before may have the rest already.
pub(super) fn restic(place: &Place, facts: &mut Facts) -> Result<String> {
    let dir = place.cache.join(format!("{RELEASE}-{RESTIC}"));
    let found = dir.join("restic/usr/bin/restic");
    let mut note = "cached";
    if !found.is_file() {
        if program(&["apt-get"]).is_none() || !is_root() {
            bail!("needs root on Debian to download a newer restic");
        }
        let dir = cache(place, &format!("{RELEASE}-{RESTIC}"))?;
        apt::unpack(RELEASE, &[RESTIC], &dir)?;
        note = "downloaded";
    }
    facts.restic_new = Some(found).filter(|path| path.is_file());
    Ok(note.to_owned())
}

fn engine_in(dir: &Path) -> PathBuf {
    dir.join("docker.io/usr/sbin/dockerd")
}

fn plugin_in(dir: &Path) -> Option<PathBuf> {
    let usr = dir.join("docker-compose/usr");
    let places = ["libexec/docker/cli-plugins", "lib/docker/cli-plugins", "bin"];
    places.iter().map(|place| usr.join(place).join("docker-compose")).find(|path| path.is_file())
}

/// A client configuration directory with nothing but the plugin in it.
fn plugin_config(place: &Place, plugin: &Path) -> Result<PathBuf> {
    let config = cache(place, "docker-config")?;
    let plugins = cache(place, "docker-config/cli-plugins")?;
    let link = plugins.join("docker-compose");
    if fs::read_link(&link).ok().as_deref() != Some(plugin) {
        let _ = fs::remove_file(&link);
        symlink(plugin, &link).with_context(|| format!("cannot make {link:?}"))?;
    }
    Ok(config)
}
