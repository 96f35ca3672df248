//! Does: reads a moment as people write it behind an `@`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use vigie_core::binlog::{Gtid, Target};

/// The last millisecond that is meant: `2026-11-22 20:14:03` in this host's time zone, a whole minute or
/// day without its end, `2026-11-22T20:14:03Z`, or a length of time ago (`3h`).
pub(in crate::cli) fn until(text: &str) -> Result<i64, String> {
    read(text, &TimeZone::system()).map(|(_, last)| last)
}

/// What a database shall be brought to: `latest`, right behind a transaction (`0-1-1234`), or a moment as
/// [`until`] reads it: as it was when that second or minute began, or when that day was over. A fraction
/// of a second is cut off: the log tells whole seconds.
pub(in crate::cli) fn target(text: &str) -> Result<Target, String> {
    let text = text.trim();
    if text == "latest" {
        return Ok(Target::Latest);
    }
    // A day looks like MariaDB's name of a transaction.
    let is_day = day(text).is_some();
    if !is_day && let Ok(gtid) = text.parse::<Gtid>() {
        return Ok(Target::Gtid(gtid));
    }
    let (begin, last) = read(text, &TimeZone::system())?;
    let moment = if is_day { last + 1 } else { begin };
    Ok(Target::Moment(moment.div_euclid(1_000)))
}

/// The first and the last millisecond that are meant.
fn read(text: &str, zone: &TimeZone) -> Result<(i64, i64), String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        let at = at.as_millisecond();
        return Ok((at, at + whole(text, 999)));
    }
    let local = |at: DateTime| {
        let zoned = zone.to_ambiguous_timestamp(at).unambiguous();
        zoned.map(jiff::Timestamp::as_millisecond).map_err(|_| {
            format!(
                "`{text}` was skipped or came twice when the clocks were changed; write it with its \
                 offset, as in 2026-10-25T02:30:00+01:00"
            )
        })
    };
    if let Some(day) = day(text) {
        return Ok((local(day.at(0, 0, 0, 0))?, local(day.at(23, 59, 59, 0))? + 999));
    }
    if let Ok(at) = text.parse::<DateTime>() {
        // `20:14` is all of that minute.
        let minute = text.matches(':').count() == 1;
        let at = local(at)?;
        return Ok((at, at + if minute { 59_999 } else { whole(text, 999) }));
    }
    if let Ok(ago) = vigie_core::span::parse(text) {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::now().as_millisecond().saturating_sub(ago);
        return Ok((at, at));
    }
    let text = crate::text::cut(&crate::text::printable(text), 80);
    Err(format!(
        "`{text}` is no moment; write 2026-11-22 20:14:03, 2026-11-22, 2026-11-22T20:14:03Z or 3h \
         (ago); for a database also latest or a GTID such as 0-1-1234"
    ))
}

/// A day without a time. A date is also read out of a whole moment, whose time would be lost.
fn day(text: &str) -> Option<Date> {
    if text.contains(':') { None } else { text.parse().ok() }
}

/// What is left of the second where no part of one is written.
fn whole(text: &str, rest: i64) -> i64 {
    if text.contains('.') { 0 } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_its_last_millisecond() {
        let second = until("2026-11-22T20:14:03Z").unwrap();
        assert_eq!(second, 1_795_378_443_999);
        assert_eq!(until("2026-11-22T20:14:03.250Z").unwrap(), 1_795_378_443_250);
        let (early, late) =
            (until("2026-11-22 08:00:00").unwrap(), until("2026-11-22 20:14:03").unwrap());
        assert_eq!(
            late - early,
            (12 * 3600 + 14 * 60 + 3) * 1000,
            "a time of that day, not its end"
        );
        let day = until("2026-11-22").unwrap();
        let last = until("2026-11-22 23:59:59").unwrap();
        assert_eq!(day, last);
        assert_eq!(until("2026-11-22 20:14").unwrap(), until("2026-11-22 20:14:59").unwrap());
        let now = jiff::Timestamp::now().as_millisecond();
        assert!((now - 3_600_000 - until("1h").unwrap()).abs() < 60_000);
        for wrong in ["", "yesterday", "2026-13-01", "20:14"] {
            assert!(until(wrong).unwrap_err().contains("no moment"), "{wrong}");
        }
    }

    #[test]
    fn a_database_is_brought_to_a_second_a_transaction_or_the_end() {
        let moment = |text: &str| match target(text).unwrap() {
            Target::Moment(second) => second,
            other => panic!("{other:?}"),
        };
        assert_eq!(moment("2026-11-22T20:14:03Z"), 1_795_378_443);
        assert_eq!(moment("2026-11-22T20:14:03.9Z"), 1_795_378_443);
        assert_eq!(moment("2026-11-22 20:14"), moment("2026-11-22 20:14:00"));
        assert_eq!(moment("2026-11-22 20:14:03") - moment("2026-11-22 08:00:00"), 44_043);
        assert_eq!(moment("2026-11-22"), moment("2026-11-23 00:00:00"));
        assert_eq!(target("latest"), Ok(Target::Latest));
        assert!(matches!(target("0-1-5"), Ok(Target::Gtid(_))));
        let error = target("yesterday\u{7}").unwrap_err();
        assert!(error.starts_with("`yesterday` is no moment"), "{error}");
    }

    #[test]
    fn what_the_change_of_the_clocks_makes_two_is_refused() {
        // Not by its name: the time zone files need not be there.
        let paris = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(read("2026-11-22 20:14:03", &paris).unwrap().0, 1_795_374_843_000);
        for text in ["2026-03-29 02:30:00", "2026-10-25 02:30:00"] {
            assert!(read(text, &paris).unwrap_err().contains("clocks were changed"), "{text}");
        }
    }
}
