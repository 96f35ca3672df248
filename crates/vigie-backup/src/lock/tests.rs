//! Nobody prunes while somebody writes, and nobody who is gone is in the way.

use std::sync::Mutex;

use rustic_core::repofile::MasterKey;

use super::keeper::Round;
use super::*;
use crate::store::memory::{Memory, Plan};

/// As long as anybody waits for a test.
const PATIENT: Duration = Duration::from_secs(60);

type Place = (Arc<Memory>, Arc<dyn Store>, Seal, Breaker<Arc<dyn Store>>);

fn place() -> Place {
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
    let seal = Seal::new(&MasterKey::new()).unwrap();
    let fence = Breaker::new(Arc::clone(&store));
    (memory, store, seal, fence)
}

/// Without waiting for anybody.
fn take(
    store: &Arc<dyn Store>,
    seal: &Seal,
    hold: Hold,
    fence: &Breaker<Arc<dyn Store>>,
) -> Result<Lock, Refused> {
    super::take(store, seal, hold, fence, Duration::ZERO)
}

#[test]
fn writers_share_and_whoever_removes_is_alone() {
    let (_, store, seal, fence) = place();
    let lock = |hold| take(&store, &seal, hold, &fence);
    let one = lock(Hold::Write).unwrap();
    let two = lock(Hold::Read).unwrap();
    let Err(Refused::By(holder)) = lock(Hold::Alone) else { panic!("alone with two others") };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    assert_eq!(store.list(Area::Locks).unwrap().len(), 2, "a lock that was refused is not left");
    drop((one, two));
    let alone = lock(Hold::Alone).unwrap();
    for hold in [Hold::Read, Hold::Write, Hold::Alone] {
        assert!(matches!(lock(hold), Err(Refused::By(_))), "{hold:?}");
    }
    drop(alone);
    assert_eq!(store.list(Area::Locks).unwrap(), []);
    assert!(!lock(Hold::Write).unwrap().interrupted);
}

#[test]
fn of_many_that_come_at_once_only_one_is_alone() {
    let (_, store, seal, fence) = place();
    let inside = std::sync::atomic::AtomicU32::new(0);
    let taken = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    if let Ok(_lock) = take(&store, &seal, Hold::Alone, &fence) {
                        use std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, SeqCst), 0, "two are alone");
                        taken.fetch_add(1, SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(store.list(Area::Locks).unwrap(), []);
    assert!(take(&store, &seal, Hold::Alone, &fence).is_ok());
}

#[test]
fn whoever_may_wait_comes_when_the_other_is_done() {
    let (_, store, seal, fence) = place();
    for (first, then) in
        [(Hold::Alone, Hold::Read), (Hold::Alone, Hold::Alone), (Hold::Write, Hold::Alone)]
    {
        let held = take(&store, &seal, first, &fence).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| super::take(&store, &seal, then, &fence, PATIENT));
            std::thread::sleep(Duration::from_millis(400));
            assert!(!waiting.is_finished(), "{first:?} and then {then:?}");
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }
    assert_eq!(store.list(Area::Locks).unwrap(), []);
}

#[test]
fn nobody_waits_longer_than_they_may() {
    let (_, store, seal, fence) = place();
    let _held = take(&store, &seal, Hold::Alone, &fence).unwrap();
    let (began, patience) = (Instant::now(), Duration::from_millis(300));
    let refused = super::take(&store, &seal, Hold::Write, &fence, patience);
    assert!(matches!(refused, Err(Refused::By(_))), "{refused:?}");
    assert!(began.elapsed() >= patience && began.elapsed() < PATIENT, "{:?}", began.elapsed());
    assert_eq!(store.list(Area::Locks).unwrap().len(), 1, "one that was refused is not left");
}

#[test]
fn all_who_wait_to_be_alone_are_it_in_the_end() {
    let (_, store, seal, fence) = place();
    let inside = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                use std::sync::atomic::Ordering::SeqCst;
                let _lock = super::take(&store, &seal, Hold::Alone, &fence, PATIENT).unwrap();
                assert_eq!(inside.fetch_add(1, SeqCst), 0, "two are alone");
                std::thread::sleep(Duration::from_millis(50));
                inside.fetch_sub(1, SeqCst);
            });
        }
    });
    assert_eq!(store.list(Area::Locks).unwrap(), []);
}

/// And that somebody was killed is not forgotten while another one is waited for.
#[test]
fn whoever_is_killed_while_they_are_waited_for_is_in_nobodys_way() {
    let (_, store, seal, fence) = place();
    let id = left_behind(&store, &seal, |_| {});
    live::begins(id);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| super::take(&store, &seal, Hold::Write, &fence, PATIENT));
        std::thread::sleep(Duration::from_millis(400));
        assert!(!waiting.is_finished());
        live::ends(id);
        assert!(waiting.join().unwrap().unwrap().interrupted);
    });
    let held = take(&store, &seal, Hold::Write, &fence).unwrap();
    left_behind(&store, &seal, |holder| holder["pid"] = u32::MAX.into());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| super::take(&store, &seal, Hold::Alone, &fence, PATIENT));
        std::thread::sleep(Duration::from_millis(400));
        drop(held);
        assert!(waiting.join().unwrap().unwrap().interrupted);
    });
}

