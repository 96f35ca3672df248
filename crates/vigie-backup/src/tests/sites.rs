//! Whatever kind of site, what is kept there comes back, restic agrees, and a site that only grows is
//! good for everything but removing.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{told, volume};
use crate::lab::{self, Place, restic};
use crate::lock::Hold;
use crate::*;

const PASSWORD: &str = "a password";

fn made(place: &Place, access: &Access) -> Repository {
    Repository::create_at(&place.site, access, PASSWORD)
        .unwrap_or_else(|error| panic!("{}: {error}", place.kind))
}

/// A directory to keep, with more than one pack of content.
fn tree(at: &Path) {
    std::fs::create_dir(at).unwrap();
    volume(at);
    std::fs::write(at.join("noise"), noise(9 << 20)).unwrap();
}

pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ size as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn every_kind_of_site_keeps_and_gives_back() {
    let what = "repositories at every kind of site";
    for place in lab::every(what) {
        let kept = tempfile::tempdir().unwrap();
        let at = kept.path().join("volume");
        tree(&at);
        let before = told(&at);
        let repository = made(&place, &Access::default());
        let first = repository.put_tree("volume:gmod", "one", &at).unwrap();
        let dump = std::io::Cursor::new(noise(100_000));
        let dumped = repository.put_stream("database", "one", "dump.sql", dump, || Ok(())).unwrap();
        std::fs::write(at.join("run.sh"), "#!/bin/false\n").unwrap();
        // Somebody else opens what is there.
        let again = Repository::open_at(&place.site, &Access::default(), PASSWORD).unwrap();
        let second = again.put_tree("volume:gmod", "two", &at).unwrap();
        assert!(second.added < 20_000, "{}: {second:?}", place.kind);
        assert_eq!(again.snapshots().unwrap().len(), 3, "{}", place.kind);
        let back = kept.path().join("back");
        again.get_tree(&first.id, &back).unwrap();
        assert_eq!(told(&back), before, "{}", place.kind);
        let mut bytes = Vec::new();
        again.get_file(&dumped.id, "dump.sql", &mut bytes).unwrap();
        assert!(bytes == noise(100_000), "{}", place.kind);
        restic::restores(&place.files, &first.id, what, |at| assert_eq!(told(at), before));
        restic::restores(&place.files, &dumped.id, what, |at| {
            assert!(std::fs::read(at.join("dump.sql")).unwrap() == noise(100_000));
        });
        again.forget(&[first.id, second.id]).unwrap();
        let would = again.would_prune(Writers::Locking).unwrap();
        assert!(would.bytes > 9 << 20, "{}: {would:?}", place.kind);
        assert_eq!(again.prune_with(Writers::Locking).unwrap(), would, "{}", place.kind);
        repository.check().unwrap();
        restic::agrees(&place.files, what);
        let wrong = Repository::open_at(&place.site, &Access::default(), "x").unwrap_err();
        assert!(matches!(wrong, Error::Password(_)), "{}: {wrong}", place.kind);
        let twice = Repository::create_at(&place.site, &Access::default(), "x").unwrap_err();
        assert!(matches!(twice, Error::Exists(_)), "{}: {twice}", place.kind);
    }
}

#[test]
fn a_site_that_only_grows_is_good_for_all_but_removing() {
    let what = "append-only sites";
    let mut all = vec![(lab::local(), Access::append_only())];
    // Here it is the server that refuses, as it does for a key that cannot delete.
    all.extend(lab::rest_append_only(what).map(|place| (place, Access::default())));
    all.extend(lab::rest_append_only(what).map(|place| (place, Access::append_only())));
    for (place, access) in all {
        let kept = tempfile::tempdir().unwrap();
        let at = kept.path().join("volume");
        std::fs::create_dir(&at).unwrap();
        volume(&at);
        let repository = made(&place, &access);
        let first = repository.put_tree("volume", "one", &at).unwrap();
        std::fs::write(at.join("more"), noise(5_000)).unwrap();
        repository.put_tree("volume", "two", &at).unwrap();
        // What failed leaves nothing that would have to be removed.
        let fails = std::io::Cursor::new(noise(9_000));
        let failed = || Err(String::from("exit code 2"));
        repository.put_stream("database", "one", "dump.sql", fails, failed).unwrap_err();
        assert_eq!(repository.snapshots().unwrap().len(), 2);
        repository.get_tree(&first.id, &kept.path().join("back")).unwrap();
        for refused in [
            repository.forget(std::slice::from_ref(&first.id)).unwrap_err(),
            repository.prune().unwrap_err(),
        ] {
            if access.append_only {
                assert!(matches!(refused, Error::AppendOnly(_)), "{}: {refused}", place.kind);
                assert!(refused.to_string().contains("a key that can delete"), "{refused}");
            } else {
                let refused = refused.to_string();
                assert!(refused.contains("403") || refused.contains("405"), "{refused}");
            }
        }
        assert_eq!(repository.snapshots().unwrap().len(), 2);
        repository.check().unwrap();
        restic::agrees(&place.files, what);
    }
}

