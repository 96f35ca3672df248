//! What has to be so after every kill.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use vigie_backup::Repository;
use vigie_testkit::lab::{facts_or_skip, run};

use super::PASSWORD;

/// Files of a version.
const FILES: u64 = 12;

/// Bytes of a version's file: as good as random, and told by its version and number.
fn content(version: u64, number: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (version << 20) ^ (number + 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..20_000 + number * 977).map(|_| next()).collect()
}

/// Writes a version over what is in `at`.
pub(super) fn write(at: &Path, version: u64) {
    for number in 0..FILES {
        std::fs::write(at.join(format!("f{number}")), content(version, number)).unwrap();
    }
    std::fs::write(at.join("version"), version.to_string()).unwrap();
}

/// The version that is in `at`, when all of it is there.
pub(super) fn whole(at: &Path) -> Option<u64> {
    let version = std::fs::read_to_string(at.join("version")).ok()?.parse().ok()?;
    let is_there = |number| {
        let found = std::fs::read(at.join(format!("f{number}")));
        found.is_ok_and(|bytes| bytes == content(version, number))
    };
    (0..FILES).all(is_there).then_some(version)
}

/// A backup: of what, and when it was begun.
type Kept = (String, i64);

/// One site as it is looked at, on another way than vigie's commands take.
struct Place {
    at: PathBuf,
    repository: Repository,
    kept: BTreeSet<Kept>,
}

impl Place {
    fn open(at: &Path) -> Self {
        let repository = Repository::open(at, PASSWORD).unwrap();
        Self { at: at.to_owned(), repository, kept: BTreeSet::new() }
    }

    /// The backups that count, with the snapshot of their data.
    fn list(&self) -> BTreeMap<Kept, String> {
        let (mut manifests, mut data) = (BTreeSet::new(), BTreeMap::new());
        for (id, label, tags) in self.repository.snapshots().unwrap() {
            let at = tags.iter().find_map(|tag| tag.strip_prefix("at-")?.parse().ok()).unwrap();
            if tags.iter().any(|tag| tag == "manifest") {
                manifests.insert((label, at));
            } else {
                data.insert((label, at), id);
            }
        }
        let with_data = |one: Kept| {
            let id = data.get(&one).unwrap_or_else(|| panic!("{one:?} counts and has no data"));
            (one.clone(), id.clone())
        };
        manifests.into_iter().map(with_data).collect()
    }

    fn looks(&mut self, pruned: bool) {
        let found = self.repository.verify(100).unwrap();
        assert!(found.is_sound(), "{}: {found}", self.at.display());
        let there = self.list();
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (label, at) in self.kept.iter().chain(there.keys()) {
            let known = newest.entry(label).or_insert(*at);
            *known = (*known).max(*at);
        }
        for one in &self.kept {
            // A prune takes all but the newest of an hour, which is the newest.
            let stays = !pruned || newest[one.0.as_str()] == one.1;
            assert!(!stays || there.contains_key(one), "{}: {one:?} was kept", self.at.display());
        }
        self.kept = there.keys().cloned().collect();
        let back = tempfile::tempdir().unwrap();
        let versions = there.iter().filter(|((label, _), _)| label.contains("addons"));
        if let Some((_, id)) = versions.max_by_key(|((_, at), _)| *at) {
            let to = back.path().join("back");
            self.repository.get_tree(id, &to).unwrap();
            assert!(whole(&to).is_some(), "{}: it does not come back", self.at.display());
        }
    }
}

/// Looks at two sites.
pub(super) struct Judge(Vec<Place>);

impl Judge {
    pub(super) fn new(near: &Path, far: &Path) -> Self {
        Self(vec![Place::open(near), Place::open(far)])
    }

    /// Takes what is there for what was reported as kept.
    pub(super) fn listen(&mut self) {
        for place in &mut self.0 {
            place.kept = place.list().into_keys().collect();
        }
    }

    /// Both are sound, nothing that was kept is lost, and it comes back.
    pub(super) fn looks(&mut self, pruned: bool) {
        self.0.iter_mut().for_each(|place| place.looks(pruned));
    }

    /// The version that the newest backup of `name` has at the first site, or at the second.
    pub(super) fn newest(&self, site: usize, name: &str) -> u64 {
        let place = &self.0[site];
        let list = place.list();
        let mine = list.iter().filter(|((label, _), _)| label == name);
        let (_, id) = mine.max_by_key(|((_, at), _)| *at).unwrap();
        let mut text = Vec::new();
        place.repository.get_file(id, "version", &mut text).unwrap();
        String::from_utf8(text).unwrap().parse().unwrap()
    }

    pub(super) fn has_no_locks(&self) {
        for place in &self.0 {
            let locks: Vec<_> = std::fs::read_dir(place.at.join("locks")).unwrap().collect();
            assert!(locks.is_empty(), "{}: {locks:?}", place.at.display());
        }
    }

    /// restic itself finds nothing wrong.
    pub(super) fn restic_agrees(&self) {
        let what = "repositories whose writers were killed";
        let Some(restic) = facts_or_skip("restic 0.18", what, |facts| facts.restic_new) else {
            return;
        };
        for place in &self.0 {
            let mut command = Command::new(&restic);
            command.arg("--repo").arg(&place.at).args(["--no-cache", "check", "--read-data"]);
            let said = run::text(command.env("RESTIC_PASSWORD", PASSWORD)).unwrap();
            assert!(said.contains("no errors were found"), "{said}");
        }
    }
}
