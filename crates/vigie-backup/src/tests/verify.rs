//! One flipped bit anywhere is found, named and healed.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::sites::noise;
use super::{told, volume};
use crate::lab::restic;
use crate::*;

const PASSWORD: &str = "a password";

/// Two repositories of the same data, and the data.
struct Pair {
    kept: tempfile::TempDir,
    first: Repository,
    second: Repository,
}

impl Pair {
    fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let first = Repository::create(&kept.path().join("first"), PASSWORD).unwrap();
        let at = kept.path().join("volume");
        std::fs::create_dir(&at).unwrap();
        volume(&at);
        std::fs::write(at.join("noise"), noise(300_000)).unwrap();
        first.put_tree("volume:gmod", "one", &at).unwrap();
        std::fs::write(at.join("garrysmod/more"), noise(100_000)).unwrap();
        first.put_tree("volume:gmod", "two", &at).unwrap();
        let dump = std::io::Cursor::new(noise(50_000));
        first.put_stream("database", "two", "dump.sql", dump, || Ok(())).unwrap();
        let site = Site::Local(kept.path().join("second"));
        let second = first.create_like(&site, &Access::default(), PASSWORD).unwrap();
        first.copy_to(&second).unwrap();
        first.keep_key(&kept.path().join("first.key"));
        second.keep_key(&kept.path().join("second.key"));
        Self { kept, first, second }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.kept.path().join(name)
    }

    /// Every file of a repository.
    fn files(&self, name: &str) -> Vec<PathBuf> {
        fn walk(at: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.at(name), &mut found);
        found.sort();
        found
    }

    /// Everything of the last snapshots comes back from a repository.
    fn comes_back(&self, repository: &Repository) {
        let all = repository.snapshots().unwrap();
        assert_eq!(all.len(), 3);
        let two = all.iter().find(|(_, label, tags)| label == "volume:gmod" && tags == &["two"]);
        let back = tempfile::tempdir().unwrap();
        repository.get_tree(&two.unwrap().0, &back.path().join("back")).unwrap();
        assert_eq!(told(&back.path().join("back")), told(&self.at("volume")));
        let (dump, _, _) = all.iter().find(|(_, label, _)| label == "database").unwrap();
        let mut bytes = Vec::new();
        repository.get_file(dump, "dump.sql", &mut bytes).unwrap();
        assert!(bytes == noise(50_000));
    }
}