#[test]
fn a_site_that_dies_ends_the_work_soon_and_what_was_kept_is_there() {
    for mut place in lab::every("sites that die during a backup") {
        let Some(mut server) = place.server.take() else { continue };
        let kept = tempfile::tempdir().unwrap();
        let access = Access { tries: 2, ..Access::default() };
        let repository = made(&place, &access);
        let first = std::io::Cursor::new(noise(1_000));
        repository.put_stream("database", "one", "dump.sql", first, || Ok(())).unwrap();
        let (begun, ready) = (std::sync::mpsc::channel(), 10 << 20);
        let end = std::sync::mpsc::channel().1;
        let reader =
            Signalling { left: 200 << 20, signal: Some(begun.0), after: ready, may_end: end };
        let done = std::thread::scope(|scope| {
            let putting = scope
                .spawn(|| repository.put_stream("database", "two", "dump.sql", reader, || Ok(())));
            begun.1.recv().unwrap();
            server.kill();
            let killed = Instant::now();
            (putting.join().unwrap(), killed.elapsed())
        });
        let error = done.0.unwrap_err();
        let trouble = |error: &Error| match error {
            Error::Site { trouble, .. } => Some(*trouble),
            _ => None,
        };
        assert_eq!(trouble(&error), Some(SiteTrouble::Unreachable), "{}: {error}", place.kind);
        assert!(!error.to_string().contains("secret"), "{error}");
        // Pack by pack, this would be many minutes.
        assert!(done.1 < Duration::from_secs(90), "{}: {:?}", place.kind, done.1);
        let here = Repository::open(&place.files, PASSWORD).unwrap();
        assert_eq!(here.snapshots().unwrap().len(), 1, "{}", place.kind);
        here.get_tree(&here.snapshots().unwrap()[0].0, &kept.path().join("back")).unwrap();
    }
}

/// Noise, slowly repeated, that says when enough of it was read, and does not end before it may.
struct Signalling {
    left: usize,
    signal: Option<std::sync::mpsc::Sender<()>>,
    after: usize,
    may_end: std::sync::mpsc::Receiver<()>,
}

impl std::io::Read for Signalling {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.left);
        for (index, byte) in buffer[..count].iter_mut().enumerate() {
            let at = (self.left - index) as u64;
            *byte = (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
        }
        self.left -= count;
        self.after = self.after.saturating_sub(count);
        if self.after == 0
            && let Some(signal) = self.signal.take()
        {
            signal.send(()).unwrap();
        }
        if count == 0 {
            // Whoever has failed does not tell it any more.
            let _ = self.may_end.recv_timeout(Duration::from_secs(60));
        }
        Ok(count)
    }
}

#[test]
fn nobody_prunes_while_somebody_writes() {
    let place = lab::local();
    let repository = made(&place, &Access::default());
    let (begun, end) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let reader =
        Signalling { left: 3 << 20, signal: Some(begun.0), after: 1 << 20, may_end: end.1 };
    std::thread::scope(|scope| {
        let putting =
            scope.spawn(|| repository.put_stream("database", "one", "dump.sql", reader, || Ok(())));
        begun.1.recv().unwrap();
        let refused = repository.with_patience(Duration::ZERO).prune().unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        for program in restic::every("locks that restic respects") {
            let refused = restic::prunes(&program, &place.files).unwrap_err();
            assert!(refused.contains("already locked"), "{program:?}: {refused}");
        }
        // Two may write at once.
        let other = std::io::Cursor::new(noise(1_000));
        repository.put_stream("other", "one", "dump.sql", other, || Ok(())).unwrap();
        end.0.send(()).unwrap();
        putting.join().unwrap().unwrap();
    });
    repository.prune().unwrap();
    for program in restic::every("locks that restic respects") {
        restic::prunes(&program, &place.files).unwrap();
    }
    restic::agrees(&place.files, "locks that restic respects");
    assert_eq!(repository.snapshots().unwrap().len(), 2);
}

