//! Does: takes secrets out of texts before anybody sees them: the values that the configuration
//! points to, and whatever stands behind a name that says it is secret.

use std::ops::Range;

use vigie_core::learn::Known;

use crate::config::{Config, looks_secret};

/// What is put in a secret's place.
const DOTS: &str = "••••";

/// Knows the secrets of one stack.
#[derive(Clone, Default)]
pub struct Redactor {
    values: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.values.len())
    }
}

impl Redactor {
    /// Knows every secret that `config` points to, and those of its `.env`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let mut values = config.vault.values();
        let secrets = config.secrets();
        let password = config.file.backup.as_ref().map(|backup| &backup.password);
        let secrets = secrets.iter().chain(password);
        let known = secrets.filter_map(|secret| config.vault.reveal(secret).ok());
        values.extend(known.filter(|value| value.len() >= 4));
        // Longer ones first: one secret may be part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values }
    }

    /// `text` without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for value in &self.values {
            if clean.contains(value.as_str()) {
                clean = clean.replace(value.as_str(), DOTS);
            }
        }
        clean.lines().map(|line| addresses(&named(line))).collect::<Vec<_>>().join("\n")
    }

    /// Takes the secrets out of the texts of a known incident; what it is recognised by is not shown.
    pub fn clean_known(&self, known: &mut Known) {
        let texts = [&mut known.title, &mut known.cause, &mut known.resolution];
        for text in texts.into_iter().chain(known.guard.as_mut()) {
            text.en = self.clean(&text.en);
            text.fr = text.fr.as_ref().map(|french| self.clean(french));
        }
    }
}

/// Takes out what stands behind `PASSWORD=`, `"db_pass":`, `+rcon_password ` and their like.
fn named(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(is_part) {
        let end = rest[at..].find(|c| !is_part(c)).map_or(rest.len(), |length| at + length);
        let (name, behind) = (&rest[at..end], &rest[end..]);
        // The first name of a line owns all of it, as in YAML and in `.env` files.
        let owns = line[..line.len() - rest.len() + at]
            .trim_start_matches("export ")
            .chars()
            .all(|c| c.is_whitespace() || matches!(c, '-' | '"' | '\''));
        let value = if looks_secret(name) { value(name, behind, owns) } else { None };
        let Some(value) = value else {
            out.push_str(&rest[..end]);
            rest = behind;
            continue;
        };
        out.push_str(&rest[..end + value.start]);
        out.push_str(DOTS);
        rest = &behind[value.end..];
    }
    out + rest
}

/// Where the value of `name` stands in what comes `behind` it, if one does.
fn value(name: &str, behind: &str, owns: bool) -> Option<Range<usize>> {
    let quote = ['"', '\''];
    let unquoted = behind.strip_prefix(quote);
    let sign = unquoted.unwrap_or(behind).trim_start();
    let after = if let Some(after) = sign.strip_prefix("=>").or(sign.strip_prefix(['=', ':'])) {
        after.trim_start()
    } else if let (Some(_), Some(after)) = (unquoted, sign.strip_prefix(',')) {
        // Two words of an array: `["+rcon_password", "…"]`.
        if name.starts_with('+') { after.trim_start() } else { return None }
    } else if is_spoken(name) && unquoted.is_none() && sign.len() < behind.len() {
        sign
    } else {
        return None;
    };
    let start = behind.len() - after.len();
    if let Some(quoted) = after.strip_prefix(quote) {
        let open = &after[..1];
        let length = quoted.find(open).unwrap_or(quoted.len());
        return (length > 0).then_some(start + 1..start + 1 + length);
    }
    let end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | ')' | '}' | ']');
    let signed = sign.starts_with(['=', ':']);
    let assigned = owns && (signed || !is_spoken(name));
    let length =
        if assigned { after.trim_end().len() } else { after.find(end).unwrap_or(after.len()) };
    let found = &after[..length];
    // Where a secret is says nothing of it.
    let place = found.starts_with("${") && found.ends_with('}') && !found.contains(":-");
    let table = found.starts_with(['{', '[']);
    (length > 0 && !place && !table).then_some(start..start + length)
}

/// Names behind which a value follows without a sign between them, as on a command line.
fn is_spoken(name: &str) -> bool {
    let name = name.trim_start_matches(['+', '-']).to_ascii_lowercase();
    matches!(
        name.as_str(),
        "password" | "passwd" | "rcon_password" | "sv_password" | "authkey" | "setsteamaccount"
    ) || name == "sv_setsteamaccount"
}

