//! Does: reads a moment as people write it behind an `@`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The last millisecond that is meant: `2026-11-22 20:14:03` in this host's time zone, a whole minute or
/// day without its end, `2026-11-22T20:14:03Z`, or a length of time ago (`3h`).
pub(in crate::cli) fn until(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_millisecond() + whole(text, 999));
    }
    let zone = TimeZone::system();
    let local = |at: DateTime, more: i64| {
        let zoned = at.to_zoned(zone.clone()).map_err(|error| error.to_string())?;
        Ok(zoned.timestamp().as_millisecond() + more)
    };
    // A date is also read out of a whole moment, whose time would be lost.
    if !text.contains(':')
        && let Ok(day) = text.parse::<Date>()
    {
        return local(day.at(23, 59, 59, 0), 999);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        // `20:14` is all of that minute.
        let minute = text.matches(':').count() == 1;
        return local(at, if minute { 59_999 } else { whole(text, 999) });
    }
    if let Ok(ago) = vigie_core::span::parse(text) {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        return Ok(jiff::Timestamp::now().as_millisecond().saturating_sub(ago));
    }
    Err(format!(
        "`{text}` is no moment; write 2026-11-22 20:14:03, 2026-11-22, 2026-11-22T20:14:03Z or 3h (ago)"
    ))
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
}
