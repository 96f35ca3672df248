//! Does, in tests: holds a store to the contract of the port. Every kind of site passes the same suite.

use std::slice::from_ref;
use std::sync::Arc;

use bytes::Bytes;
use rustic_core::Id;

use super::{Area, Object, Part, Store, Trouble};
use crate::crypt::hash;

/// What a store has to do; it is empty before. `reopen` gives a second connection to the same place.
pub(crate) fn holds(store: &Arc<dyn Store>, reopen: impl Fn() -> Arc<dyn Store>) {
    nothing_is_there_yet(store);
    store.make().unwrap();
    store.make().unwrap();
    what_is_written_is_read(store, &reopen);
    parts_are_exact(store);
    again_is_fine(store);
    many_at_once(store);
    removed_is_gone(store);
}

/// All but removals: when the answer to one is lost, nobody can tell whether it was there before.
pub(crate) fn holds_on_a_shaky_line(store: &Arc<dyn Store>, reopen: impl Fn() -> Arc<dyn Store>) {
    store.make().unwrap();
    what_is_written_is_read(store, &reopen);
    parts_are_exact(store);
    again_is_fine(store);
    many_at_once(store);
}

fn some(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| next()).collect::<Vec<_>>().into()
}

fn nothing_is_there_yet(store: &Arc<dyn Store>) {
    assert_eq!(store.size(&Object::config()).unwrap(), None);
    let object = Object::new(Area::Data, Id::random());
    assert!(store.read(&object, None).unwrap_err().is_missing());
    assert!(store.read(&object, Some(Part { offset: 0, length: 1 })).unwrap_err().is_missing());
    assert!(store.remove(&object).unwrap_err().is_missing());
    for area in Area::DIRECTORIES {
        assert_eq!(store.list(area).unwrap(), [], "{area:?}");
    }
}

fn what_is_written_is_read(store: &Arc<dyn Store>, reopen: &impl Fn() -> Arc<dyn Store>) {
    let config = some(7, 155);
    store.write(&Object::config(), from_ref(&config)).unwrap();
    let sizes = [1, 31, 4096, 70_000, 3 << 20];
    let mut written = Vec::new();
    for (index, size) in sizes.into_iter().enumerate() {
        for area in Area::DIRECTORIES {
            let content = some(index as u64 + 10 * area as u64, size);
            let object = Object::new(area, hash(&content));
            // In pieces, as packs come.
            let cut = size / 3;
            store.write(&object, &[content.slice(..cut), content.slice(cut..)]).unwrap();
            written.push((object, content));
        }
    }
    // Whatever one connection wrote, another one sees.
    for store in [Arc::clone(store), reopen()] {
        assert_eq!(store.read(&Object::config(), None).unwrap(), config);
        assert_eq!(store.size(&Object::config()).unwrap(), Some(155));
        for (object, content) in &written {
            assert_eq!(store.size(object).unwrap(), Some(content.len() as u64), "{object}");
            assert!(store.read(object, None).unwrap() == *content, "{object}");
        }
        for area in Area::DIRECTORIES {
            let mut listed = store.list(area).unwrap();
            listed.sort_unstable();
            let of = written.iter().filter(|(object, _)| object.area == area);
            let mut wanted: Vec<_> =
                of.map(|(object, content)| (object.id, content.len() as u64)).collect();
            wanted.sort_unstable();
            assert_eq!(listed, wanted, "{area:?}");
        }
    }
}

fn parts_are_exact(store: &Arc<dyn Store>) {
    let content = some(99, 200_001);
    let object = Object::new(Area::Data, hash(&content));
    store.write(&object, from_ref(&content)).unwrap();
    for (offset, length) in [(0, 1), (0, 200_001), (200_000, 1), (65_535, 70_000), (31, 32_768)] {
        let read = store.read(&object, Some(Part { offset, length })).unwrap();
        let range = offset as usize..(offset + length) as usize;
        assert!(read == content.slice(range), "{offset}+{length}");
    }
    // Whoever gets less than was asked for must not take it for all of it.
    for (offset, length) in [(200_000, 2), (200_001, 1), (1 << 30, 1)] {
        let read = store.read(&object, Some(Part { offset, length })).unwrap_err();
        assert_eq!(read.trouble, Trouble::Short, "{offset}+{length}: {read}");
    }
}

fn again_is_fine(store: &Arc<dyn Store>) {
    let content = some(5, 5_000);
    let object = Object::new(Area::Index, hash(&content));
    for _ in 0..3 {
        store.write(&object, from_ref(&content)).unwrap();
    }
    let same = store.list(Area::Index).unwrap().into_iter().filter(|(id, _)| *id == object.id);
    assert_eq!(same.count(), 1);
    assert!(store.read(&object, None).unwrap() == content);
}

fn many_at_once(store: &Arc<dyn Store>) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..4 {
                    let content = some(1_000 + 10 * thread + round, 50_000);
                    let object = Object::new(Area::Data, hash(&content));
                    store.write(&object, from_ref(&content)).unwrap();
                    assert!(store.read(&object, None).unwrap() == content);
                }
            });
        }
    });
    // Nothing that was only on its way is left in a list.
    let listed = store.list(Area::Data).unwrap();
    for (id, size) in listed.iter().filter(|(_, size)| *size == 50_000) {
        let content = store.read(&Object::new(Area::Data, *id), None).unwrap();
        assert_eq!((hash(&content), content.len() as u64), (*id, *size));
    }
    assert_eq!(listed.iter().filter(|(_, size)| *size == 50_000).count(), 32);
}

fn removed_is_gone(store: &Arc<dyn Store>) {
    for area in Area::DIRECTORIES {
        for (id, _) in store.list(area).unwrap() {
            let object = Object::new(area, id);
            store.remove(&object).unwrap();
            assert_eq!(store.size(&object).unwrap(), None);
            assert!(store.remove(&object).unwrap_err().is_missing());
        }
        assert_eq!(store.list(area).unwrap(), []);
    }
    store.remove(&Object::config()).unwrap();
}
