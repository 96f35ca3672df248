//! Does: says in a sentence, in the time zone of the host, why a database cannot be brought to a moment
//! and what is possible. What is possible is decided in `vigie_core::binlog::pick`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use vigie_core::binlog::Refusal;

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
