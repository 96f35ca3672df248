//! Does: resolves secrets, which are never written in the configuration: only where they are is.
//! Never shows one: [`Secret`] prints as dots.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
pub(crate) use vigie_core::doctor::looks_secret;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable, or in the `.env` file beside the configuration.
    Env(String),
    /// In a file; its last line end does not count.
    File(PathBuf),
}

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No such variable.
    #[error(
        "the environment variable {0} is not set, and {1} does not have it either; \
         set it, or point to a file with {{ file = \"…\" }}"
    )]
    NoVariable(String, String),
    /// No such file.
    #[error("the secret file {0} cannot be read: {1}")]
    NoFile(String, String),
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Table(BTreeMap<String, String>),
            Literal(serde::de::IgnoredAny),
        }
        const ADVICE: &str = "a secret is never written here; say where it is: { env = \"NAME\" } or { file = \"/path\" }";
        match Shape::deserialize(deserializer) {
            Ok(Shape::Table(mut table)) if table.len() == 1 => {
                if let Some(name) = table.remove("env") {
                    return Ok(Self::Env(name));
                }
                let file = table.remove("file").map(PathBuf::from);
                file.map(Self::File).ok_or_else(|| serde::de::Error::custom(ADVICE))
            }
            // The literal itself is not repeated in the error.
            Ok(Shape::Literal(_) | Shape::Table(_)) | Err(_) => {
                Err(serde::de::Error::custom(ADVICE))
            }
        }
    }
}

/// The secrets that were found, and the places to look.
#[derive(Clone, Default)]
pub struct Vault {
    directory: PathBuf,
    dotenv: BTreeMap<String, String>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} values)", self.dotenv.len())
    }
}

impl Vault {
    /// Looks in the environment, and in `directory`'s `.env` as Docker Compose does.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let text = std::fs::read_to_string(directory.join(".env")).unwrap_or_default();
        Self { directory: directory.to_owned(), dotenv: parse_dotenv(&text) }
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// Where it was looked for in vain.
    pub fn reveal(&self, secret: &Secret) -> Result<String, SecretError> {
        match secret {
            Secret::Env(name) => std::env::var(name)
                .ok()
                .or_else(|| self.dotenv.get(name).cloned())
                .ok_or_else(|| {
                    let dotenv = self.directory.join(".env").display().to_string();
                    SecretError::NoVariable(name.clone(), dotenv)
                }),
            Secret::File(path) => {
                let path = self.directory.join(path);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    SecretError::NoFile(path.display().to_string(), error.to_string())
                })?;
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        }
    }

    /// Every value that must never be shown, for redaction. Short ones are left out: redacting
    /// `a` would make a log unreadable and hide nothing.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        let secret = |(name, value): &(&String, &String)| looks_secret(name) || is_random(value);
        self.dotenv
            .iter()
            .filter(secret)
            .map(|(_, value)| value.clone())
            .filter(|value| value.len() >= 4)
            .collect()
    }
}

/// Whether a value looks like one that a machine made up: a token under a harmless name.
fn is_random(value: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let upper = value.chars().any(|c| c.is_ascii_uppercase());
    value.len() >= 20 && digits >= 3 && (upper || digits >= 6) && value.chars().all(is_token)
}

pub(super) fn parse_dotenv(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| {
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let value = value.trim();
        let quoted =
            |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        Some((name.trim().to_owned(), value.to_owned()))
    });
    pairs.collect()
}
