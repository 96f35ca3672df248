//! What one repository gives another comes back there as it was, under the names that it was given, and is
//! sent once.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::Arc;

use super::sites::noise;
use super::{repository, told, volume};
use crate::lab::{self, restic};
use crate::pack::{Index, Kind as Blob};
use crate::store::memory::{Memory, Plan};
use crate::store::{Area, Object, Store, Trouble};
use crate::*;

const PASSWORD: &str = "a password";

fn gift(id: &str, label: &str, tags: &str) -> Gift {
    Gift { id: id.to_owned(), label: label.to_owned(), tags: tags.to_owned() }
}

fn any(_: u64) -> Result<(), Error> {
    Ok(())
}

#[test]
fn what_is_given_comes_back_under_its_new_name() {
    let (kept, first) = repository();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    volume(&at);
    std::fs::write(at.join("noise"), noise(12 << 20)).unwrap();
    let one = first.put_tree("volume:data", "v1", &at).unwrap();
    let dump =
        first.put_stream("database:x", "v1", "dump.sql", &b"SELECT 1"[..], || Ok(())).unwrap();
    let same = first.put_tree("volume:data", "v2", &at).unwrap();
    let contents = first.contents().unwrap();
    assert_eq!(contents.len(), 3);
    assert_eq!(contents[&one.id], contents[&same.id], "what did not change is the same content");
    assert_ne!(contents[&one.id], contents[&dump.id]);

    let what = "snapshots that are given";
    let mut places = vec![lab::local()];
    places.extend(lab::s3(what));
    for place in &places {
        // One that cuts in other places, as a stranger's does.
        let second = Repository::create_at(&place.site, &Access::append_only(), PASSWORD).unwrap();
        let gifts = [
            gift(&one.id, "part:1", "v1,volume:data"),
            gift(&dump.id, "part:2", "v1,database:x"),
            gift(&same.id, "part:1", "v1,volume:data"),
        ];
        let given = first.give(&second, &gifts, any).unwrap();
        assert_eq!((given.snapshots, given.known), (2, 1), "{}", place.kind);
        assert!(given.bytes > 12 << 20, "{given:?}");
        let again = first.give(&second, &gifts, any).unwrap();
        assert_eq!(again, Given { snapshots: 0, known: 3, bytes: 0 });
        let mut named: Vec<_> = second.snapshots().unwrap();
        named.sort_by(|one, other| one.1.cmp(&other.1));
        let [(tree, label, tags), (file, ..)] = &named[..] else { panic!("{named:?}") };
        assert_eq!((label.as_str(), tags.join(",").as_str()), ("part:1", "v1,volume:data"));
        assert_eq!(second.contents().unwrap()[tree], contents[&one.id]);
        let back = tempfile::tempdir().unwrap();
        second.get_tree(tree, &back.path().join("back")).unwrap();
        assert_eq!(told(&back.path().join("back")), told(&at));
        let mut text = Vec::new();
        second.get_file(file, "dump.sql", &mut text).unwrap();
        assert_eq!(text, b"SELECT 1");
        second.check().unwrap();
        restic::agrees(&place.files, what);
        // And back again, where nothing but a name is new.
        let given = second.give(&first, &[gift(tree, "volume:data", "v3")], any).unwrap();
        assert!(given.snapshots == 1 && given.bytes == 0, "{given:?}");
        let mut all = first.snapshots().unwrap().into_iter();
        let third = all.find(|(_, _, tags)| tags == &["v3"]).unwrap();
        assert_eq!(first.contents().unwrap()[&third.0], contents[&one.id]);
        first.forget(&[third.0]).unwrap();
    }
}

#[test]
fn what_is_refused_or_is_not_there_changes_nothing() {
    let (kept, first) = repository();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    volume(&at);
    let one = first.put_tree("volume", "v1", &at).unwrap();
    let second = Repository::create(&kept.path().join("second"), PASSWORD).unwrap();
    let gifts = [gift(&one.id, "part:1", "v1")];
    let full = |bytes| {
        assert!(bytes > 0);
        Err(Error::File(kept.path().into(), ErrorKind::StorageFull.into()))
    };
    let refused = first.give(&second, &gifts, full).unwrap_err();
    assert!(matches!(refused, Error::File(..)), "{refused}");
    let strange = [gift(&one.id, "part:1", "v1"), gift(&"0".repeat(64), "part:2", "v1")];
    let missing = first.give(&second, &strange, any).unwrap_err();
    assert!(missing.to_string().contains("part:2"), "{missing}");
    assert!(second.snapshots().unwrap().is_empty());
}

