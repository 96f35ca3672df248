//! Does: reads what somebody wants a database to be brought to, in the time zone of the host, and says in
//! a sentence why it is not possible and what is. What is possible is decided in
//! `vigie_core::binlog::pick`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vigie_core::binlog::{Gtid, Refusal, Target};

/// The text says no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// It is none at all.
    #[error(
        "`{0}` is neither a moment nor a GTID; write `2026-11-22 20:14:03`, \
         `2026-11-22T20:14:03Z`, `0-1-1234` or `latest`"
    )]
    Nothing(String),
    /// The clocks were changed: there was no such moment, or there were two.
    #[error(
        "`{0}` was skipped or came twice when the clocks were changed; write it with its offset, as \
         in `2026-10-25T02:30:00+01:00`"
    )]
    Changed(String),
}

/// Reads a moment, a GTID or `latest`. A fraction of a second is cut off: the log tells whole seconds.
///
/// # Errors
/// The text is none of them.
pub fn target(text: &str, zone: &TimeZone) -> Result<Target, WhenError> {
    let text = text.trim();
    if text == "latest" {
        return Ok(Target::Latest);
    }
    if let Ok(gtid) = text.parse::<Gtid>() {
        return Ok(Target::Gtid(gtid));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Target::Moment(moment.as_second()));
    }
    let shown = || crate::text::cut(&crate::text::printable(text), 80);
    let civil: DateTime = text.parse().map_err(|_| WhenError::Nothing(shown()))?;
    let zoned = zone.to_ambiguous_timestamp(civil).unambiguous();
    let moment = zoned.map_err(|_| WhenError::Changed(shown()))?;
    Ok(Target::Moment(moment.as_second()))
}

/// A second, for people.
fn told(second: i64, zone: &TimeZone) -> String {
    match Timestamp::from_second(second) {
        Ok(moment) => moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => format!("second {second}"),
    }
}

/// Why it is not possible, and what is.
#[must_use]
pub fn explain(refusal: &Refusal, zone: &TimeZone) -> String {
    let told = |second: &i64| told(*second, zone);
    match refusal {
        Refusal::NoDump => String::from(
            "no dump of the database is kept, and its log alone brings nothing back; make one first",
        ),
        Refusal::TooEarly(first) => {
            format!("that is before the first dump; the nearest moment is {}", told(first))
        }
        Refusal::TooLate(last) => {
            format!(
                "that is after the last thing that is kept; the nearest moment is {}",
                told(last)
            )
        }
        Refusal::Gap { ends, before, after: Some(after) } => format!(
            "there is a gap in the log after {ends}; the nearest moments are {} before it and {} \
             after it",
            told(before),
            told(after)
        ),
        Refusal::Gap { ends, before, after: None } => format!(
            "there is a gap in the log after {ends} and no dump behind it; the nearest moment is {}",
            told(before)
        ),
        Refusal::NoLog(at) => format!(
            "the log that goes on from the dump at {at} is not kept; only the dump's own moment is \
             possible"
        ),
        Refusal::NoSuch(gtid) => format!(
            "the transaction {gtid} is not in the log that is kept after a dump; give a moment, or \
             one of the log's (mariadb-binlog PIECE prints them)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris() -> TimeZone {
        // Not by its name: the time zone files need not be there.
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn a_moment_is_read_in_the_hosts_time_zone() {
        let second = |text: &str| match target(text, &paris()) {
            Ok(Target::Moment(second)) => second,
            other => panic!("{other:?}"),
        };
        assert_eq!(second("2026-11-22 20:14:03"), 1_795_374_843);
        assert_eq!(second("2026-11-22T20:14:03+01:00"), 1_795_374_843);
        assert_eq!(second("2026-11-22T19:14:03.9Z"), 1_795_374_843);
        assert_eq!(target("latest", &paris()), Ok(Target::Latest));
        assert!(matches!(target("0-1-5", &paris()), Ok(Target::Gtid(_))));
        for text in ["2026-03-29 02:30:00", "2026-10-25 02:30:00"] {
            assert!(matches!(target(text, &paris()), Err(WhenError::Changed(_))), "{text}");
        }
        let error = target("yesterday\u{7}", &paris()).unwrap_err();
        assert!(error.to_string().starts_with("`yesterday` is neither"), "{error}");
    }

    #[test]
    fn a_refusal_says_what_is_possible() {
        let gap = Refusal::Gap {
            ends: vigie_core::binlog::Position::new("bin.000004", 864),
            before: 1_795_374_843,
            after: Some(1_795_374_900),
        };
        let all = [
            Refusal::NoDump,
            Refusal::TooEarly(1_795_374_843),
            Refusal::TooLate(1_795_374_843),
            gap,
            Refusal::NoLog(vigie_core::binlog::Position::new("bin.000004", 864)),
        ];
        let text: Vec<_> = all.iter().map(|refusal| explain(refusal, &paris())).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        no dump of the database is kept, and its log alone brings nothing back; make one first
        that is before the first dump; the nearest moment is 2026-11-22 20:14:03 CET
        that is after the last thing that is kept; the nearest moment is 2026-11-22 20:14:03 CET
        there is a gap in the log after bin.000004:864; the nearest moments are 2026-11-22 20:14:03 CET before it and 2026-11-22 20:15:00 CET after it
        the log that goes on from the dump at bin.000004:864 is not kept; only the dump's own moment is possible
        "#);
    }
}
