//! Decides what is written down of an image, so that it can be put together again from its layers: its
//! configuration byte for byte, its names, and the order of its layers. Never reads or writes anything.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The record's name in its snapshot.
pub(in crate::backup) const FILE: &str = "image.json";

/// An image without its layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::backup) struct Record {
    /// The digest of its configuration, by which engines call it.
    pub(super) id: String,
    /// Its configuration, history included.
    pub(super) config: String,
    /// Its names, `repository:tag`.
    pub(super) tags: Vec<String>,
    /// Its layers, lowest first.
    pub(super) layers: Vec<LayerRecord>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::backup) struct LayerRecord {
    /// The digest of its archive.
    pub(super) diff_id: String,
    /// Bytes of its archive.
    pub(super) bytes: u64,
}

impl Record {
    /// Whether all of it belongs together; whoever made the repository is not trusted.
    ///
    /// # Errors
    /// What does not.
    pub(in crate::backup) fn sound(&self) -> Result<(), String> {
        if digest(self.config.as_bytes()) != self.id {
            return Err(format!("the configuration of the image is not that of {}", self.id));
        }
        let named = diff_ids(&self.config)?;
        let ours = self.layers.iter().map(|layer| layer.diff_id.as_str());
        if !ours.eq(named.iter().map(String::as_str)) {
            return Err(format!("the layers of the image are not those of {}", self.id));
        }
        match named.iter().chain([&self.id]).find(|id| digits(id).is_none()) {
            Some(bad) => Err(format!("`{bad}` is no digest")),
            None => Ok(()),
        }
    }
}

/// The layers that a configuration names, lowest first.
pub(super) fn diff_ids(config: &str) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Config {
        rootfs: RootFs,
    }
    #[derive(Deserialize)]
    struct RootFs {
        #[serde(default)]
        diff_ids: Option<Vec<String>>,
    }
    let config: Config = serde_json::from_str(config)
        .map_err(|error| format!("the configuration of the image does not read: {error}"))?;
    Ok(config.rootfs.diff_ids.unwrap_or_default())
}

/// The names under which an image comes back: all that it has, and the one that its service asks for.
pub(super) fn tags(known: &[String], wanted: &str) -> Vec<String> {
    let mut tags: Vec<String> =
        known.iter().filter(|tag| !tag.starts_with("<none>")).cloned().collect();
    let is_digest = wanted.contains('@')
        || digits(wanted).is_some()
        || wanted.len() >= 12 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !wanted.is_empty() && !is_digest {
        let last = wanted.rsplit('/').next().unwrap_or_default();
        tags.push(if last.contains(':') { wanted.to_owned() } else { format!("{wanted}:latest") });
    }
    tags.sort();
    tags.dedup();
    tags
}

/// The 64 digits of a digest.
pub(super) fn digits(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (hex.len() == 64 && hex.bytes().all(lower)).then_some(hex)
}

/// The digest of bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    shown(Sha256::new().chain_update(bytes))
}

/// A digest as engines write it.
pub(super) fn shown(hash: Sha256) -> String {
    format!("sha256:{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_name_that_its_service_asks_for() {
        let known = [String::from("gmod:v1"), String::from("<none>:<none>")];
        assert_eq!(tags(&known, "gmod"), ["gmod:latest", "gmod:v1"]);
        assert_eq!(tags(&known, "gmod:v1"), ["gmod:v1"]);
        assert_eq!(tags(&[], "localhost:5000/gmod"), ["localhost:5000/gmod:latest"]);
        assert_eq!(tags(&[], &digest(b"")), [""; 0]);
        assert_eq!(tags(&[], "gmod@sha256:00"), [""; 0]);
        assert_eq!(tags(&[], "0123456789ab"), [""; 0]);
    }

    #[test]
    fn a_record_whose_parts_do_not_belong_together_is_refused() {
        let diff_id = digest(b"layer");
        let config = format!("{{\"rootfs\":{{\"diff_ids\":[\"{diff_id}\"]}}}}");
        let layers = vec![LayerRecord { diff_id, bytes: 1 }];
        let id = digest(config.as_bytes());
        let sound = Record { id, config, tags: Vec::new(), layers };
        sound.sound().unwrap();
        let other = Record { config: format!("{} ", sound.config), ..sound.clone() };
        assert!(other.sound().unwrap_err().contains("configuration"));
        let fewer = Record { layers: Vec::new(), ..sound };
        assert!(fewer.sound().unwrap_err().contains("layers"));
        let config = String::from("{\"rootfs\":{\"diff_ids\":[\"sha256:../../etc\"]}}");
        let layers = vec![LayerRecord { diff_id: "sha256:../../etc".into(), bytes: 1 }];
        let id = digest(config.as_bytes());
        let hostile = Record { id, config, tags: Vec::new(), layers };
        assert!(hostile.sound().unwrap_err().contains("is no digest"));
    }
}
