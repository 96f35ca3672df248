//! A snapshot that somebody made to do harm, who knows the password, does none.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rustic_core::Id;
use serde_json::{Value, json};

use crate::crypt::{Seal, hash};
use crate::pack::{Kind as Blob, Packer};
use crate::store::{Area, Object, Store};
use crate::*;

const PASSWORD: &str = "a password";

/// The entries of a directory, given the names of those that were written before it.
type Tree<'a> = &'a dyn Fn(&[Id]) -> Value;

struct Forge {
    kept: tempfile::TempDir,
    repository: Repository,
    store: Arc<dyn Store>,
    seal: Seal,
}

impl Forge {
    fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let site = Site::Local(kept.path().join("repo"));
        let repository = Repository::create_at(&site, &Access::default(), PASSWORD).unwrap();
        let seal = repository.seal().unwrap();
        Self { kept, repository, store: site.open().unwrap(), seal }
    }

    /// Writes directories, each of which may name those before it, and a snapshot of the last; gives the
    /// name of the snapshot.
    fn snapshot(&self, trees: &[Tree<'_>], content: &[u8]) -> String {
        let packer = Packer::new(&self.store, &self.seal);
        packer.add(Blob::Data, hash(content), content).unwrap();
        let mut ids = Vec::new();
        for tree in trees {
            let plain = serde_json::to_vec(&json!({ "nodes": tree(&ids) })).unwrap();
            ids.push(hash(&plain));
            packer.add(Blob::Tree, hash(&plain), &plain).unwrap();
        }
        packer.finish().unwrap();
        let snapshot = json!({
            "time": "2026-11-26T03:00:00Z", "tree": ids.last().unwrap(), "paths": ["/data"],
        });
        let sealed = Bytes::from(self.seal.close(&serde_json::to_vec(&snapshot).unwrap()).unwrap());
        let id = hash(&sealed);
        self.store.write(&Object::new(Area::Snapshots, id), &[sealed]).unwrap();
        id.to_hex().as_str().to_owned()
    }

    /// Nothing gets out of where it was told to go.
    fn restored(&self, id: &str) -> Result<(), Error> {
        let all = self.kept.path().join("all");
        let _ = std::fs::remove_dir_all(&all);
        std::fs::create_dir_all(all.join("outside")).unwrap();
        let done = self.repository.get_tree(id, &all.join("target"));
        let names = |at: &Path| {
            let mut names: Vec<_> =
                std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&all), ["outside", "target"]);
        assert_eq!(names(&all.join("outside")), Vec::<std::ffi::OsString>::new());
        done
    }
}

fn data(subtree: &Id) -> Value {
    json!([{ "name": "data", "type": "dir", "subtree": subtree }])
}

fn file(name: &str, content: &[u8]) -> Value {
    json!({ "name": name, "type": "file", "content": [hash(content)], "size": content.len() })
}

#[test]
fn names_never_lead_out_of_the_target() {
    let forge = Forge::new();
    let outside = forge.kept.path().join("all/outside/x");
    for name in ["../outside/x", "..", ".", "a/../../outside/x", "", outside.to_str().unwrap()] {
        let directory = |_: &[Id]| json!([file(name, b"harm")]);
        let id = forge.snapshot(&[&directory, &|ids| data(&ids[0])], b"harm");
        let refused = forge.restored(&id).unwrap_err().to_string();
        assert!(refused.contains("no name"), "{name}: {refused}");
        assert!(forge.repository.entries(&id).is_err());
        let inner = |ids: &[Id]| json!([{ "name": name, "type": "dir", "subtree": ids[0] }]);
        let harmless = |_: &[Id]| json!([file("x", b"harm")]);
        let id = forge.snapshot(&[&harmless, &inner, &|ids| data(&ids[1])], b"harm");
        forge.restored(&id).unwrap_err();
    }
}

#[test]
fn a_link_is_never_followed() {
    let forge = Forge::new();
    let outside = forge.kept.path().join("all/outside").to_str().unwrap().to_owned();
    let link = || json!({ "name": "x", "type": "symlink", "linktarget": outside });
    let inner = |_: &[Id]| json!([file("harm", b"harm")]);
    let through = |ids: &[Id]| json!([link(), { "name": "x", "type": "dir", "subtree": ids[0] }]);
    let id = forge.snapshot(&[&inner, &through, &|ids| data(&ids[1])], b"harm");
    forge.restored(&id).unwrap_err();
    let over = |_: &[Id]| {
        json!([
            { "name": "x", "type": "symlink", "linktarget": format!("{outside}/y") },
            file("x", b"harm"),
        ])
    };
    let id = forge.snapshot(&[&over, &|ids| data(&ids[0])], b"harm");
    forge.restored(&id).unwrap_err();
    // A name of a file that is a link: its mode and its content are those of the link's target.
    let mut second = file("y", b"harm");
    for (key, value) in [("links", 2), ("inode", 7), ("device_id", 7)] {
        second[key] = value.into();
    }
    let mut first = link();
    for (key, value) in [("links", 2), ("inode", 7), ("device_id", 7)] {
        first[key] = value.into();
    }
    let linked = |_: &[Id]| json!([first, second]);
    let id = forge.snapshot(&[&linked, &|ids| data(&ids[0])], b"harm");
    forge.restored(&id).unwrap();
}

