//! The decorators do what they say, on a store in memory with faults; and none breaks the contract.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustic_core::Id;

use super::memory::{Memory, Plan};
use super::*;

fn object(content: &[u8]) -> (Object, Bytes) {
    (Object::new(Area::Data, crate::crypt::hash(content)), Bytes::copy_from_slice(content))
}

fn failing(fine: u32, failing: u32, trouble: Trouble, done: bool) -> Arc<Memory> {
    let memory = Arc::new(Memory::default());
    memory.fail(Plan { fine, failing, trouble, done });
    memory
}

#[test]
fn every_decorator_keeps_the_contract() {
    let memory = Arc::new(Memory::default());
    let dressed = || -> Arc<dyn Store> {
        let store = Bandwidth::new(Arc::clone(&memory), Some(1 << 40));
        let store = Deadline::new(store, Some(Duration::from_secs(600)));
        let store = Retry::new(store, 3, Duration::ZERO);
        let store = AppendOnly::new(store, false);
        Arc::new(Window::new(store, 1 << 20))
    };
    conformance::holds(&dressed(), dressed);
}

#[test]
fn a_store_in_memory_keeps_the_contract() {
    let memory = Arc::new(Memory::default());
    let store = || -> Arc<dyn Store> { Arc::<Memory>::clone(&memory) };
    conformance::holds(&store(), store);
}

#[test]
fn tries_make_a_shaky_line_a_good_one() {
    let memory = Arc::new(Memory::default());
    memory.shake(3);
    let store =
        || -> Arc<dyn Store> { Arc::new(Retry::new(Arc::clone(&memory), 9, Duration::ZERO)) };
    conformance::holds_on_a_shaky_line(&store(), store);
}

#[test]
fn what_may_pass_is_tried_again_and_no_more_often_than_allowed() {
    let (name, content) = object(b"x");
    let memory = failing(0, 2, Trouble::Passing, false);
    let store = Retry::new(Arc::clone(&memory), 3, Duration::ZERO);
    store.write(&name, from_ref(&content)).unwrap();
    assert_eq!(memory.asked(), 3);
    let memory = failing(0, 9, Trouble::Passing, false);
    let store = Retry::new(Arc::clone(&memory), 3, Duration::ZERO);
    let fault = store.write(&name, from_ref(&content)).unwrap_err();
    assert!(fault.why.contains("tried 3 times"), "{fault}");
    assert_eq!(memory.asked(), 3);
    for trouble in [Trouble::Refused, Trouble::Full, Trouble::Missing, Trouble::Wrong] {
        let memory = failing(0, 9, trouble, false);
        let store = Retry::new(Arc::clone(&memory), 3, Duration::ZERO);
        assert_eq!(store.read(&name, None).unwrap_err().trouble, trouble);
        assert_eq!(memory.asked(), 1, "{trouble:?}");
    }
}

#[test]
fn a_removal_whose_answer_was_lost_is_a_removal() {
    let (name, content) = object(b"x");
    let memory = failing(1, 1, Trouble::Passing, true);
    let store = Retry::new(Arc::clone(&memory), 3, Duration::ZERO);
    store.write(&name, &[content]).unwrap();
    store.remove(&name).unwrap();
    assert!(store.remove(&name).unwrap_err().is_missing(), "it was not there the first time");
}

#[test]
fn the_first_final_fault_ends_the_work() {
    let (name, content) = object(b"x");
    let memory = failing(1, 1, Trouble::Refused, false);
    let store = Breaker::new(Arc::clone(&memory));
    store.write(&name, from_ref(&content)).unwrap();
    assert_eq!(store.first(), None);
    store.read(&name, None).unwrap_err();
    assert_eq!(store.first().unwrap().trouble, Trouble::Refused);
    for _ in 0..100 {
        let fault = store.write(&name, from_ref(&content)).unwrap_err();
        assert_eq!(fault.trouble, Trouble::Stopped);
        store.list(Area::Data).unwrap_err();
        store.remove(&name).unwrap_err();
        store.size(&name).unwrap_err();
    }
    assert_eq!(memory.asked(), 2, "nothing more was asked");
    // A new work begins anew.
    Breaker::new(Arc::clone(&memory)).read(&name, None).unwrap();
}

