//! Decides what of a wrong line may be shown again. A secret stands in the wrong place more often than
//! in the right one, so values are shown only behind keys that are known to hold none.

/// A longer line says no more.
const WIDTH: usize = 160;

/// Keys of `vigie.toml` and of runbooks whose values are nobody's secret.
const HARMLESS: &[&str] = &[
    "name",
    "runtime",
    "mode",
    "lang",
    "state",
    "runbooks",
    "compose",
    "project",
    "approve_timeout",
    "approve_default",
    "reopen_within",
    "role",
    "container",
    "depends_on",
    "boot_grace",
    "config_files",
    "every",
    "timeout",
    "limits",
    "failures",
    "exits",
    "exits_window",
    "exits_stable",
    "memory",
    "memory_pct",
    "memory_high_pct",
    "memory_for",
    "cpu_pct",
    "cpu_for",
    "lua_per_minute",
    "lua_quiet",
    "abuse_per_minute",
    "database_slow",
    "database_connections",
    "slow_queries_per_hour",
    "map_change",
    "restarts",
    "per",
    "backoff",
    "backoff_max",
    "reset_after",
    "when_spent",
    "p1",
    "p2",
    "p2_escalate",
    "p3",
    "cron",
    "for",
    "disks",
    "keep",
    "probability",
    "impact",
    "cpu",
    "disk",
    "down",
    "a2s",
    "tcp",
    "on",
    "roles",
    "id",
    "title",
    "en",
    "fr",
    "when",
    "steps",
    "tries",
    "once",
    "risk",
    "verify",
    "within",
    "stable",
    "exit_code",
    "oom_killed",
    "exits_at_least",
    "exits_below",
    "restarts_itself",
    "host_memory_below",
    "symptom",
    "dependencies_well",
    "good_image",
    "revertible",
    "config_changed",
    "up",
    "recreate",
    "restart",
    "kill",
    "rollback_image",
    "revert",
    "push",
    "escalate",
    "reason",
];

/// A line of a file, without what may be a secret.
pub(super) fn line(line: &str) -> String {
    let mut shown = line.to_owned();
    if let Some(at) = first_doubtful(line) {
        shown.truncate(at);
        shown.push_str(" …");
    }
    if shown.chars().count() > WIDTH {
        shown = shown.chars().take(WIDTH).collect();
        shown.push('…');
    }
    shown
}

/// Whether a line is shown with its values.
pub(super) fn is_shown(line: &str) -> bool {
    first_doubtful(line).is_none()
}

/// Where a value begins that may be a secret.
fn first_doubtful(line: &str) -> Option<usize> {
    let text = line.trim_start();
    if text.starts_with('[') || text.starts_with('#') || text.is_empty() {
        return None;
    }
    let Some(first) = line.find(['=', ':']) else {
        // The rest of a value that began above.
        return Some(line.len() - text.len());
    };
    if line[first..].starts_with(':') {
        return Some(first + 1);
    }
    // In quotes a sign is no key's.
    let mut quote = None;
    for (at, sign) in line.char_indices() {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            (None, '=') if !harmless(&line[..at], &line[at + 1..]) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn harmless(before: &str, value: &str) -> bool {
    let key = before.trim_end().rsplit(['{', ',', '[', ' ', '\t', '(']).next().unwrap_or(before);
    // A table is judged key by key.
    let table = value.trim_start().strip_prefix('{');
    if table.is_some_and(|inside| inside.split('}').next().is_some_and(|keys| keys.contains('='))) {
        return true;
    }
    let end = value.find([',', '}', '#', ']']).unwrap_or(value.len());
    let value = value[..end].trim();
    let small = value.len() <= 3 && value.bytes().all(|byte| byte.is_ascii_digit());
    // A URL can hold a password.
    let address = key == "address" && !value.contains(['@', '/']);
    HARMLESS.contains(&key)
        || address
        || matches!(value, "true" | "false")
        || (small && !value.is_empty())
}

/// A parser's message, without the value that it repeats.
pub(super) fn message(message: &str) -> String {
    let mut text = message.to_owned();
    if let (Some(begin), Some(end)) = (text.find("string \""), text.rfind('"'))
        && end > begin + 8
    {
        text.replace_range(begin..=end, "a string");
    }
    for kind in ["integer `", "floating point `"] {
        if let Some(begin) = text.find(kind)
            && let Some(length) = text[begin + kind.len()..].find('`')
        {
            text.replace_range(begin..=begin + kind.len() + length, "a number");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_are_shown_and_others_are_not() {
        assert_eq!(line("every = \"5 s\""), "every = \"5 s\"");
        assert_eq!(line("trise = 2"), "trise = 2");
        assert_eq!(line("[service.gmod]"), "[service.gmod]");
        assert_eq!(line("pasword = \"hunter2\""), "pasword = …");
        assert_eq!(line("password: hunter2"), "password: …");
        assert_eq!(line("  hunter2\"\"\""), "   …");
        assert_eq!(
            line("a2s = { every = \"5s\", adress = \"u:hunter2@h\" }"),
            "a2s = { every = \"5s\", adress = …"
        );
    }

    #[test]
    fn values_are_taken_out_of_messages() {
        let text = "invalid type: string \"hun\"ter2\", expected struct RconConfig";
        assert_eq!(message(text), "invalid type: a string, expected struct RconConfig");
        assert_eq!(
            message("invalid type: integer `8827364`, expected a string"),
            "invalid type: a number, expected a string"
        );
    }
}
