//! What is kept comes back whole, and what cannot be kept whole is not kept: on real repositories.

mod archive;
mod copy;
mod faults;
mod give;
mod hostile;
mod kill;
mod memory;
mod sites;
mod verify;
mod weave;

use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn repository() -> (tempfile::TempDir, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(&directory.path().join("repo"), "a password").unwrap();
    (directory, repository)
}

/// A directory with everything that a volume can have.
fn volume(at: &Path) {
    std::fs::create_dir_all(at.join("garrysmod/cfg")).unwrap();
    std::fs::create_dir(at.join("empty")).unwrap();
    std::fs::write(at.join("garrysmod/cfg/server.cfg"), "hostname \"Ville\"\n").unwrap();
    std::fs::write(at.join("run.sh"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(at.join("run.sh"), std::fs::Permissions::from_mode(0o4755)).unwrap();
    std::fs::hard_link(at.join("run.sh"), at.join("same.sh")).unwrap();
    symlink("garrysmod/cfg", at.join("link")).unwrap();
    symlink("/no/such/place", at.join("dangling")).unwrap();
    let _ = xattr::set(at.join("run.sh"), "user.vigie", b"kept");
    let sparse = std::fs::File::create(at.join("sparse.dat")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    let other = Some(rustix::process::Uid::from_raw(1234));
    let group = Some(rustix::process::Gid::from_raw(4321));
    // As root only; otherwise it stays ours.
    let _ = rustix::fs::chown(at.join("garrysmod"), other, group);
    std::fs::write(at.join("é ø.txt"), "name").unwrap();
}

/// Everything about a directory that has to come back.
fn told(at: &Path) -> Vec<String> {
    fn walk(root: &Path, at: &Path, out: &mut Vec<String>) {
        let mut entries: Vec<_> =
            std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let link = std::fs::read_link(&path).map(|to| to.display().to_string());
            let links = if meta.is_dir() { 0 } else { meta.nlink() };
            let size = if meta.is_dir() { 0 } else { meta.len() };
            let attribute = xattr::get(&path, "user.vigie").ok().flatten();
            let content = meta.is_file().then(|| std::fs::read(&path).unwrap());
            let content =
                content.map(|bytes| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>());
            out.push(format!(
                "{name} {:o} {}:{} {size} {links} {}.{} {link:?} {attribute:?} {content:?}",
                meta.mode(),
                meta.uid(),
                meta.gid(),
                meta.mtime(),
                meta.mtime_nsec(),
            ));
            if meta.is_dir() {
                walk(root, &path, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(at, at, &mut out);
    out
}

#[test]
fn a_directory_comes_back_as_it_was() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    volume(&at);
    let before = told(&at);
    let stored = repository.put_tree("volume:gmod", "v1.0-base", &at).unwrap();
    assert_eq!(stored.files, 7, "{stored:?}");
    let full = repository.get_tree(&stored.id, &at).unwrap_err();
    assert!(full.to_string().contains("not empty"), "{full}");
    assert_eq!(told(&at), before, "nothing of it was touched");
    let fresh = directory.path().join("fresh");
    repository.get_tree(&stored.id, &fresh).unwrap();
    assert_eq!(told(&fresh), before);
    let blocks = std::fs::metadata(fresh.join("sparse.dat")).unwrap().blocks();
    assert!(blocks < 1_000, "a hole is a hole again: {blocks} blocks");
    repository.check().unwrap();
}

#[test]
fn an_empty_directory_is_one_again() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    let stored = repository.put_tree("volume", "v1", &at).unwrap();
    assert_eq!(repository.entries(&stored.id).unwrap(), []);
    repository.get_tree(&stored.id, &directory.path().join("back")).unwrap();
    assert!(directory.path().join("back").is_dir());
}

#[test]
fn what_did_not_change_costs_next_to_nothing_and_prune_gives_back_what_nobody_needs() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    let mut random = std::fs::File::open("/dev/urandom").unwrap().take(24 << 20);
    std::io::copy(&mut random, &mut std::fs::File::create(at.join("big")).unwrap()).unwrap();
    std::fs::write(at.join("small"), "1").unwrap();
    let first = repository.put_tree("volume:gmod", "v1.0-base", &at).unwrap();
    assert!(first.added > 20 << 20, "{first:?}");
    // What is said of a backup has the same label, and is no directory.
    let said = std::io::Cursor::new(b"said");
    repository.put_stream("volume:gmod", "said", "manifest.json", said, || Ok(())).unwrap();
    std::fs::write(at.join("small"), "2").unwrap();
    let second = repository.put_tree("volume:gmod", "v1.1-mysql", &at).unwrap();
    assert!(second.added < 10_000, "{second:?}");
    assert_eq!((first.unchanged, second.unchanged), (0, 1), "what did not change is not read");
    let told = repository.snapshots().unwrap();
    let tags: Vec<_> =
        told.iter().map(|(_, label, tags)| (label.as_str(), tags[0].as_str())).collect();
    assert_eq!(
        tags,
        [("volume:gmod", "v1.0-base"), ("volume:gmod", "said"), ("volume:gmod", "v1.1-mysql")]
    );
    let differs = |id: &str| -> Vec<Vec<String>> {
        repository.entries(id).unwrap().into_iter().map(|one| one.content).collect()
    };
    let (one, other) = (differs(&first.id), differs(&second.id));
    assert_eq!(one[0], other[0], "the same content has the same name");
    assert_ne!(one[1], other[1]);
    let size = || -> u64 {
        let packs = std::fs::read_dir(directory.path().join("repo/data")).unwrap();
        let files = packs.flat_map(|one| std::fs::read_dir(one.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    let all: Vec<_> = told.iter().map(|(id, _, _)| id.clone()).collect();
    repository.forget(&all).unwrap();
    assert!(size() > 20 << 20, "forgetting removes nothing yet");
    repository.prune().unwrap();
    assert!(size() < 100_000, "{}", size());
}

/// Reads one byte at a time, and fails at its end if told so.
struct Drip {
    left: usize,
    fails: bool,
}

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return if self.fails { Err(std::io::Error::other("the pipe broke")) } else { Ok(0) };
        }
        self.left -= 1;
        buffer[0] = u8::try_from(self.left % 251).unwrap();
        Ok(1)
    }
}

#[test]
fn a_stream_comes_back_and_one_that_failed_was_never_there() {
    let (_directory, repository) = repository();
    let drip = |fails| Drip { left: 300_000, fails };
    let stored =
        repository.put_stream("database", "v1.0-base", "dump.sql", drip(false), || Ok(())).unwrap();
    let mut back = Vec::new();
    repository.get_file(&stored.id, "dump.sql", &mut back).unwrap();
    let mut wanted = Vec::new();
    drip(false).read_to_end(&mut wanted).unwrap();
    assert!(back == wanted, "{} bytes of {}", back.len(), wanted.len());

    let error =
        repository.put_stream("database", "v1.1-x", "dump.sql", drip(true), || Ok(())).unwrap_err();
    assert!(error.to_string().contains("the pipe broke"), "{error}");
    let error = repository
        .put_stream("database", "v1.1-x", "dump.sql", drip(false), || {
            Err(String::from("mariadb-dump ended with exit code 2"))
        })
        .unwrap_err();
    assert!(error.to_string().contains("exit code 2"), "{error}");
    assert_eq!(repository.snapshots().unwrap().len(), 1);
}

/// Short reads must not make chunks small for good: then a stream is slow and compresses badly.
#[test]
fn short_reads_make_no_small_chunks() {
    let (_directory, repository) = repository();
    let drip = Drip { left: 4 << 20, fails: false };
    let stored = repository.put_stream("database", "v1", "dump.sql", drip, || Ok(())).unwrap();
    let entries = repository.entries(&stored.id).unwrap();
    assert!(entries[0].content.len() < 16, "{} chunks", entries[0].content.len());
}

#[test]
fn what_cannot_be_read_is_told_and_nothing_of_it_is_kept() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("fine"), "x").unwrap();
    // Root may read everything but what the kernel only lets be written.
    symlink("/sys/bus/cpu/uevent", at.join("link")).unwrap();
    assert!(repository.put_tree("volume", "v1", &at).is_ok(), "a link is not followed");
    let error = repository.put_tree("volume", "v2", Path::new("/sys/bus/cpu")).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(repository.snapshots().unwrap().len(), 1);
    let error = repository.put_tree("volume", "v3", &at.join("none")).unwrap_err();
    assert!(error.to_string().contains("no directory"), "{error}");
}

#[test]
fn a_damaged_pack_is_an_error_and_no_panic() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("file"), "x".repeat(100_000)).unwrap();
    let stored = repository.put_tree("volume", "v1", &at).unwrap();
    for shelf in std::fs::read_dir(directory.path().join("repo/data")).unwrap() {
        for pack in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let path = pack.unwrap().path();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.iter_mut().take(40).for_each(|byte| *byte ^= 0x55);
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let error = repository.check().unwrap_err();
    assert!(error.to_string().contains("it is damaged"), "{error}");
    repository.get_tree(&stored.id, &directory.path().join("back")).unwrap_err();
}

