//! The figures on examples that can be counted by hand, and what must hold of any.

use proptest::prelude::*;

use super::outage::covered;
use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// 2024-02-01T00:00:00Z, of a leap year.
const FEBRUARY: i64 = 1_706_745_600_000;

fn row(from: (i64, i64), detected: i64, end: Option<i64>) -> Row {
    Row {
        severity: Severity::P1,
        group: Group::Availability,
        service: Arc::from("gmod"),
        sensed: true,
        times: Times {
            started_earliest: from.0,
            started_latest: from.1,
            detected,
            acknowledged: end.map(|end| (detected + end) / 2),
            restored: end,
            resolved: None,
        },
    }
}

#[test]
fn months_have_their_lengths() {
    let days = |year, month| Month { year, month }.span().length() / DAY;
    let lengths: Vec<i64> = (1..=12).map(|month| days(2024, month)).collect();
    assert_eq!(lengths, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    assert_eq!([days(2023, 2), days(1900, 2), days(2000, 2), days(2100, 2)], [28, 28, 29, 28]);
    assert_eq!(Month::at(FEBRUARY).span().from, FEBRUARY);
    assert_eq!(Month::at(FEBRUARY - 1).to_string(), "2024-01");
    assert_eq!(Month::at(0).to_string(), "1970-01");
    assert_eq!(Month::at(-1).to_string(), "1969-12");
}

#[test]
fn medians_are_of_the_bounds_and_reports_are_not_timed() {
    let mut rows = vec![
        row((0, 10), 20, Some(110)),
        row((100, 100), 103, Some(200)),
        row((0, 1_000), 1_000, None),
        row((5, 5), 5, Some(5)),
    ];
    rows[2].severity = Severity::P3;
    rows.push(Row { sensed: false, ..row((0, 0), 900_000, Some(1_000_000)) });
    let told = summary(rows.iter());
    assert_eq!((told.counts, told.reported), ([4, 0, 1, 0], 1));
    // 10..20, 3..3, 0..1000, 0..0.
    assert_eq!(told.detect, Median { n: 4, bounds: Some((1, 11)) });
    // 100..110, 100..100, 0..0.
    assert_eq!(told.restore, Median { n: 3, bounds: Some((100, 100)) });
    assert_eq!(told.acknowledge.n, 3);
    assert_eq!(summary([].iter()), Summary::default());
}

#[test]
fn overlapping_incidents_are_one_outage_and_only_p1_ones_count() {
    let mut rows = vec![
        row((0, 2), 3, Some(10)),
        row((5, 6), 6, Some(20)),
        row((30, 30), 30, None),
        row((25, 25), 25, Some(26)),
        row((40, 40), 40, Some(49)),
    ];
    rows[3].severity = Severity::P2;
    rows[4].service = Arc::from("another");
    let (short, long) = outages(&rows, "gmod", 35);
    assert_eq!(short, [Span::new(2, 20), Span::new(30, 35)]);
    assert_eq!(long, [Span::new(0, 20), Span::new(30, 35)]);
}

#[test]
fn a_person_s_word_ends_an_outage_too() {
    let mut open = row((0, 0), 0, None);
    open.times.resolved = Some(7);
    assert_eq!(outages(&[open], "gmod", 100).0, [Span::new(0, 7)]);
}

#[test]
fn an_outage_over_a_month_s_border_counts_in_both() {
    let february = Month::at(FEBRUARY).span();
    let rows =
        [row((february.until - HOUR, february.until - HOUR), 0, Some(february.until + HOUR))];
    let watched = Watched { since: FEBRUARY, now: february.until + 10 * DAY };
    let down = outages(&rows, "gmod", watched.now);
    let told = availability(&down, watched, FEBRUARY);
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].down_ms, told[1].down_ms), ((HOUR, HOUR), (HOUR, HOUR)));
    assert_eq!((told[0].watched_ms, told[1].watched_ms), (29 * DAY, 10 * DAY));
    let percent = 100.0 * (1.0 - 1.0 / (29.0 * 24.0));
    assert!((told[0].percent.0 - percent).abs() < 1e-9, "{told:?}");
    // One percent of 29 days is 6 h 57 min 36 s.
    let left = budget(&told[0], 99.0);
    assert_eq!((left.total_ms, left.left_ms), (25_056_000, 25_056_000 - HOUR));
    assert_eq!(budget(&told[1], 99.9).left_ms, 2_678_400 - HOUR);
}

