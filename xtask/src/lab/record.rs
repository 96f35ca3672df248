//! Remembers which stacks are up: one small file each in the cache, named after its offset, since
//! two stacks with one offset would have the same names and ports.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use vigie_testkit::lab::{Compose, ComposeVersion, Docker, Facts};

use crate::place::Place;
use crate::setup;

/// A stack that was started and not taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) offset: u16,
    pub(super) dir: PathBuf,
    pub(super) compose: ComposeVersion,
    pub(super) host: String,
    pub(super) docker_cli: PathBuf,
    pub(super) docker_config: Option<PathBuf>,
    pub(super) compose_v1: Option<PathBuf>,
}

impl Record {
    pub(super) fn docker(&self) -> Docker {
        Docker::new(&self.docker_cli, &self.host).with_config(self.docker_config.clone())
    }

    pub(super) fn compose(&self) -> Result<Compose> {
        compose_of(&self.docker(), self.compose, self.compose_v1.as_deref())
    }

    pub(super) fn save(&self, place: &Place) -> Result<()> {
        let dir = place.cache.join("stacks");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
        let path = dir.join(self.offset.to_string());
        fs::write(&path, self.text()).with_context(|| format!("cannot write {path:?}"))
    }

    pub(super) fn remove(&self, place: &Place) -> Result<()> {
        let path = place.cache.join("stacks").join(self.offset.to_string());
        fs::remove_file(&path).with_context(|| format!("cannot remove {path:?}"))
    }

    fn text(&self) -> String {
        let path = |p: &Option<PathBuf>| p.as_ref().map_or(String::new(), |p| show(p));
        [
            format!("dir={}", show(&self.dir)),
            format!("compose={}", self.compose),
            format!("host={}", self.host),
            format!("docker_cli={}", show(&self.docker_cli)),
            format!("docker_config={}", path(&self.docker_config)),
            format!("compose_v1={}\n", path(&self.compose_v1)),
        ]
        .join("\n")
    }

    fn parse(offset: u16, text: &str) -> Option<Self> {
        let get = |key: &str| {
            let value = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='))?;
            Some(value).filter(|value| !value.is_empty())
        };
        Some(Self {
            offset,
            dir: get("dir")?.into(),
            compose: if get("compose")? == "v1" { ComposeVersion::V1 } else { ComposeVersion::V2 },
            host: get("host")?.to_owned(),
            docker_cli: get("docker_cli")?.into(),
            docker_config: get("docker_config").map(PathBuf::from),
            compose_v1: get("compose_v1").map(PathBuf::from),
        })
    }
}

/// A Compose of that generation.
pub(super) fn compose_of(
    docker: &Docker,
    version: ComposeVersion,
    v1: Option<&Path>,
) -> Result<Compose> {
    Ok(match version {
        ComposeVersion::V2 => Compose::v2(docker),
        ComposeVersion::V1 => Compose::v1(docker, v1.context("docker-compose is not installed")?),
    })
}

/// All stacks, by offset.
pub(super) fn all(place: &Place) -> Vec<Record> {
    let files = fs::read_dir(place.cache.join("stacks")).into_iter().flatten();
    let mut records: Vec<Record> = files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let offset = path.file_name()?.to_str()?.parse().ok()?;
            Record::parse(offset, &fs::read_to_string(&path).ok()?)
        })
        .collect();
    records.sort_by_key(|record| record.offset);
    records
}

/// Prints the stacks that are up and how their containers are.
pub(crate) fn list(place: &Place) -> Result<bool> {
    let records = all(place);
    if records.is_empty() {
        println!("no stack is up; `cargo xtask lab up DIR` starts one");
    }
    for record in &records {
        println!(
            "offset {}  compose {}  {}  {}",
            record.offset,
            record.compose,
            record.host,
            record.dir.display()
        );
        let args = ["ps", "-a"];
        match record.compose().and_then(|compose| compose.text(&record.dir, args)) {
            Ok(text) => println!("{text}"),
            Err(error) => println!("  {error:#}"),
        }
    }
    Ok(true)
}

/// Stops the engine that `lab up` started when no stack is left on it.
pub(super) fn stop_engine_after_last(place: &Place, host: &str, facts: &Facts) -> Result<()> {
    if all(place).iter().any(|record| record.host == host) {
        return Ok(());
    }
    if let Some(pid) = setup::stop_machine_engine(place, facts)? {
        println!("stopped the engine that `lab up` had started (pid {pid})");
    }
    Ok(())
}

fn show(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { root: dir.path().into(), cache: dir.path().into() };
        let record = Record {
            offset: 7,
            dir: "/srv/lab".into(),
            compose: ComposeVersion::V1,
            host: "unix:///run/x.sock".into(),
            docker_cli: "/usr/bin/docker".into(),
            docker_config: None,
            compose_v1: Some("/usr/bin/docker-compose".into()),
        };
        record.save(&place).unwrap();
        assert_eq!(all(&place), std::slice::from_ref(&record));
        record.remove(&place).unwrap();
        assert!(all(&place).is_empty());
    }
}
