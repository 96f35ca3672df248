//! What our own reading and cutting makes is what restic would have made.

use std::path::Path;

use super::sites::noise;
use super::*;
use crate::lab::restic;

fn write(at: &Path, name: &str, content: &[u8]) {
    let path = at.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[test]
fn restic_cuts_in_the_same_places() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    write(&at, "small", b"small");
    write(&at, "empty", b"");
    write(&at, "exact", &noise(512 << 10));
    write(&at, "one more", &noise((512 << 10) + 1));
    write(&at, "large", &noise(20 << 20));
    write(&at, "calm", &vec![7; 20 << 20]);
    repository.put_tree("volume", "v1", &at).unwrap();
    let kept = directory.path().join("repo");
    for program in restic::every("what restic thinks of our cuts") {
        assert_eq!(restic::lacks(&program, &kept, &at), 0, "{program:?}");
        restic::agrees(&kept, "what restic thinks of our cuts");
    }
    // And back: what restic kept is not kept twice.
    write(&at, "large", &[&noise(20 << 20)[..], b"more"].concat());
    for program in restic::every("what restic thinks of our cuts") {
        restic::lacks(&program, &kept, &at);
        let stored = repository.put_tree("another", "v1", &at).unwrap();
        assert!(stored.added < 5_000, "{stored:?}");
    }
}

#[test]
fn names_that_sort_between_a_directory_and_what_is_in_it_stay_apart() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    for name in ["a/x", "a/y/z", "a b", "a-b/x", "a.b", "a.b2/c/d/e", "b", "Z/é"] {
        write(&at, name, name.as_bytes());
    }
    let stored = repository.put_tree("volume", "v1", &at).unwrap();
    assert_eq!(stored.files, 8);
    let back = directory.path().join("back");
    repository.get_tree(&stored.id, &back).unwrap();
    assert_eq!(told(&at), told(&back));
    repository.check().unwrap();
    restic::agrees(&directory.path().join("repo"), "the order of names");
}

#[test]
fn only_what_is_another_file_is_read_again() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    for number in 0..50 {
        write(&at, &format!("d{}/f{number}", number % 7), &noise(1_000 + number));
    }
    let first = repository.put_tree("volume", "v1", &at).unwrap();
    assert_eq!((first.files, first.unchanged), (50, 0));
    write(&at, "d3/f3", b"another");
    write(&at, "d3/new", b"new");
    std::fs::remove_file(at.join("d5/f5")).unwrap();
    // The same bytes at another time: it is read, and nothing is added.
    let content = std::fs::read(at.join("d1/f1")).unwrap();
    write(&at, "d1/f1", &content);
    let second = repository.put_tree("volume", "v2", &at).unwrap();
    assert_eq!((second.files, second.unchanged), (50, 47));
    let back = directory.path().join("back");
    repository.get_tree(&second.id, &back).unwrap();
    assert_eq!(told(&at), told(&back));
    // One of another label knows nothing of it.
    assert_eq!(repository.put_tree("other", "v1", &at).unwrap().unchanged, 0);
}

#[test]
fn pieces_that_come_several_times_are_packed_once() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    let content = noise(300_000);
    for number in 0..100 {
        write(&at, &format!("f{number}"), &content);
    }
    let stored = repository.put_tree("volume", "v1", &at).unwrap();
    assert!(stored.added < 400_000, "{stored:?}");
    repository.get_tree(&stored.id, &directory.path().join("back")).unwrap();
    assert_eq!(told(&at), told(&directory.path().join("back")));
}

#[test]
fn a_size_is_that_of_what_was_read() {
    let (directory, repository) = repository();
    let at = directory.path().join("volume");
    write(&at, "log", b"");
    // It is written to between the look at it and the read; a stream stands for that.
    let content = noise(700_000);
    let reader = std::io::Cursor::new(content.clone());
    let stored = repository.put_stream("dump", "v1", "dump.sql", reader, || Ok(())).unwrap();
    assert_eq!(repository.entries(&stored.id).unwrap()[0].size, 700_000);
    for program in restic::every("streams have their size") {
        let _ = program;
        restic::restores(&directory.path().join("repo"), &stored.id, "streams", |back| {
            assert_eq!(std::fs::read(back.join("dump.sql")).unwrap(), content);
        });
    }
}

/// A directory that is replaced while it is read: its entry is gone, and what was in it is still told.
struct Torn(Vec<&'static str>);

impl rustic_core::ReadSource for Torn {
    type Open = std::io::Empty;
    type Iter =
        std::vec::IntoIter<rustic_core::RusticResult<rustic_core::ReadSourceEntry<std::io::Empty>>>;

    fn size(&self) -> rustic_core::RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        use rustic_core::repofile::{Metadata, Node, NodeType};
        let entry = |path: &&str| {
            let path = Path::new(path);
            let kind = if path.extension().is_some() { NodeType::File } else { NodeType::Dir };
            let node = Node::new_node(path.file_name().unwrap(), kind, Metadata::default());
            Ok(rustic_core::ReadSourceEntry {
                path: path.into(),
                node,
                open: Some(std::io::empty()),
            })
        };
        self.0.iter().map(entry).collect::<Vec<_>>().into_iter()
    }
}

#[test]
fn what_is_below_a_directory_that_is_gone_is_a_fault_and_not_left_out() {
    let (_directory, repository) = repository();
    let work = repository.work();
    let seal = repository.seal().unwrap();
    let config = repository.reading(|work| Ok(work.opened()?.config().clone())).unwrap();
    let index = crate::pack::Index::default();
    let read = |paths: &[&'static str]| {
        let faults = crate::source::Faults::default();
        let archive = crate::archive::Archive {
            store: &work.site,
            seal: &seal,
            index: &index,
            config: &config,
            last: None,
            meter: None,
        };
        let read = archive.read(&Torn(paths.to_vec()), Path::new("/"), "data", &faults).unwrap();
        (read.1.total_files_processed, faults.told())
    };
    assert_eq!(read(&["/world", "/world/map.bsp", "/world.txt"]), (2, None));
    let (files, told) = read(&["/world/map.bsp", "/world.txt"]);
    assert_eq!(files, 1);
    assert!(told.unwrap().contains("world was replaced"));
}
