//! Does: `[snapshot]`: how much of the disk stays free, and which restore points stay.

use std::time::Duration;

use serde::Deserialize;
use vigie_core::snapshot::Rules;

/// `[snapshot]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotConfig {
    /// Bytes of the disk that a restore point leaves free.
    #[serde(deserialize_with = "super::model::size")]
    pub reserve: u64,
    /// The newest so many stay.
    pub keep_last: usize,
    /// Those stay whose description has one of these words.
    pub keep_tagged: Vec<String>,
    /// Younger ones stay.
    #[serde(with = "vigie_core::span")]
    pub keep_min_age: Duration,
}

impl SnapshotConfig {
    /// What stays when the others are pruned.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            keep_last: self.keep_last,
            keep_tagged: self.keep_tagged.clone(),
            keep_min_age: self.keep_min_age,
        }
    }
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        let Rules { keep_last, keep_tagged, keep_min_age } = Rules::default();
        Self { reserve: 1 << 30, keep_last, keep_tagged, keep_min_age }
    }
}
