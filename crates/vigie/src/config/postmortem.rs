//! Does: `[postmortem]`: where post-mortems are written, from which template, and when people are
//! reminded of what is still to be done.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `[postmortem]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemConfig {
    /// Their directory, relative to the file.
    pub directory: PathBuf,
    /// The template that replaces vigie's own, relative to the file.
    pub template: Option<PathBuf>,
    /// Whether each is committed to git when it is written or edited.
    pub commit: bool,
    /// How long a proposed action may take.
    #[serde(with = "vigie_core::span")]
    pub due: Duration,
    /// When people are reminded of open actions (cron in this host's time zone), or `never`.
    pub remind: String,
}

impl PostmortemConfig {
    /// What `remind` says for no reminder at all.
    pub const NEVER: &str = "never";
}

impl Default for PostmortemConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("postmortems"),
            template: None,
            commit: false,
            due: DAY * 14,
            remind: String::from("0 18 * * 1"),
        }
    }
}