#[test]
fn what_was_not_watched_is_not_counted() {
    let watched = Watched { since: FEBRUARY + 28 * DAY, now: FEBRUARY + 28 * DAY + 4 * HOUR };
    let rows = [row((FEBRUARY, FEBRUARY), 0, Some(watched.since + HOUR))];
    let down = outages(&rows, "gmod", watched.now);
    let told = availability(&down, watched, 0);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].watched_ms, told[0].down_ms), (4 * HOUR, (HOUR, HOUR)));
    assert!((told[0].percent.0 - 75.0).abs() < 1e-9);
    assert!(availability(&down, Watched { since: 5, now: 5 }, 0).is_empty());
}

#[test]
fn burn_rates_are_over_their_windows() {
    let now = FEBRUARY + 20 * DAY;
    let watched = Watched { since: FEBRUARY, now };
    // Nine minutes within the last hour, half an hour two days ago.
    let rows = [
        row((now - 10 * 60_000, now - 10 * 60_000), 0, Some(now - 60_000)),
        row((now - 48 * HOUR, now - 48 * HOUR), 0, Some(now - 48 * HOUR + HOUR / 2)),
    ];
    let told = burn(&outages(&rows, "gmod", now), watched, 99.0);
    let rates: Vec<String> = told.iter().map(|one| format!("{:.3}", one.rate)).collect();
    assert_eq!(rates, ["15.000", "2.500", "0.625", "0.903"]);
    let exceeded: Vec<bool> = told.iter().map(Burn::exceeded).collect();
    assert_eq!(exceeded, [true, false, false, false]);
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let one = (0_i64..400, 0_i64..60).prop_map(|(from, length)| Span::new(from, from + length));
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn a_union_covers_each_moment_once(spans in spans(), from in 0_i64..400, length in 0_i64..400) {
        let whole = union(spans.clone());
        prop_assert!(whole.windows(2).all(|pair| pair[0].until < pair[1].from));
        let within = |at: i64| spans.iter().any(|span| (span.from..span.until).contains(&at));
        let window = Span::new(from, from + length);
        let by_hand = (window.from..window.until).filter(|at| within(*at)).count();
        prop_assert_eq!(covered(&whole, window), i64::try_from(by_hand).unwrap());
        let mut turned = spans;
        turned.reverse();
        prop_assert_eq!(union(turned), whole);
    }

    #[test]
    fn months_follow_each_other(ms in -4_000_000_000_000_i64..20_000_000_000_000) {
        let month = Month::at(ms);
        let span = month.span();
        prop_assert!((span.from..span.until).contains(&ms));
        prop_assert_eq!(Month::at(span.until - 1), month);
        prop_assert_eq!(Month::at(span.until), month.next());
        prop_assert_eq!(Month::at(span.from), month);
        prop_assert!((28..=31).contains(&(span.length() / DAY)) && span.length() % DAY == 0);
    }

    #[test]
    fn months_share_out_what_was_watched(since in 0_i64..900, length in 1_i64..900, spans in spans()) {
        let watched = Watched { since: since * DAY, now: (since + length) * DAY };
        let down = union(spans.iter().map(|span| Span::new(span.from * DAY, span.until * DAY)));
        let both = (down.clone(), down.clone());
        let told = availability(&both, watched, i64::MIN);
        let total: i64 = told.iter().map(|one| one.watched_ms).sum();
        prop_assert_eq!(total, length * DAY);
        let lost: i64 = told.iter().map(|one| one.down_ms.0).sum();
        prop_assert_eq!(lost, covered(&down, Span::new(watched.since, watched.now)));
        prop_assert!(told.iter().all(|one| (0.0..=100.0).contains(&one.percent.0)));
    }

    #[test]
    fn the_least_is_never_more_than_the_most(
        rows in prop::collection::vec((0_i64..100, 0_i64..100, 0_i64..100, 0_i64..100), 0..20),
    ) {
        let rows: Vec<Row> = rows
            .iter()
            .map(|(earliest, wide, late, end)| {
                let latest = earliest + wide;
                row((*earliest, latest), latest + late, Some(latest + late + end))
            })
            .collect();
        let told = summary(rows.iter());
        for median in [told.detect, told.acknowledge, told.restore] {
            prop_assert!(median.bounds.is_none_or(|(least, most)| 0 <= least && least <= most));
            prop_assert_eq!(median.n, rows.len());
        }
        let (short, long) = outages(&rows, "gmod", 500);
        let all = Span::new(0, 500);
        prop_assert!(covered(&short, all) <= covered(&long, all));
    }
}