#[test]
fn errors_say_what_to_do() {
    let (directory, repository) = repository();
    let path = directory.path().join("repo");
    let wrong = Repository::open(&path, "another password").unwrap_err();
    assert!(matches!(wrong, Error::Password(_)), "{wrong}");
    assert!(matches!(Repository::create(&path, "x").unwrap_err(), Error::Exists(_)));
    let none = Repository::open(&directory.path().join("none"), "x").unwrap_err();
    assert!(matches!(none, Error::Missing(_)), "{none}");
    let id = "0".repeat(64);
    let gone = repository.get_tree(&id, &directory.path().join("back")).unwrap_err();
    assert!(gone.to_string().contains(&id[..8]), "{gone}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever is in files, it comes back.
    #[test]
    fn every_content_comes_back(files in proptest::collection::vec(
        (proptest::collection::vec(any::<u8>(), 0..70_000), 0_u32..0o1000), 1..6,
    )) {
        let (directory, repository) = repository();
        let at = directory.path().join("volume");
        std::fs::create_dir(&at).unwrap();
        for (index, (content, mode)) in files.iter().enumerate() {
            let path = at.join(format!("f{index}"));
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode | 0o400)).unwrap();
        }
        let before = told(&at);
        let stored = repository.put_tree("volume", "v1", &at).unwrap();
        let back = directory.path().join("back");
        repository.get_tree(&stored.id, &back).unwrap();
        prop_assert_eq!(told(&back), before);
    }
}

#[test]
fn what_is_forgotten_is_chosen_from_what_is_there_then() {
    let (_directory, repository) = repository();
    for label in ["a", "b"] {
        repository.put_stream(label, "x,y", "file", &b"x"[..], || Ok(())).unwrap();
    }
    let before = repository.snapshots().unwrap();
    let mut seen = Vec::new();
    repository
        .forget_chosen(|all| {
            seen = all.to_vec();
            all.iter().filter(|(_, label, _)| label == "a").map(|(id, ..)| id.clone()).collect()
        })
        .unwrap();
    seen.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(seen, before);
    assert_eq!(repository.snapshots().unwrap(), before[1..]);
}
