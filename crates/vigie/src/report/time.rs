//! Does: writes times and lengths of time for people and programs.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// RFC 3339 in UTC with milliseconds, from milliseconds since 1970.
#[must_use]
pub fn rfc3339(wall_ms: i64) -> String {
    let at = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// The time of day in the host's zone.
#[must_use]
pub fn clock_time(wall_ms: i64) -> String {
    let at = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

/// The minute of the day in the host's zone.
#[must_use]
pub fn minute(wall_ms: i64) -> String {
    let at = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::system()).strftime("%H:%M").to_string()
}

/// A length of time in its two largest units: `340 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn ago(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// A length of time in milliseconds.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_are_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_732_377_600_120), "2024-11-23T16:00:00.120Z");
    }

    #[test]
    fn lengths_have_their_two_largest_units() {
        assert_eq!(ago(Duration::from_millis(340)), "340 ms");
        assert_eq!(ago(Duration::from_millis(4_250)), "4.2 s");
        assert_eq!(ago(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(ago(Duration::from_secs(7_500)), "2 h 5 min");
    }
}
