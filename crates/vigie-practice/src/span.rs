//! Reads durations as people write them: `500ms`, `5s`, `30m`, `1h`, `7`.

use std::time::Duration;

/// A duration; a bare number is seconds, and an empty text is zero, because
/// Compose hands an unset variable over as an empty one.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Duration::ZERO);
    }
    let cut = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(cut);
    let wrong = || format!("`{text}` is not a duration: write 500ms, 5s, 30m or 1h");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse(" 7 "), Ok(Duration::from_secs(7)));
        assert_eq!(parse("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(parse("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(parse(""), Ok(Duration::ZERO));
    }

    #[test]
    fn refuses_the_rest_and_says_how() {
        for bad in ["s", "5 s", "-1s", "5d", "99999999999999999999s", "18446744073709551615h"] {
            assert!(parse(bad).is_err_and(|why| why.contains("5s")), "{bad}");
        }
    }
}
