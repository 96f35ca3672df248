//! Decides nothing: what is picked is compared with a history that knows everything.

use proptest::prelude::*;

use crate::binlog::*;

/// One file of 100 bytes a transaction; the time of each.
#[derive(Debug)]
struct History {
    times: Vec<i64>,
    /// After how many transactions a piece ends.
    cuts: Vec<usize>,
    /// After how many transactions a file ends.
    files: Vec<usize>,
}

impl History {
    fn at(&self, index: usize) -> Position {
        let begun = self.files.iter().copied().filter(|end| *end < index).max().unwrap_or(0);
        let number = 1 + self.files.iter().filter(|end| **end < index).count();
        Position::new(format!("bin.{number:06}"), 4 + 100 * (index - begun) as u64)
    }

    fn gtid(index: usize) -> Gtid {
        Gtid::MariaDb { domain: 0, server: 7, number: index as u64 + 1 }
    }

    fn segments(&self) -> Vec<Segment> {
        let mut ends: Vec<usize> = self.cuts.iter().chain(&self.files).copied().collect();
        ends.push(self.times.len());
        ends.retain(|end| *end > 0 && *end <= self.times.len());
        ends.sort_unstable();
        ends.dedup();
        let mut begin = 0;
        let mut follows = None;
        let mut segments = Vec::new();
        for end in ends {
            let last = self.at(end);
            let first = if self.files.contains(&begin) || begin == 0 {
                Position::new(last.file.clone(), 4)
            } else {
                self.at(begin)
            };
            let mut segment = segment(&first, last.offset, follows.take());
            for index in begin..end {
                let time = self.times[index];
                segment.note(&Group { gtid: Some(Self::gtid(index)), time });
            }
            follows = Some(last);
            segments.push(segment);
            begin = end;
        }
        segments
    }

    fn dump(&self, index: usize) -> Dump {
        let taken = self.times[..index].iter().copied().max().unwrap_or(0);
        Dump {
            id: index.to_string(),
            server: 7,
            at: self.at(index),
            gtids: Some(if index == 0 { String::new() } else { format!("0-7-{index}") }),
            taken,
        }
    }

    /// The transactions that a plan leaves the database with.
    fn play(&self, plan: &Plan) -> usize {
        let mut index: usize = plan.dump.id.parse().unwrap();
        for piece in &plan.pieces {
            let segment = &piece.segment;
            let mut offset = piece.from;
            while offset < segment.last {
                let group = Group { gtid: Some(Self::gtid(index)), time: self.times[index] };
                if plan.stop.is_before(&group) {
                    return index;
                }
                index += 1;
                offset += 100;
                if plan.stop.is_after(&group) {
                    return index;
                }
            }
        }
        index
    }
}

fn segment(first: &Position, last: u64, follows: Option<Position>) -> Segment {
    Segment {
        server: 7,
        chain: 1,
        file: first.file.clone(),
        first: first.offset,
        last,
        head: 4,
        size: last,
        sha256: String::new(),
        follows,
        checksummed: true,
        begun: None,
        groups: 0,
        first_gtid: None,
        last_gtid: None,
        gtids: Spans::default(),
        first_time: None,
        last_time: None,
        latest: None,
        tail: Tail { offset: 0, size: 0, print: 0 },
        sealed: 0,
    }
}

fn history() -> impl Strategy<Value = History> {
    let steps = proptest::collection::vec(0_i64..3, 1..40);
    let some = || proptest::collection::vec(1_usize..40, 0..6);
    (steps, some(), some()).prop_map(|(steps, cuts, mut files)| {
        let mut time = 1_000;
        let times: Vec<i64> = steps
            .into_iter()
            .map(|step| {
                time += step;
                time
            })
            .collect();
        files.retain(|end| *end < times.len());
        files.sort_unstable();
        files.dedup();
        History { times, cuts, files }
    })
}