#[test]
fn what_is_not_there_ends_nothing() {
    let store = Breaker::new(Memory::default());
    assert!(store.read(&object(b"x").0, None).unwrap_err().is_missing());
    assert_eq!(store.first(), None);
}

#[test]
fn after_the_deadline_nothing_begins() {
    let (name, content) = object(b"x");
    let memory = Arc::new(Memory::default());
    let store = Deadline::new(Arc::clone(&memory), Some(Duration::ZERO));
    let store = Retry::new(store, 5, Duration::from_secs(60));
    assert_eq!(store.write(&name, &[content]).unwrap_err().trouble, Trouble::Late);
    assert_eq!(memory.asked(), 0);
}

#[test]
fn bandwidth_is_shared_and_not_passed() {
    let store = Bandwidth::new(Memory::default(), Some(1_000_000));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for byte in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let (name, content) = object(&vec![byte; 50_000]);
                store.write(&name, &[content]).unwrap();
                store.read(&name, None).unwrap();
            });
        }
    });
    // 400 kB at 1 MB/s; a machine may be slower, never faster.
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[test]
fn append_only_never_removes_nor_overwrites() {
    let memory = Arc::new(Memory::default());
    let store = AppendOnly::new(Arc::clone(&memory), true);
    let (name, content) = object(b"content");
    store.write(&name, from_ref(&content)).unwrap();
    // A second try of the same write is not a fault.
    store.write(&name, from_ref(&content)).unwrap();
    let other = Bytes::from_static(b"something else");
    assert_eq!(store.write(&name, from_ref(&other)).unwrap_err().trouble, Trouble::Guarded);
    assert_eq!(store.remove(&name).unwrap_err().trouble, Trouble::Guarded);
    assert_eq!(store.read(&name, None).unwrap(), content);
    store.write(&Object::config(), from_ref(&content)).unwrap();
    let again = store.write(&Object::config(), from_ref(&content));
    assert_eq!(again.unwrap_err().trouble, Trouble::Guarded, "config has no hash for a name");
    let lock = Object::new(Area::Locks, Id::random());
    store.write(&lock, &[other]).unwrap();
    store.remove(&lock).unwrap();
}

#[test]
fn no_more_is_in_use_than_the_window_allows() {
    let memory = Arc::new(Memory::default());
    let (name, content) = object(&[7; 1_000]);
    memory.write(&name, &[content]).unwrap();
    let store = Window::new(Arc::clone(&memory), 2_500);
    let part = Some(Part { offset: 0, length: 1_000 });
    let (first, second) = (store.read(&name, part).unwrap(), store.read(&name, part).unwrap());
    memory.fail(Plan { fine: 9, failing: 0, trouble: Trouble::Wrong, done: false });
    std::thread::scope(|scope| {
        let third = scope.spawn(|| store.read(&name, part).unwrap());
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(memory.asked(), 0, "the third waits");
        // A slice of an answer is still a use of it.
        let slice = first.slice(..10);
        drop(first);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(memory.asked(), 0, "the third still waits");
        drop(slice);
        assert_eq!(third.join().unwrap().len(), 1_000);
    });
    drop(second);
    // More than the window goes through when nothing else is in use.
    let small = Window::new(memory, 10);
    assert_eq!(small.read(&name, part).unwrap().len(), 1_000);
}

#[test]
fn only_names_of_a_repository_are_names() {
    let name = "0123456789abcdef".repeat(4);
    assert!(id(&name).is_some());
    assert!(id(&name[1..]).is_none());
    assert!(id(&format!("part-{}", &name[5..])).is_none());
    assert!(id("../../etc/passwd").is_none());
}
