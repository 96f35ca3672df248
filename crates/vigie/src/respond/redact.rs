//! Does: takes secrets out of texts before anybody sees them: the values that the configuration
//! points to, and whatever stands behind a name that says it is secret.

use crate::config::{Config, Secret, Vault};

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
        for service in config.file.service.values() {
            let secrets = [
                service.rcon.as_ref().map(|probe| &probe.password),
                service.database.as_ref().map(|probe| &probe.password),
            ];
            values.extend(reveal(&config.vault, secrets));
        }
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
        clean.lines().map(named).collect::<Vec<_>>().join("\n")
    }
}

fn reveal<'a>(
    vault: &'a Vault,
    secrets: impl IntoIterator<Item = Option<&'a Secret>> + 'a,
) -> impl Iterator<Item = String> + 'a {
    let found = secrets.into_iter().flatten().filter_map(|secret| vault.reveal(secret).ok());
    found.filter(|value| value.len() >= 4)
}

/// Takes out what stands behind `PASSWORD=`, `password:`, `+rcon_password ` and their like.
fn named(line: &str) -> String {
    const NAMES: [&str; 7] =
        ["password", "passwd", "secret", "token", "authkey", "api_key", "credential"];
    let lower = line.to_ascii_lowercase();
    let Some((at, name)) = NAMES.iter().filter_map(|name| Some((lower.find(name)?, name))).min()
    else {
        return line.to_owned();
    };
    let behind = at + name.len();
    let rest = &line[behind..];
    let skip = rest.find(|c: char| !matches!(c, '=' | ':' | ' ' | '"' | '\'' | '_'));
    let Some(start) = skip.filter(|skip| *skip > 0) else { return line.to_owned() };
    let value = &rest[start..];
    let end = value.find(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == ',');
    let end = end.unwrap_or(value.len());
    format!("{}{DOTS}{}", &line[..behind + start], named(&value[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_named_secrets_are_gone() {
        let redactor = Redactor { values: vec![String::from("hunter22")] };
        let text = "joined with hunter22\nMYSQL_PASSWORD=abc def\n+rcon_password \"x y\" +map a";
        let clean = redactor.clean(text);
        assert!(!clean.contains("hunter22") && !clean.contains("abc"), "{clean}");
        assert!(clean.contains(" def") && clean.contains("+map a"), "{clean}");
    }

    #[test]
    fn ordinary_lines_stay() {
        let redactor = Redactor::default();
        assert_eq!(
            redactor.clean("Access denied for user 'x' (using password"),
            "Access denied for user 'x' (using password"
        );
    }
}
