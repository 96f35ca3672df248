//! Decides what a scratch project has mounted in place of what the living one has: copies in its own
//! directory, volumes of its own. No path of the living stack is left, but the time zone's.

use std::path::{Component, Path, PathBuf};

use super::tree::Tree;

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The living project's directory.
    pub living: PathBuf,
    /// The project's files that came back.
    pub copy: PathBuf,
    /// Below it, by their whole paths, what came back from elsewhere on the host.
    pub outside: PathBuf,
}

/// A path of the host that is mounted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bind {
    /// By which service; none for a secret or a configuration, which several may have.
    pub service: Option<String>,
    /// Where the living stack has it.
    pub was: PathBuf,
    /// Where the scratch one has it.
    pub now: PathBuf,
}

/// What every host has, what no backup keeps, and what nothing can be done to that is mounted read-only.
const TIME: [&str; 3] = ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"];

impl Places {
    /// Where the copy of `path` is, and where the living stack has it.
    #[must_use]
    pub fn copied(&self, path: &Path) -> (PathBuf, PathBuf) {
        let path = normal(path);
        // The copy may be inside of the living project, so it is asked for first.
        let inside = path.strip_prefix(&self.copy).or_else(|_| path.strip_prefix(&self.living));
        match inside {
            Ok(inside) => (self.living.join(inside), self.copy.join(inside)),
            Err(_) => {
                let below = path.strip_prefix("/").unwrap_or(&path);
                (path.clone(), self.outside.join(below))
            }
        }
    }
}

/// Without `.` and `..`, and never above the root.
fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    clean
}

fn is_time(path: &str) -> bool {
    TIME.iter().any(|known| normal(Path::new(path)).starts_with(known))
}

/// A path as it is meant, and as Compose reads it: with a dollar sign twice.
pub(super) fn meant(text: &str) -> String {
    text.replace("$$", "$")
}

fn written(path: &Path) -> String {
    path.to_string_lossy().replace('$', "$$")
}

/// Exchanges what `service` has mounted, and says which paths of the host it has now.
pub(super) fn rebase(name: &str, service: &mut Tree, places: &Places, binds: &mut Vec<Bind>) {
    let Some(volumes) = service.get_mut("volumes") else { return };
    for volume in volumes.items_mut() {
        if let Some(text) = volume.text().map(str::to_owned) {
            if let Some(text) = short(name, &text, places, binds) {
                *volume = Tree::Text(text);
            }
        } else {
            long(name, volume, places, binds);
        }
    }
}

/// `/srv/town/addons:/addons:ro`; nothing where it is no path of the host.
fn short(name: &str, text: &str, places: &Places, binds: &mut Vec<Bind>) -> Option<String> {
    let mut parts = text.split(':');
    let (source, target) = (parts.next()?, parts.next()?);
    if !source.starts_with('/') {
        return None;
    }
    let read_only = parts.next().is_some_and(|mode| mode.split(',').any(|one| one == "ro"));
    if is_time(&meant(source)) {
        return Some(format!("{source}:{target}:ro"));
    }
    let now = exchanged(Some(name), source, places, binds);
    // How mounts spread between the host and the container goes with the mode.
    Some(format!("{now}:{target}{}", if read_only { ":ro" } else { "" }))
}

fn long(name: &str, volume: &mut Tree, places: &Places, binds: &mut Vec<Bind>) {
    let part = |key: &str| volume.get(key).and_then(Tree::text).map(str::to_owned);
    if part("type").as_deref() != Some("bind") {
        return;
    }
    let Some(source) = part("source") else { return };
    volume.take("bind");
    if is_time(&meant(&source)) {
        volume.set("read_only", Tree::word(true));
        return;
    }
    let now = exchanged(Some(name), &source, places, binds);
    volume.set("source", Tree::Text(now));
}

/// Exchanges the file of a secret or of a configuration.
pub(super) fn granted(defined: &mut Tree, places: &Places, binds: &mut Vec<Bind>) {
    let Some(file) = defined.get("file").and_then(Tree::text).map(str::to_owned) else { return };
    let now = exchanged(None, &file, places, binds);
    defined.set("file", Tree::Text(now));
}

fn exchanged(
    service: Option<&str>,
    source: &str,
    places: &Places,
    binds: &mut Vec<Bind>,
) -> String {
    let (was, now) = places.copied(Path::new(&meant(source)));
    let text = written(&now);
    binds.push(Bind { service: service.map(str::to_owned), was, now });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_below_the_copy_whatever_is_asked_for() {
        let places = Places {
            living: "/srv/town".into(),
            copy: "/srv/town/.vigie/backup/.drill-x/town".into(),
            outside: "/srv/town/.vigie/backup/.drill-x/town/.outside".into(),
        };
        let copy = "/srv/town/.vigie/backup/.drill-x/town";
        for (path, was, below) in [
            ("/srv/town/addons", "/srv/town/addons", "addons"),
            ("/srv/town/.vigie/backup/.drill-x/town/addons", "/srv/town/addons", "addons"),
            ("/srv/town/../maps", "/srv/maps", ".outside/srv/maps"),
            ("/srv/town2", "/srv/town2", ".outside/srv/town2"),
            ("/srv/town", "/srv/town", ""),
            ("/", "/", ".outside/"),
            ("/../../etc/passwd", "/etc/passwd", ".outside/etc/passwd"),
            ("/var/run/docker.sock", "/var/run/docker.sock", ".outside/var/run/docker.sock"),
        ] {
            let found = places.copied(Path::new(path));
            assert_eq!(found, (PathBuf::from(was), Path::new(copy).join(below)), "{path}");
            assert!(found.1.starts_with(copy), "{path}");
        }
        assert!(is_time("/etc/localtime") && is_time("/usr/share/zoneinfo/Europe/Paris"));
        assert!(!is_time("/etc/localtime/../shadow") && !is_time("/etc"));
    }
}
