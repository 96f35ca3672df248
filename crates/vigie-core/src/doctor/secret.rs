//! Decides what looks like a secret: a variable's name, a setting of the game, a value that a person
//! chose.

use std::ops::Range;

/// Whether a variable's name says that its value is secret.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words = ["PASS", "SECRET", "TOKEN", "PWD", "CREDENTIAL", "SETSTEAMACCOUNT"];
    // `KEY` is a part of too many harmless words.
    let key = name.ends_with("KEY") || name.ends_with("KEYS") || name.contains("KEY_");
    key || words.iter().any(|word| name.contains(word))
}

/// Values that are no secret whatever the name is: switches, and words that stand for one.
pub(super) fn is_harmless(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    value.is_empty()
        || ["yes", "no", "true", "false", "1", "0", "on", "off", "none"].contains(&value.as_str())
}

/// Settings of the game whose value is secret, with the variable that it would be kept in.
pub(super) const SETTINGS: [(&str, &str); 2] =
    [("rcon_password", "RCON_PASSWORD"), ("sv_setsteamaccount", "STEAM_ACCOUNT_TOKEN")];

/// The bytes of the value that `setting` is given in a launch line (`+rcon_password x`) or a line of a
/// configuration file (`rcon_password "x"`).
pub(super) fn value_of(text: &str, setting: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let found = lower.match_indices(setting).find(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + setting.len()..].chars().next();
        before.is_none_or(|c| c.is_whitespace() || "+\"'".contains(c))
            && after.is_some_and(|c| c.is_whitespace() || "\"'=".contains(c))
    })?;
    let from = found.0 + setting.len();
    let rest = &text[from..];
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"'=\\".contains(c));
    let start = from + rest.len() - value.len();
    let end =
        value.find(|c: char| c.is_whitespace() || "\"'\\;".contains(c)).unwrap_or(value.len());
    (end > 0 && !value.starts_with(['+', '-'])).then(|| start..start + end)
}

/// The bytes of a password that a client of a database is given as a flag: `-px`, `--password=x`.
pub(super) fn flag_value(text: &str) -> Option<Range<usize>> {
    const LONG: &str = "--password=";
    let mut at = 0;
    for word in text.split([' ', '"', '\'']) {
        let start = at;
        at += word.len() + 1;
        let skipped = match word {
            _ if word.starts_with(LONG) => LONG.len(),
            _ if word.starts_with("-p") => 2,
            _ => continue,
        };
        let value = &word[skipped..];
        if !value.is_empty() && !value.contains('$') {
            return Some(start + skipped..start + word.len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_setting_is_found() {
        let value = |text: &'static str| value_of(text, "rcon_password").map(|at| &text[at]);
        assert_eq!(value("+map x +rcon_password abc +y"), Some("abc"));
        assert_eq!(value("rcon_password \"a b\" // why"), Some("a"));
        assert_eq!(value("RCON_Password 'abc'"), Some("abc"));
        assert_eq!(value("rcon_password \"\""), None);
        assert_eq!(value("+rcon_password +map x"), None);
        assert_eq!(value("my_rcon_password_x 1"), None);
        assert_eq!(value("rcon_password"), None);
    }

    #[test]
    fn a_password_among_flags_is_found() {
        let value = |text: &'static str| flag_value(text).map(|at| &text[at]);
        assert_eq!(value("mysqladmin ping -h localhost -psecret1"), Some("secret1"));
        assert_eq!(value("-psecret1"), Some("secret1"));
        assert_eq!(value("mysql --password=abc -e 1"), Some("abc"));
        assert_eq!(value("mysqladmin ping -p\"$$PW\" -p$PW --password=${PW}"), None);
        assert_eq!(value("mysqladmin ping -h localhost"), None);
    }
}