#[test]
fn what_was_interrupted_goes_on_where_it_was() {
    let (kept, first) = repository();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("noise"), noise(12 << 20)).unwrap();
    let one = first.put_tree("volume", "v1", &at).unwrap();
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
    let access = Access { tries: 1, ..Access::default() };
    let second = Repository::create_in(Arc::clone(&store), &access, PASSWORD, None).unwrap();
    memory.fail_writes(Area::Index);
    let gifts = [gift(&one.id, "part:1", "v1")];
    let error = first.give(&second, &gifts, any).unwrap_err();
    assert!(error.to_string().contains("memory"), "the other site is named: {error}");
    assert!(second.snapshots().unwrap().is_empty());
    memory.fail(Plan { fine: 0, failing: 0, trouble: Trouble::Passing, done: false });
    let given = first.give(&second, &gifts, any).unwrap();
    assert!(given.bytes < 9 << 20, "the last pack was on its way at most: {given:?}");
    second.check().unwrap();
}

/// Removes every file below `at`; how many there were.
fn lose(at: &std::path::Path) -> usize {
    let shelves = std::fs::read_dir(at).unwrap().map(|shelf| shelf.unwrap().path());
    let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf).unwrap());
    files.map(|file| std::fs::remove_file(file.unwrap().path()).unwrap()).count()
}

#[test]
fn what_was_lost_is_healed_by_whoever_was_given_it() {
    let (kept, first) = repository();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("noise"), noise(3 << 20)).unwrap();
    let one = first.put_tree("volume", "v1", &at).unwrap();
    std::fs::write(at.join("own"), noise(1 << 20)).unwrap();
    let own = first.put_tree("volume", "v2", &at).unwrap();
    let second = Repository::create(&kept.path().join("second"), PASSWORD).unwrap();
    first.give(&second, &[gift(&one.id, "part:1", "v1")], any).unwrap();
    assert!(lose(&kept.path().join("repo/data")) > 0);
    let healed = first.repair_data_from(&second, "a password").unwrap();
    assert!(healed.brought > 0, "{healed:?}");
    let concerned = &healed.after.concerned;
    assert!(concerned.iter().all(|one| one.id == own.id) && concerned.len() == 1, "{concerned:?}");
    first.get_tree(&one.id, &kept.path().join("back")).unwrap();
    // A snapshot that cannot be read is gone, and nothing else of the other's comes in its place.
    second.put_stream("other", "at-1", "x", &b"y"[..], || Ok(())).unwrap();
    let file = kept.path().join("repo/snapshots").join(&own.id);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "no snapshot").unwrap();
    let healed = first.repair_data_from(&second, "a password").unwrap();
    assert_eq!((healed.lost, healed.snapshots, healed.after.is_sound()), (1, 0, true));
    assert_eq!(first.snapshots().unwrap().len(), 1);
}

#[test]
fn a_directory_that_is_there_without_its_files_gets_them() {
    let (kept, first) = repository();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("noise"), noise(1 << 20)).unwrap();
    let one = first.put_tree("volume", "v1", &at).unwrap();
    let copy = Site::Local(kept.path().join("copy"));
    let second = first.create_like(&copy, &Access::default(), PASSWORD).unwrap();
    let gifts = [gift(&one.id, "part:1", "v1")];
    // As whoever is killed leaves it: the directories are written and known, the files are not.
    let lose_files = || {
        first.give(&second, &gifts, any).unwrap();
        let (store, seal) = (copy.open().unwrap(), second.seal().unwrap());
        let index = Index::load(&store, &seal).unwrap();
        let files = index.blobs().filter(|((kind, _), _)| *kind == Blob::Data);
        let packs: HashSet<_> = files.filter_map(|(_, place)| index.pack(&place)).collect();
        assert!(!packs.is_empty());
        crate::pack::forget(&store, &seal, &packs).unwrap();
        packs.iter().for_each(|id| store.remove(&Object::new(Area::Data, *id)).unwrap());
        let all: Vec<_> = second.snapshots().unwrap().into_iter().map(|(id, ..)| id).collect();
        second.forget(&all).unwrap();
    };
    lose_files();
    assert!(first.give(&second, &gifts, any).unwrap().bytes > 1 << 20);
    second.check().unwrap();
    lose_files();
    first.copy_to(&second).unwrap();
    second.check().unwrap();
}
