//! Decides nothing: a log is followed, cut off anywhere, and followed again.

use proptest::prelude::*;

use super::log::*;
use crate::binlog::*;

/// What is kept of a log.
#[derive(Default)]
struct Kept {
    files: Vec<(String, Vec<u8>)>,
    tail: Option<(String, Tail)>,
    between: usize,
}

impl Kept {
    /// Takes what is sent until `count` events are through or it does not go on.
    fn follow(&mut self, sent: &[Vec<u8>], count: usize) -> Result<usize, FollowError> {
        let mut follow = match &self.tail {
            Some((file, tail)) => Follow::after(file, *tail),
            None => Follow::from_oldest(),
        };
        for bytes in sent.iter().take(count) {
            let Step::Keep(keep) = follow.take(bytes)? else { continue };
            let file = follow.at().unwrap().file.clone();
            if self.files.last().is_none_or(|(last, _)| *last != file) {
                assert!(keep.opens.is_some(), "a new file begins a new piece");
                self.files.push((file.clone(), MAGIC.to_vec()));
            }
            self.files.last_mut().unwrap().1.extend(bytes);
            self.tail = Some((file, Tail::of(keep.offset, bytes)));
            self.between += usize::from(matches!(keep.place, Place::Ended(_)));
        }
        Ok(count)
    }

    /// What has to be asked for.
    fn from(&self, log: &Log) -> (usize, u64) {
        let Some((file, tail)) = &self.tail else { return (0, 4) };
        let index = log.files.iter().position(|(name, _)| name == file).unwrap();
        (index, tail.offset)
    }
}

fn log_of(commits: &[(u8, bool)]) -> Log {
    log_that(commits, false)
}

fn log_that(commits: &[(u8, bool)], silent: bool) -> Log {
    let mut log = Log::new();
    log.silent = silent;
    for (rows, rotates) in commits {
        log.commit(100, *rows);
        if *rotates {
            log.rotate();
        }
    }
    log
}

proptest! {
    #[test]
    fn however_often_it_is_cut_off_the_files_are_the_servers(
        commits in proptest::collection::vec((0_u8..4, proptest::bool::weighted(0.2)), 1..30),
        cuts in proptest::collection::vec(1_usize..12, 1..40),
        silent in any::<bool>(),
    ) {
        let log = log_that(&commits, silent);
        let mut kept = Kept::default();
        for cut in cuts.into_iter().chain([10_000]) {
            let (index, offset) = kept.from(&log);
            kept.follow(&log.sent(index, offset), cut).unwrap();
        }
        prop_assert_eq!(kept.files.len(), log.files.len());
        for (index, (name, bytes)) in kept.files.iter().enumerate() {
            prop_assert_eq!(name, &log.files[index].0);
            prop_assert_eq!(bytes, &log.bytes(index));
        }
    }

    #[test]
    fn an_event_that_is_left_out_is_a_gap_and_one_that_changed_is_seen(
        commits in proptest::collection::vec((0_u8..4, proptest::bool::weighted(0.2)), 2..20),
        victim in any::<proptest::sample::Index>(),
        flip in any::<proptest::sample::Index>(),
        silent in any::<bool>(),
    ) {
        let log = log_that(&commits, silent);
        let sent = log.sent(0, 4);
        // The last event of a file may be missing there: a server that was killed wrote none.
        let inner = |i: &usize| sent[*i][17] == 0 && sent[i + 1][17] == 0;
        let inner: Vec<usize> = (1..sent.len() - 1).filter(inner).collect();
        let victim = inner[victim.index(inner.len())];
        let mut without = sent.clone();
        without.remove(victim);
        prop_assert!(Kept::default().follow(&without, 10_000).is_err());
        let mut changed = sent;
        let at = 19 + flip.index(changed[victim].len() - 19);
        changed[victim][at] ^= 0x10;
        prop_assert!(Kept::default().follow(&changed, 10_000).is_err());
    }

    #[test]
    fn whatever_is_sent_nothing_panics(
        events in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..8),
        kinds in proptest::collection::vec(any::<u8>(), 8),
    ) {
        let mut follow = Follow::from_oldest();
        for (bytes, kind) in events.iter().zip(kinds) {
            let _ = follow.take(bytes);
            let _ = follow.take(&event(kind, 1, 0, 0, bytes));
            let _ = follow.take(&event(kind, 1, 4, 0, bytes));
        }
    }
}

#[test]
fn a_log_that_was_reset_does_not_join() {
    let mut kept = Kept::default();
    kept.follow(&log_of(&[(1, false), (1, false)]).sent(0, 4), 10_000).unwrap();
    let mut other = Log::new();
    for _ in 0..3 {
        other.commit(200, 1);
    }
    let (index, offset) = kept.from(&other);
    let error = kept.follow(&other.sent(index, offset), 10_000).unwrap_err();
    assert!(matches!(error, FollowError::Gap(Gap::Foreign(_))), "{error}");
}

#[test]
fn a_file_that_is_left_out_is_named() {
    let log = log_of(&[(1, true), (1, true), (1, false)]);
    let mut sent = log.sent(0, 4);
    let second = sent.iter().position(|bytes| *bytes == moved("bin.000002", 4)).unwrap();
    let third = sent.iter().position(|bytes| *bytes == moved("bin.000003", 4)).unwrap();
    sent.drain(second..third);
    let error = Kept::default().follow(&sent, 10_000).unwrap_err();
    assert!(error.to_string().contains("goes on with bin.000003"), "{error}");
}

#[test]
fn a_heartbeat_is_in_no_file() {
    let log = log_of(&[(1, false)]);
    let mut follow = Follow::from_oldest();
    for bytes in log.sent(0, 4) {
        follow.take(&bytes).unwrap();
    }
    let before = follow.at().cloned();
    let beat = event(HEARTBEAT, 0, log.end(), 0, b"bin.000001");
    assert_eq!(follow.take(&beat).unwrap(), Step::Pass);
    assert_eq!(follow.at().cloned(), before);
}

#[test]
fn from_a_name_on_the_first_transaction_is_the_first_that_is_kept() {
    let log = log_of(&[(1, false), (2, false)]);
    let mut follow = Follow::from_name();
    let kept: Vec<_> = log
        .sent(0, 4)
        .iter()
        .filter_map(|bytes| match follow.take(bytes).unwrap() {
            Step::Keep(keep) => Some(keep),
            _ => None,
        })
        .collect();
    assert_eq!(kept[0].opens, Some(None));
    assert_eq!(kept.iter().filter(|keep| keep.group().is_some()).count(), 2);
}