/// Takes the secrets out of addresses: `scheme://user:…@host`, and the webhooks of Discord and the bots
/// of Telegram, whose addresses are their passwords.
fn addresses(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let begin = at + 3;
        let end = rest[begin..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'))
            .map_or(rest.len(), |length| begin + length);
        out.push_str(&rest[..begin]);
        out.push_str(&address(&rest[begin..end]));
        rest = &rest[end..];
    }
    out + rest
}

/// What stands behind `://`, without its secrets.
fn address(text: &str) -> String {
    let authority = text.find(['/', '?', '#']).unwrap_or(text.len());
    let mut clean = match text[..authority].rfind('@') {
        Some(at) => {
            let user = text[..at].split(':').next().unwrap_or_default();
            let user = if text[..at].contains(':') { format!("{user}:") } else { String::new() };
            format!("{user}{DOTS}{}", &text[at..])
        }
        None => text.to_owned(),
    };
    for (mark, sign) in [("/webhooks/", '/'), ("/bot", ':')] {
        let Some(at) = clean.find(mark).map(|at| at + mark.len()) else { continue };
        let digits = clean[at..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && clean[at + digits..].starts_with(sign) {
            let begin = at + digits + 1;
            let end = clean[begin..].find(['/', '?']).map_or(clean.len(), |length| begin + length);
            clean.replace_range(begin..end, DOTS);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        Redactor { values: vec![String::from("hunter22")] }.clean(text)
    }

    #[test]
    fn what_is_named_or_known_is_gone() {
        for text in [
            "joined with hunter22",
            "MYSQL_PASSWORD=GONE GONE",
            "      MYSQL_ROOT_PASSWORD: \"GONE horse GONE\"",
            "      MYSQL_ROOT_PASSWORD: GONE horse GONE",
            "      - DB_PASS=GONE, GONE",
            "      MYSQL_PWD: GONE",
            "STEAM_KEY: 'GONE'",
            "command: [\"+rcon_password\", \"GONE\", \"+map\", \"a\"]",
            "+map a +rcon_password \"GONE GONE\" +maxplayers 8",
            "srcds +sv_setsteamaccount GONE +map a",
            "{\"db_password\": \"GONE\", \"map\": \"a\"}",
            "mysql://u:GONE@h/db and postgres://GONE@h",
            "https://discord.com/api/webhooks/123/GONE?wait=true",
            "https://api.telegram.org/bot123:GONE/sendMessage",
            "X: ${RCON_PASSWORD:-a}\nRCON_PASSWORD: ${OTHER:-GONE}",
        ] {
            let gone = clean(&text.replace("GONE", "s3cr3t"));
            assert!(!gone.contains("s3cr3t") && !gone.contains("hunter22"), "{text}: {gone}");
        }
    }

    #[test]
    fn the_secrets_of_channels_are_known() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mail"), "correct-horse\n").unwrap();
        let text = "[stack]\nname = \"x\"\n[service.a]\nrole = \"other\"\n[notify.email]\n\
                    server = \"smtps://mail.example\"\nuser = \"u\"\n\
                    password = { file = \"mail\" }\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n\
                    [heartbeat]\nurl = { file = \"beat\" }\n";
        std::fs::write(directory.path().join("beat"), "https://hc.example/0a1b").unwrap();
        let config = Config::parse(&directory.path().join("vigie.toml"), text).unwrap();
        let said = Redactor::of(&config).clean("AUTH PLAIN u correct-horse");
        assert_eq!(said, "AUTH PLAIN u ••••");
        let called = "GET https://hc.example/0a1b HTTP/1.1";
        assert_eq!(Redactor::of(&config).clean(called), "GET •••• HTTP/1.1");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "Access denied for user 'x' (using password",
            "RCON_PASSWORD: ${RCON_PASSWORD}",
            "rcon = { address = \"127.0.0.1:27015\", password = { env = \"RCON_PASSWORD\" } }",
            "https://example.org/a?b=c",
            "+map gm_construct +maxplayers 8",
            "the keyboard: us",
        ] {
            assert_eq!(clean(text), text);
        }
        let line = clean("+rcon_password \"x y\" +map a");
        assert!(line.ends_with("+map a"), "{line}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,80}") {
            let _ = clean(&text);
        }
    }
}