fn left_behind(
    store: &Arc<dyn Store>,
    seal: &Seal,
    change: impl FnOnce(&mut serde_json::Value),
) -> Id {
    let mut holder = serde_json::to_value(Holder::me(true)).unwrap();
    change(&mut holder);
    let id = write(store, seal, &serde_json::from_value(holder).unwrap()).unwrap();
    live::ends(id);
    id
}

#[test]
fn whoever_is_gone_is_in_nobodys_way_and_leaves_a_trace() {
    let (_, store, seal, fence) = place();
    let ago = |minutes: i64| {
        let then = Timestamp::now().as_second() - 60 * minutes;
        serde_json::Value::from(Timestamp::from_second(then).unwrap().to_string())
    };
    let gone: [&dyn Fn(&mut serde_json::Value); 4] = [
        &|holder| holder["time"] = ago(31),
        &|holder| holder["time"] = ago(-31),
        // A process number that was used again.
        &|holder| holder["vigie"]["started"] = "1".into(),
        &|holder| holder["pid"] = u32::MAX.into(),
    ];
    for change in gone {
        left_behind(&store, &seal, change);
        let lock = take(&store, &seal, Hold::Alone, &fence).unwrap();
        assert!(lock.interrupted);
        assert_eq!(store.list(Area::Locks).unwrap().len(), 1);
    }
    let alive: [&dyn Fn(&mut serde_json::Value); 4] = [
        &|holder| holder["time"] = ago(29),
        // The number of a process of another machine, or of another container, says nothing here.
        &|holder| (holder["pid"], holder["vigie"]["boot"]) = (u32::MAX.into(), "x".into()),
        &|holder| (holder["pid"], holder["vigie"]["namespace"]) = (u32::MAX.into(), "x".into()),
        &|holder| (holder["pid"], holder["vigie"]) = (u32::MAX.into(), serde_json::Value::Null),
    ];
    for change in alive {
        let id = left_behind(&store, &seal, change);
        live::begins(id);
        assert!(matches!(take(&store, &seal, Hold::Write, &fence), Err(Refused::By(_))));
        live::ends(id);
        for (id, _) in store.list(Area::Locks).unwrap() {
            store.remove(&Object::new(Area::Locks, id)).unwrap();
        }
    }
}

#[test]
fn a_lock_that_could_not_be_taken_off_is_not_held() {
    let (memory, store, seal, fence) = place();
    let alone = take(&store, &seal, Hold::Alone, &fence).unwrap();
    memory.fail(Plan { fine: 0, failing: 99, trouble: Trouble::Passing, done: false });
    drop(alone);
    memory.fail(Plan::FINE);
    assert_eq!(store.list(Area::Locks).unwrap().len(), 1);
    assert!(take(&store, &seal, Hold::Alone, &fence).unwrap().interrupted);
}

#[test]
fn half_a_lock_is_none() {
    let (_, store, seal, fence) = place();
    let torn = Object::new(Area::Locks, Id::random());
    store.write(&torn, &["torn".into()]).unwrap();
    assert!(take(&store, &seal, Hold::Alone, &fence).unwrap().interrupted);
    assert_eq!(store.size(&torn).unwrap(), None);
}

#[test]
fn a_site_that_may_only_be_read_is_read() {
    let (memory, store, seal, fence) = place();
    memory.fail(Plan { fine: 1, failing: 9, trouble: Trouble::Refused, done: false });
    take(&store, &seal, Hold::Read, &fence).unwrap();
    memory.fail(Plan { fine: 1, failing: 9, trouble: Trouble::Refused, done: false });
    assert!(matches!(take(&store, &seal, Hold::Write, &fence), Err(Refused::Site(_))));
}

#[test]
fn a_lock_is_renewed_and_its_loss_is_told() {
    let (memory, store, seal, _) = place();
    let holder = Holder::me(false);
    let begun = holder.time;
    let after = |minutes: i64| Timestamp::from_second(begun.as_second() + 60 * minutes).unwrap();
    let first = write(&store, &seal, &holder).unwrap();
    let files = Arc::new(Mutex::new(vec![first]));
    let round = || Round {
        store: Arc::clone(&store),
        seal: seal.clone(),
        holder: holder.clone(),
        files: Arc::clone(&files),
    };
    round().tick(after(4)).unwrap();
    assert_eq!(*files.lock().unwrap(), [first], "not yet");
    round().tick(after(6)).unwrap();
    let second = files.lock().unwrap()[0];
    assert_ne!(second, first);
    let there: Vec<_> = store.list(Area::Locks).unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(there, [second]);
    // A site that is away does not end the work at once, but before others take the lock for stale.
    memory.fail(Plan { fine: 0, failing: u32::MAX, trouble: Trouble::Passing, done: false });
    round().tick(after(20)).unwrap();
    assert_eq!(round().tick(after(26)).unwrap_err().trouble, Trouble::Late);
    memory.fail(Plan { fine: 0, failing: 0, trouble: Trouble::Passing, done: false });
    store.remove(&Object::new(Area::Locks, second)).unwrap();
    assert!(round().tick(after(6)).unwrap_err().why.contains("removed"));
}