fn flip(path: &Path, place: f64) {
    let mut bytes = std::fs::read(path).unwrap();
    let bit = (place * (8 * bytes.len()) as f64) as usize;
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(path, bytes).unwrap();
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// What a file of a repository is, from where it is.
fn part(path: &Path) -> Part {
    let text = path.to_str().unwrap();
    let has = |part: &str| text.contains(&format!("/{part}/"));
    match () {
        () if has("keys") => Part::Key,
        () if has("snapshots") => Part::Snapshot,
        () if has("index") => Part::Index,
        () if has("data") => Part::Pack,
        () => Part::Config,
    }
}

/// Breaks one file, and expects it to be found, named and healed.
fn broken(pair: &Pair, which: bool, path: &Path, how: impl FnOnce(&Path)) {
    let (site, sick, sound) = match which {
        true => ("first", &pair.first, &pair.second),
        false => ("second", &pair.second, &pair.first),
    };
    how(path);
    let found = sick.verify(100).unwrap();
    let wanted = Damaged { part: part(path), name: name(path), missing: !path.exists() };
    assert_eq!(found.damaged, [wanted], "{site} {path:?}: {found}");
    // Somebody who comes anew heals it as well.
    let sick = if part(path) == Part::Key {
        Repository::open(&pair.at(site), PASSWORD).unwrap()
    } else {
        Repository::open_with_key(&Site::Local(pair.at(site)), &pair.at(&format!("{site}.key")))
    };
    let done = sick.repair_from(sound, PASSWORD).unwrap();
    assert_eq!(done.before, Verified { ..found });
    assert!(done.after.is_sound(), "{path:?}: {}", done.after);
    assert!(sick.verify(100).unwrap().is_sound());
    sick.check().unwrap();
    pair.comes_back(&sick);
}

#[test]
fn every_kind_of_file_is_found_and_healed() {
    let pair = Pair::new();
    for which in [true, false] {
        let site = if which { "first" } else { "second" };
        // Each kind once; what is healed has new names.
        for kind in [Part::Config, Part::Key, Part::Snapshot, Part::Index, Part::Pack, Part::Pack] {
            let of_kind = |path: &PathBuf| part(path) == kind;
            let path = pair.files(site).into_iter().find(of_kind).unwrap();
            broken(&pair, which, &path, |path| flip(path, 0.5));
        }
        for cut in [0, 40, 1_000] {
            let packs = |path: &PathBuf| part(path) == Part::Pack;
            let path = pair.files(site).into_iter().rfind(packs).unwrap();
            broken(&pair, which, &path, |path| {
                std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(cut).unwrap();
            });
        }
        let packs = |path: &PathBuf| part(path) == Part::Pack;
        let path = pair.files(site).into_iter().find(packs).unwrap();
        broken(&pair, which, &path, |path| std::fs::remove_file(path).unwrap());
    }
    restic::agrees(&pair.at("first"), "repaired repositories");
    restic::agrees(&pair.at("second"), "repaired repositories");
}

#[test]
fn any_flipped_bit_is_found_and_healed() {
    let pair = Pair::new();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
    let anywhere = (any::<bool>(), any::<prop::sample::Index>(), 0.0..1.0_f64);
    runner
        .run(&anywhere, |(which, file, place)| {
            let files = pair.files(if which { "first" } else { "second" });
            broken(&pair, which, file.get::<PathBuf>(&files), |path| flip(path, place));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_damaged_pack_is_told_by_snapshot_label_and_path() {
    let pair = Pair::new();
    let entries = |tag: &str| {
        let all = pair.first.snapshots().unwrap();
        let (id, _, _) = all.iter().find(|(_, _, tags)| tags == &[tag]).unwrap();
        (id.clone(), pair.first.entries(id).unwrap())
    };
    let seal = pair.first.seal().unwrap();
    let store = Site::Local(pair.at("first")).open().unwrap();
    let index = crate::pack::Index::load(&store, &seal).unwrap();
    // The content that only the second snapshot has.
    let (id, two) = entries("two");
    let more = two.iter().find(|entry| entry.path == Path::new("garrysmod/more")).unwrap();
    let blob = more.content[0].parse().unwrap();
    let place = index.place(crate::pack::Kind::Data, &blob).unwrap();
    let pack = index.pack(&place).unwrap().to_hex();
    let path = pair.at("first/data").join(&pack.as_str()[..2]).join(pack.as_str());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[place.offset as usize + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    // Its size is as it was, so only reading it tells.
    assert!(pair.first.verify(0).unwrap().is_sound());
    let found = pair.first.verify(100).unwrap();
    assert_eq!(found.concerned.len(), 1, "{found}");
    let concerned = &found.concerned[0];
    assert_eq!((&concerned.id, concerned.label.as_str()), (&id, "volume:gmod"));
    assert_eq!(concerned.tags, ["two"]);
    assert_eq!(concerned.paths, [PathBuf::from("garrysmod/more")]);
    let text = found.to_string();
    assert!(text.contains("garrysmod/more") && text.contains("volume:gmod two"), "{text}");
    // Half of the data at a time finds it soon.
    assert!((0..64).any(|_| !pair.first.verify(50).unwrap().is_sound()));
    // What nobody has is told, and the rest is healed and saved.
    let all = pair.second.snapshots().unwrap();
    let gone: Vec<_> =
        all.iter().filter(|(_, _, tags)| tags == &["two"]).map(|(id, _, _)| id.clone()).collect();
    pair.second.forget(&gone).unwrap();
    pair.second.prune().unwrap();
    let done = pair.first.repair_from(&pair.second, PASSWORD).unwrap();
    assert_eq!(done.after.damaged, []);
    assert_eq!(done.after.concerned[0].paths, [PathBuf::from("garrysmod/more")]);
    // The next backup of the same content heals it.
    pair.first.put_tree("volume:gmod", "three", &pair.at("volume")).unwrap();
    assert!(pair.first.verify(100).unwrap().is_sound());
}

#[test]
fn a_snapshot_that_nobody_has_any_more_is_said_to_be_lost() {
    let pair = Pair::new();
    let all = pair.first.snapshots().unwrap();
    let (id, _, _) = all.iter().find(|(_, _, tags)| tags == &["two"]).unwrap();
    let theirs = pair.second.snapshots().unwrap();
    let theirs = theirs.iter().filter(|(_, _, tags)| tags == &["two"]);
    let theirs: Vec<_> = theirs.map(|(id, _, _)| id.clone()).collect();
    pair.second.forget(&theirs).unwrap();
    flip(&pair.at("first/snapshots").join(id), 0.5);
    let done = pair.first.repair_from(&pair.second, PASSWORD).unwrap();
    assert_eq!((done.snapshots, done.lost), (0, 1), "{}", done.after);
    // What is left can be read again.
    assert_eq!(pair.first.snapshots().unwrap().len(), all.len() - 1);
}

#[test]
fn what_a_killed_making_left_is_no_key_of_the_next_one() {
    let pair = Pair::new();
    let at = pair.at("third");
    // A key was written, and no config.
    let orphan = Repository::create(&at, PASSWORD).unwrap();
    drop(orphan);
    std::fs::remove_file(at.join("config")).unwrap();
    for _ in 0..4 {
        Repository::create(&at, PASSWORD)
            .unwrap()
            .put_tree("a", "one", &pair.at("volume"))
            .unwrap();
        assert_eq!(Repository::open(&at, PASSWORD).unwrap().snapshots().unwrap().len(), 1);
        for area in ["snapshots", "index", "data"] {
            std::fs::remove_dir_all(at.join(area)).unwrap();
        }
        std::fs::remove_file(at.join("config")).unwrap();
    }
    // With anything that was kept it is a repository that lost its config.
    std::fs::create_dir_all(at.join("snapshots")).unwrap();
    let name = "0".repeat(64);
    std::fs::write(at.join("snapshots").join(&name), "x").unwrap();
    let keys = std::fs::read_dir(at.join("keys")).unwrap().count();
    let refused = Repository::create(&at, PASSWORD).unwrap_err();
    assert!(refused.to_string().contains("not its config"), "{refused}");
    assert_eq!(std::fs::read_dir(at.join("keys")).unwrap().count(), keys, "nothing is touched");
}

#[test]
fn a_site_that_only_grows_is_verified_and_not_repaired() {
    let pair = Pair::new();
    let only =
        Repository::open_at(&Site::Local(pair.at("first")), &Access::append_only(), PASSWORD);
    let only = only.unwrap();
    assert!(only.verify(100).unwrap().is_sound());
    let refused = only.repair_from(&pair.second, PASSWORD).unwrap_err();
    assert!(matches!(refused, Error::AppendOnly(_)), "{refused}");
}