#[test]
fn who_reads_while_somebody_removes_waits_for_the_end_of_it() {
    let place = lab::local();
    let repository = made(&place, &Access::default());
    let dump = std::io::Cursor::new(noise(1_000));
    let stored = repository.put_stream("database", "one", "dump.sql", dump, || Ok(())).unwrap();
    let (begun, begins) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let removing = scope.spawn(|| {
            repository.holding(Hold::Alone, |_, _| {
                begun.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(800));
                Ok(())
            })
        });
        begins.recv().unwrap();
        let mut bytes = Vec::new();
        let hasty = repository.with_patience(Duration::ZERO);
        let refused = hasty.get_file(&stored.id, "dump.sql", &mut bytes).unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        repository.get_file(&stored.id, "dump.sql", &mut bytes).unwrap();
        assert!(bytes == noise(1_000));
        removing.join().unwrap().unwrap();
    });
}

#[test]
fn restic_that_writes_is_not_pruned_under() {
    let place = lab::local();
    let repository = made(&place, &Access::default());
    for program in restic::every("restic's own locks") {
        let mut writing = restic::Writing::start(&program, &place.files);
        // It waits for the rest of its input, with its lock on.
        while std::fs::read_dir(place.files.join("locks")).unwrap().count() == 0 {
            assert!(writing.goes_on(), "restic ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        let refused = repository.with_patience(Duration::ZERO).prune().unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        let other = std::io::Cursor::new(noise(1_000));
        repository.put_stream("other", "one", "dump.sql", other, || Ok(())).unwrap();
        writing.ends();
        repository.prune().unwrap();
    }
    repository.check().unwrap();
    assert!(repository.verify(100).unwrap().is_sound());
}

#[test]
fn where_others_write_without_locks_prune_marks_first() {
    let place = lab::local();
    let repository = made(&place, &Access::default());
    let dump = std::io::Cursor::new(noise(9 << 20));
    let stored = repository.put_stream("database", "one", "dump.sql", dump, || Ok(())).unwrap();
    let other = std::io::Cursor::new(noise(1_000));
    repository.put_stream("other", "one", "dump.sql", other, || Ok(())).unwrap();
    let size = || -> u64 {
        let shelves = std::fs::read_dir(place.files.join("data")).unwrap();
        let packs = shelves.flat_map(|one| std::fs::read_dir(one.unwrap().path()).unwrap());
        packs.map(|pack| pack.unwrap().metadata().unwrap().len()).sum()
    };
    repository.forget(&[stored.id]).unwrap();
    let would = repository.would_prune(Writers::Any).unwrap();
    assert!(would.marked > 9 << 20 && would.bytes == 0, "{would:?}");
    assert_eq!(repository.prune_with(Writers::Any).unwrap(), would);
    assert!(size() > 9 << 20, "it is only marked");
    repository.prune_with(Writers::Any).unwrap();
    assert!(size() > 9 << 20, "its day is not over");
    // Whoever needs it meanwhile has it back.
    let dump = std::io::Cursor::new(noise(9 << 20));
    repository.put_stream("database", "two", "dump.sql", dump, || Ok(())).unwrap();
    repository.check().unwrap();
    restic::agrees(&place.files, "prunes that mark");
    let all = repository.snapshots().unwrap();
    let two: Vec<_> =
        all.iter().filter(|one| one.1 == "database").map(|one| one.0.clone()).collect();
    repository.forget(&two).unwrap();
    let freed = repository.prune_with(Writers::Locking).unwrap();
    assert!(freed.bytes > 9 << 20 && freed.marked == 0, "{freed:?}");
    assert!(size() < 100_000, "{}", size());
    repository.check().unwrap();
}

#[test]
fn what_killed_writers_left_is_swept() {
    let mut places = vec![lab::local()];
    places.extend(lab::sftp("parts on an SFTP site"));
    places.extend(lab::webdav("parts on a WebDAV site"));
    for place in places {
        let repository = made(&place, &Access::default());
        let part = place.files.join("part-0123456789abcdef");
        std::fs::write(&part, "half").unwrap();
        repository.prune().unwrap();
        assert!(!part.exists(), "{}", place.kind);
        repository.check().unwrap();
    }
}