proptest! {
    #[test]
    fn a_moment_has_what_was_before_it_and_nothing_else(
        history in history(),
        dumps in proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
        second in 998_i64..1_085,
        lost in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let dumps: Vec<Dump> =
            dumps.iter().map(|at| history.dump(at.index(history.times.len() + 1))).collect();
        let mut segments = history.segments();
        if let Some(lost) = &lost {
            segments.remove(lost.index(segments.len()));
        }
        let right = history.times.iter().position(|time| *time >= second);
        match pick(&dumps, &segments, None, &Target::Moment(second)) {
            Ok(plan) => {
                prop_assert_eq!(history.play(&plan), right.unwrap_or(history.times.len()));
                for two in plan.pieces.windows(2) {
                    prop_assert!(two[1].segment.joins(&two[0].segment));
                }
            }
            Err(Refusal::TooEarly(first)) => {
                prop_assert!(dumps.iter().all(|dump| dump.taken >= second));
                prop_assert!(first > second);
            }
            // Nothing may be refused that is there: with all pieces only what is after the last.
            Err(Refusal::TooLate(known)) => {
                prop_assert!(known < second);
                prop_assert!(lost.is_some() || right.is_none());
            }
            Err(Refusal::Gap { before, .. }) => {
                prop_assert!(lost.is_some());
                prop_assert!(before < second);
            }
            Err(Refusal::NoLog(_)) => prop_assert!(lost.is_some()),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn what_a_refusal_names_as_possible_is_possible(
        history in history(),
        dump in any::<proptest::sample::Index>(),
        second in 998_i64..1_085,
    ) {
        let dumps = [history.dump(dump.index(history.times.len()))];
        let segments = history.segments();
        let possible = match pick(&dumps, &segments, None, &Target::Moment(second)) {
            Err(Refusal::TooEarly(second) | Refusal::TooLate(second)) => second,
            _ => return Ok(()),
        };
        // A dump and nothing behind it shows no later moment than its own.
        prop_assume!(possible > dumps[0].taken);
        let again = pick(&dumps, &segments, None, &Target::Moment(possible));
        let late = matches!(again, Err(Refusal::TooLate(known)) if known < possible);
        prop_assert!(again.is_ok() || late);
    }

    #[test]
    fn a_name_is_the_last_that_is_played(
        history in history(),
        dump in any::<proptest::sample::Index>(),
        wanted in any::<proptest::sample::Index>(),
    ) {
        let from = dump.index(history.times.len());
        let wanted = wanted.index(history.times.len());
        let target = Target::Gtid(History::gtid(wanted));
        match pick(&[history.dump(from)], &history.segments(), None, &target) {
            Ok(plan) => {
                prop_assert!(wanted >= from);
                prop_assert_eq!(history.play(&plan), wanted + 1);
            }
            Err(refusal) => {
                prop_assert!(wanted < from);
                prop_assert_eq!(refusal, Refusal::NoSuch(History::gtid(wanted)));
            }
        }
    }
}

fn plain() -> History {
    History { times: vec![10, 20, 30, 40], cuts: vec![2], files: vec![] }
}

#[test]
fn an_idle_server_is_known_to_have_nothing_more() {
    let history = plain();
    let (dumps, segments) = ([history.dump(1)], history.segments());
    let at = |second, until| {
        let covered = Covered { chain: 1, at: history.at(4), until };
        pick(&dumps, &segments, Some(&covered), &Target::Moment(second))
    };
    assert!(at(100, 100).is_ok());
    assert_eq!(at(101, 100).unwrap_err(), Refusal::TooLate(100));
    // What it says about another chain says nothing here.
    let other = Covered { chain: 2, at: history.at(4), until: 500 };
    let refused = pick(&dumps, &segments, Some(&other), &Target::Moment(100));
    assert_eq!(refused.unwrap_err(), Refusal::TooLate(40));
}

#[test]
fn a_gap_is_named_with_what_is_possible_on_its_two_sides() {
    let mut later = History { times: vec![50, 60, 70], cuts: vec![], files: vec![] }.segments();
    for segment in &mut later {
        segment.chain = 2;
    }
    let history = plain();
    let mut second = History { times: vec![50, 60, 70], cuts: vec![], files: vec![] }.dump(1);
    second.id = String::from("second");
    let dumps = [history.dump(1), second];
    let segments = [history.segments(), later].concat();
    let moment = |second| pick(&dumps, &segments, None, &Target::Moment(second));
    let refused = moment(45).unwrap_err();
    assert_eq!(refused, Refusal::Gap { ends: history.at(4), before: 40, after: Some(51) });
    assert_eq!(moment(35).unwrap().dump.id, "1");
    // The same file and offset are in both; what happened later is in the second only.
    let plan = moment(65).unwrap();
    assert_eq!((plan.dump.id.as_str(), plan.pieces[0].segment.chain), ("second", 2));
}

#[test]
fn a_server_that_was_idle_behind_a_dump_goes_on_from_it() {
    // Its file was begun at 10, the dump is in it at 20, and the first transaction came at 900.
    let position = |offset| Position::new("log.000001", offset);
    let mut whole = segment(&position(4), 1_000, None);
    (whole.begun, whole.first_time) = (Some(10), Some(900));
    (whole.last_time, whole.latest) = (Some(950), Some(950));
    let dump = Dump { id: "1".into(), server: 7, at: position(340), gtids: None, taken: 20 };
    let pieces = |segment: &Segment| {
        let plan =
            pick(std::slice::from_ref(&dump), std::slice::from_ref(segment), None, &Target::Latest);
        plan.map(|plan| plan.pieces.len())
    };
    assert_eq!(pieces(&whole), Ok(1));
    // A file of the same name that was begun behind the dump is another history.
    whole.begun = Some(800);
    assert_eq!(pieces(&whole), Err(Refusal::NoLog(position(340))));
    // So it is, as far as anybody knows, where the server did not tell.
    whole.begun = None;
    assert_eq!(pieces(&whole), Err(Refusal::NoLog(position(340))));
}

#[test]
fn the_latest_is_the_newest_dump_with_all_that_follows() {
    let history = plain();
    let dumps = [history.dump(1), history.dump(3)];
    let plan = pick(&dumps, &history.segments(), None, &Target::Latest).unwrap();
    assert_eq!((plan.dump.id.as_str(), plan.stop.clone()), ("3", Stop::End));
    assert_eq!(history.play(&plan), 4);
    assert_eq!(pick(&[], &[], None, &Target::Latest).unwrap_err(), Refusal::NoDump);
}

#[test]
fn pieces_of_one_file_are_one_piece_and_everything_in_them_is_in_it() {
    let history = History { times: vec![10, 14, 12, 20, 21, 30], cuts: vec![1, 3], files: vec![4] };
    let all = history.segments();
    let [one, two, three, four] = &all[..] else { panic!("{all:#?}") };
    let joined = one.with(two).and_then(|so_far| so_far.with(three)).unwrap();
    assert_eq!((joined.first, joined.last, joined.groups), (one.first, three.last, 4));
    assert_eq!(
        (joined.first_time, joined.last_time, joined.latest),
        (Some(10), Some(20), Some(20))
    );
    assert_eq!(joined.follows, one.follows);
    assert_eq!(
        joined.size,
        one.size + two.size + three.size - 2 * 4,
        "the heads of the later ones are left out"
    );
    for index in 0..4 {
        assert!(joined.gtids.may_have(&History::gtid(index)));
    }
    assert!(joined.has(two) && joined.has(&joined) && !two.has(&joined) && !joined.has(four));
    assert!(four.joins(&joined), "the next file goes on from it");
    assert_eq!(joined.with(four), None, "another file is another piece");
    assert_eq!(one.with(three), None, "there is a hole");
    let target = Target::Moment(21);
    let dumps = [history.dump(1)];
    let apart = history.play(&pick(&dumps, &all, None, &target).unwrap());
    let together = history.play(&pick(&dumps, &[joined, four.clone()], None, &target).unwrap());
    assert_eq!((apart, together), (4, 4));
}

#[test]
fn a_lost_server_comes_back_as_far_as_its_log_goes_and_says_what_stops_it() {
    let mut later = History { times: vec![50, 60], cuts: vec![], files: vec![] }.segments();
    later.iter_mut().for_each(|segment| segment.chain = 2);
    let history = plain();
    let dumps = [history.dump(1), history.dump(2)];
    let whole = history.segments();
    let broken = [whole.clone(), later].concat();
    let far = |segments: &[Segment], second| furthest(&dumps, segments, None, second);

    let all = far(&whole, None).unwrap();
    assert_eq!((history.play(&all.plan), all.until, all.short), (4, 40, None));
    let gap = far(&broken, None).unwrap();
    assert_eq!((gap.plan.dump.id.as_str(), gap.until), ("2", 40));
    assert_eq!(gap.short, Some(Short::Gap(history.at(4))));

    let before = far(&broken, Some(30)).unwrap();
    assert_eq!((history.play(&before.plan), before.until, before.short), (2, 30, None));
    let ended = far(&whole, Some(99)).unwrap();
    assert_eq!((history.play(&ended.plan), ended.until), (4, 40));
    assert_eq!(ended.short, Some(Short::Ends));
    assert!(matches!(far(&broken, Some(45)), Err(Refusal::Gap { before: 40, after: None, .. })));
    assert_eq!(far(&whole, Some(5)).unwrap_err(), Refusal::TooEarly(11));
    let covered = Covered { chain: 1, at: history.at(4), until: 90 };
    assert_eq!(furthest(&dumps, &whole, Some(&covered), None).unwrap().until, 90);
    assert_eq!(furthest(&[], &whole, None, None).unwrap_err(), Refusal::NoDump);
}