#[test]
fn what_unpacks_to_more_than_it_says_is_damaged() {
    let forge = Forge::new();
    let content = vec![0; 1 << 20];
    let directory = |_: &[Id]| json!([file("zeros", &content)]);
    let id = forge.snapshot(&[&directory, &|ids| data(&ids[0])], &content);
    forge.restored(&id).unwrap();
    // The index says that it is small.
    for (index, _) in forge.store.list(Area::Index).unwrap() {
        let object = Object::new(Area::Index, index);
        let plain = forge.seal.open_file(&forge.store.read(&object, None).unwrap()).unwrap();
        let text = String::from_utf8(plain).unwrap();
        assert!(text.contains("1048576"), "{text}");
        let lies = text.replace("1048576", "1000");
        let sealed = Bytes::from(forge.seal.close(lies.as_bytes()).unwrap());
        forge.store.remove(&object).unwrap();
        let object = Object::new(Area::Index, hash(&sealed));
        forge.store.write(&object, &[sealed]).unwrap();
    }
    let refused = forge.restored(&id).unwrap_err().to_string();
    assert!(refused.contains("zeros") && refused.contains("damaged"), "{refused}");
}

#[test]
fn directories_that_contain_each_other_again_and_again_end() {
    let forge = Forge::new();
    // Each holds the one before twice: with a hundred of them there is no end to it.
    let leaf = |_: &[Id]| json!([file("f", b"x")]);
    let twice = |ids: &[Id]| {
        let below = ids.last().unwrap();
        json!([
            { "name": "a", "type": "dir", "subtree": below },
            { "name": "b", "type": "dir", "subtree": below },
        ])
    };
    let mut trees: Vec<Tree<'_>> = vec![&leaf];
    trees.extend(std::iter::repeat_n(&twice as Tree<'_>, 100));
    let top = |ids: &[Id]| data(ids.last().unwrap());
    trees.push(&top);
    let id = forge.snapshot(&trees, b"x");
    // A look at every directory once is enough to find what is damaged.
    assert!(forge.repository.verify(100).unwrap().is_sound());
    // And deep ones end at what a file system can have.
    let inside =
        |ids: &[Id]| json!([{ "name": "d", "type": "dir", "subtree": ids.last().unwrap() }]);
    let mut trees: Vec<Tree<'_>> = vec![&leaf];
    trees.extend(std::iter::repeat_n(&inside as Tree<'_>, 3_000));
    trees.push(&top);
    let deep = forge.snapshot(&trees, b"x");
    let refused = forge.repository.entries(&deep).unwrap_err().to_string();
    assert!(refused.contains("deeper"), "{refused}");
    assert!(!forge.repository.verify(100).unwrap().is_sound());
    assert_ne!(id, deep);
}

#[test]
fn a_key_that_wants_all_memory_gets_none() {
    let forge = Forge::new();
    let key = json!({
        "kdf": "scrypt", "N": 1_u32 << 30, "r": 64, "p": 1, "data": "AAAA", "salt": "AAAA",
    });
    let content = Bytes::from(serde_json::to_vec(&key).unwrap());
    forge.store.write(&Object::new(Area::Keys, hash(&content)), &[content]).unwrap();
    let site = Site::Local(forge.kept.path().join("repo"));
    Repository::open_at(&site, &Access::default(), PASSWORD).unwrap();
    for (id, size) in forge.store.list(Area::Keys).unwrap() {
        if size > 300 {
            forge.store.remove(&Object::new(Area::Keys, id)).unwrap();
        }
    }
    let refused = Repository::open_at(&site, &Access::default(), PASSWORD).unwrap_err();
    assert!(refused.to_string().contains("memory"), "{refused}");
}

#[test]
fn what_is_carried_into_another_repository_is_looked_at() {
    let forge = Forge::new();
    let honest = b"the honest content of a game's file";
    let packer = Packer::new(&forge.store, &forge.seal);
    packer.add(Blob::Data, hash(honest), b"evil").unwrap();
    packer.finish().unwrap();
    let directory = |_: &[Id]| json!([file("x", honest)]);
    let id = forge.snapshot(&[&directory, &|ids| data(&ids[0])], b"other");
    let here = tempfile::tempdir().unwrap();
    let ours = Repository::create(&here.path().join("ours"), PASSWORD).unwrap();
    let gifts = [Gift { id, label: "volume:data".into(), tags: "v1.0-a".into() }];
    let refused = forge.repository.give(&ours, &gifts, |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("is damaged"), "{refused}");
    let copy = forge.repository.create_like(
        &Site::Local(here.path().join("copy")),
        &Access::default(),
        PASSWORD,
    );
    forge.repository.copy_to(&copy.unwrap()).unwrap_err();
    // What is kept afterwards is not taken for what is there.
    let at = here.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("y"), honest).unwrap();
    let kept = ours.put_tree("volume:data", "v2.0-own", &at).unwrap();
    ours.get_tree(&kept.id, &here.path().join("back")).unwrap();
    ours.check().unwrap();
}

#[test]
fn what_is_carried_is_not_unpacked_without_end() {
    let forge = Forge::new();
    // More than any piece of a file is.
    let content = vec![0_u8; 40 << 20];
    let (id, size) = (hash(&content), content.len());
    let packer = Packer::new(&forge.store, &forge.seal);
    packer.add(Blob::Data, id, &content).unwrap();
    packer.finish().unwrap();
    drop(content);
    let file = |_: &[Id]| json!([{ "name": "z", "type": "file", "content": [id], "size": size }]);
    let id = forge.snapshot(&[&file, &|ids| data(&ids[0])], b"other");
    let here = tempfile::tempdir().unwrap();
    let ours = Repository::create(&here.path().join("ours"), PASSWORD).unwrap();
    let gifts = [Gift { id, label: "volume:data".into(), tags: "v1.0-a".into() }];
    let refused = forge.repository.give(&ours, &gifts, |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("is damaged"), "{refused}");
}
