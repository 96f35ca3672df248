//! A second site gets what it lacks and nothing else, goes on where it was interrupted, and is never
//! given what is damaged.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sites::noise;
use super::{told, volume};
use crate::lab::{self, restic};
use crate::store::memory::{Memory, Plan};
use crate::store::{Area, Object, Store, Trouble};
use crate::*;

const PASSWORD: &str = "a password";

fn first(at: &Path) -> (Repository, std::path::PathBuf) {
    let repository = Repository::create(&at.join("first"), PASSWORD).unwrap();
    let volume_at = at.join("volume");
    std::fs::create_dir(&volume_at).unwrap();
    volume(&volume_at);
    std::fs::write(volume_at.join("noise"), noise(12 << 20)).unwrap();
    repository.put_tree("volume", "one", &volume_at).unwrap();
    (repository, volume_at)
}

#[derive(Debug, Default)]
struct Counter {
    total: AtomicU64,
    done: AtomicU64,
}

impl Meter for Counter {
    fn total(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::SeqCst);
    }

    fn more(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::SeqCst);
    }
}

#[test]
fn only_what_is_lacking_is_copied() {
    let kept = tempfile::tempdir().unwrap();
    let (repository, at) = first(kept.path());
    let what = "copies between sites";
    let mut places = vec![lab::local()];
    places.extend(lab::s3(what));
    let seconds: Vec<_> = places
        .iter()
        .map(|place| repository.create_like(&place.site, &Access::append_only(), PASSWORD).unwrap())
        .collect();
    let copied = |second: &Repository| {
        let counter = Arc::new(Counter::default());
        let copied =
            repository.with_meter(Arc::<Counter>::clone(&counter)).copy_to(second).unwrap();
        let (total, done) = (&counter.total, &counter.done);
        assert_eq!(total.load(Ordering::SeqCst), done.load(Ordering::SeqCst));
        (copied, done.load(Ordering::SeqCst))
    };
    for (second, place) in seconds.iter().zip(&places) {
        let (done, bytes) = copied(second);
        assert_eq!(done, Copied { snapshots: 1, known: 0 });
        assert!(bytes > 12 << 20, "{bytes}");
        assert_eq!(copied(second), (Copied { snapshots: 0, known: 1 }, 0));
        // What was cut here would be cut in the same places there.
        let direct = second.put_tree("volume", "direct", &at).unwrap();
        assert!(direct.added < 10_000, "{}: {direct:?}", place.kind);
    }
    std::fs::write(at.join("small"), "2").unwrap();
    repository.put_tree("volume", "two", &at).unwrap();
    for (second, place) in seconds.iter().zip(&places) {
        let (done, bytes) = copied(second);
        assert_eq!(done, Copied { snapshots: 1, known: 1 });
        assert!(bytes < 20_000, "{bytes}");
        second.check().unwrap();
        let all = second.snapshots().unwrap();
        let two = all.iter().find(|(_, _, tags)| tags == &["two"]).unwrap();
        let back = tempfile::tempdir().unwrap();
        second.get_tree(&two.0, &back.path().join("back")).unwrap();
        assert_eq!(told(&back.path().join("back")), told(&at));
        restic::agrees(&place.files, what);
    }
}

#[test]
fn strangers_are_not_copied_to() {
    let kept = tempfile::tempdir().unwrap();
    let (repository, _) = first(kept.path());
    let stranger = Repository::create(&kept.path().join("second"), PASSWORD).unwrap();
    let refused = repository.copy_to(&stranger).unwrap_err();
    assert!(matches!(refused, Error::Strangers(_)), "{refused}");
    assert!(refused.to_string().contains("like"), "{refused}");
}

#[test]
fn an_interrupted_copy_goes_on_where_it_was() {
    let kept = tempfile::tempdir().unwrap();
    let (repository, _) = first(kept.path());
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
    let access = Access { tries: 1, ..Access::default() };
    let second =
        Repository::create_in(Arc::clone(&store), &access, PASSWORD, Some(&repository)).unwrap();
    // Everything fails after the packs were written: their index is not.
    memory.fail_writes(Area::Index);
    let error = repository.copy_to(&second).unwrap_err();
    assert!(error.to_string().contains("memory"), "the other site is named: {error}");
    let packs = || -> u64 { store.list(Area::Data).unwrap().iter().map(|(_, size)| size).sum() };
    let before = packs();
    assert!(before > 8 << 20, "{before}");
    assert!(second.snapshots().unwrap().is_empty());
    memory.fail(Plan { fine: 0, failing: 0, trouble: Trouble::Passing, done: false });
    repository.copy_to(&second).unwrap();
    // The last pack was on its way at most.
    assert!(packs() - before < 9 << 20, "{} after {before}", packs());
    second.check().unwrap();
    assert_eq!(second.snapshots().unwrap().len(), 1);
}

#[test]
fn an_interrupted_first_backup_goes_on_where_it_was() {
    let kept = tempfile::tempdir().unwrap();
    let at = kept.path().join("volume");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("noise"), noise(20 << 20)).unwrap();
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
    let access = Access { tries: 1, ..Access::default() };
    let repository = Repository::create_in(Arc::clone(&store), &access, PASSWORD, None).unwrap();
    memory.fail_writes(Area::Index);
    repository.put_tree("volume", "one", &at).unwrap_err();
    memory.fail(Plan { fine: 0, failing: 0, trouble: Trouble::Passing, done: false });
    let packs = || -> u64 { store.list(Area::Data).unwrap().iter().map(|(_, size)| size).sum() };
    let before = packs();
    assert!(before > 16 << 20, "{before}");
    let stored = repository.put_tree("volume", "one", &at).unwrap();
    assert!(stored.added < 9 << 20, "{stored:?}");
    repository.check().unwrap();
    // A pack that is not whole is not taken in, and the next prune removes it.
    let torn = Object::new(Area::Data, crate::crypt::hash(b"torn"));
    store.write(&torn, &[noise(5_000).into()]).unwrap();
    repository.put_tree("another", "one", &at).unwrap();
    repository.check().unwrap();
    repository.prune().unwrap();
    assert_eq!(store.size(&torn).unwrap(), None);
    repository.check().unwrap();
}

#[test]
fn what_is_damaged_is_not_spread() {
    let kept = tempfile::tempdir().unwrap();
    let (repository, _) = first(kept.path());
    // Each time another one, since whatever is sound of a copy that fails is used by the next.
    let second = |name: &str| {
        let site = Site::Local(kept.path().join(name));
        repository.create_like(&site, &Access::default(), PASSWORD).unwrap()
    };
    let first = Site::Local(kept.path().join("first")).open().unwrap();
    for (id, _) in first.list(Area::Data).unwrap() {
        let object = Object::new(Area::Data, id);
        let content = first.read(&object, None).unwrap();
        let mut flipped = content.to_vec();
        flipped[100] ^= 1;
        first.write(&object, &[flipped.into()]).unwrap();
        let second = second(&id.to_hex());
        repository.copy_to(&second).unwrap_err();
        assert!(second.snapshots().unwrap().is_empty());
        first.write(&object, &[content]).unwrap();
    }
    let second = second("second");
    // The index forgets a file's content: nothing is damaged, something is just not there.
    let index = crate::pack::forget_for_test(&first, &repository.seal().unwrap());
    let error = repository.copy_to(&second).unwrap_err();
    assert!(error.to_string().contains("repair"), "{error}");
    assert!(second.snapshots().unwrap().is_empty());
    for (object, content) in index {
        first.write(&object, &[content]).unwrap();
    }
    repository.copy_to(&second).unwrap();
    second.check().unwrap();
}
