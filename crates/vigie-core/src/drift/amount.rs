//! Decides how much a word of a compose file is, and how an amount is told.

/// The engine's patience with a process that has to end, in seconds.
pub(super) const GRACE: u64 = 10;
const KIB: u64 = 1024;

/// Bytes: `512m`, `3GB`, `536870912`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let each = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 1,
        "k" => KIB,
        "m" => KIB.pow(2),
        "g" => KIB.pow(3),
        "t" => KIB.pow(4),
        _ => return None,
    };
    scaled(number, each)
}

/// Billionths of a core: `0.5`, `2`.
pub(super) fn cpus(text: &str) -> Option<u64> {
    scaled(text.trim(), 1_000_000_000)
}

/// `number` times `each`, without what is below one; exact, as no floating point number is.
fn scaled(number: &str, each: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let part = part.get(..part.len().min(9))?;
    let whole: u64 = if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
    let below: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let below = u64::try_from(u128::from(below) * u128::from(each) / scale).ok()?;
    whole.checked_mul(each)?.checked_add(below)
}

/// Whole seconds of `1m30s`, `14s`, `1.5s`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    // A fraction of a second is not passed on to the engine.
    let whole = match text.split_once('.') {
        Some((whole, part)) if part.ends_with('s') && !part.ends_with("ms") => format!("{whole}s"),
        _ => text.to_owned(),
    };
    crate::span::parse(&whole).ok().map(|length| length.as_secs())
}

/// A number of bytes in one word.
pub(super) fn told_bytes(bytes: u64) -> String {
    let units = [(KIB.pow(3), "GiB"), (KIB.pow(2), "MiB"), (KIB, "KiB")];
    let exact = units.into_iter().find(|(each, _)| bytes >= *each && bytes.is_multiple_of(*each));
    exact.map_or_else(|| format!("{bytes}B"), |(each, unit)| format!("{}{unit}", bytes / each))
}

/// Cores in one word.
pub(super) fn told_cpus(billionths: u64) -> String {
    let text = format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_compose_reads_them() {
        let cases = [
            ("268435456", 268_435_456),
            ("256m", 268_435_456),
            ("256M", 268_435_456),
            ("256mb", 268_435_456),
            ("256MiB", 268_435_456),
            ("1.5g", 1_610_612_736),
            ("3g", 3_221_225_472),
            ("100b", 100),
            ("0", 0),
        ];
        for (text, wanted) in cases {
            assert_eq!(bytes(text), Some(wanted), "{text}");
        }
        assert_eq!(bytes("many"), None);
        assert_eq!(bytes("99999999999999g"), None);
        assert_eq!(cpus("0.5"), Some(500_000_000));
        assert_eq!(cpus("2"), Some(2_000_000_000));
        assert_eq!(cpus(".25"), Some(250_000_000));
        assert_eq!(cpus("1.2345678901"), Some(1_234_567_890));
        assert_eq!(cpus(""), None);
        assert_eq!(seconds("1m30s"), Some(90));
        assert_eq!(seconds("1.5s"), Some(1));
        assert_eq!(seconds("0s"), Some(0));
        assert_eq!(seconds("500ms"), Some(0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn amounts_are_told_in_one_word() {
        assert_eq!(told_bytes(3_221_225_472), "3GiB");
        assert_eq!(told_bytes(1_610_612_736), "1536MiB");
        assert_eq!(told_bytes(1_000), "1000B");
        assert_eq!(told_cpus(500_000_000), "0.5");
        assert_eq!(told_cpus(2_000_000_000), "2");
    }
}
