//! Does: finds where the engine has the layers of an image on this machine, and only says so where it is
//! certain. It reads the engine's directories and never writes there.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Docker;
use crate::runtime::RuntimeError;

/// An image as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its digest: `sha256:` and 64 hexadecimal digits.
    pub id: String,
    /// Its names, `repository:tag`.
    pub tags: Vec<String>,
    /// The digests of its layers' archives, lowest first.
    pub diff_ids: Vec<String>,
    /// How it can be read.
    pub reach: Reach,
}

/// How an image can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// From the engine's directories.
    Directories {
        /// Its configuration, byte for byte.
        config: Vec<u8>,
        /// Its layers, lowest first.
        layers: Vec<Layer>,
    },
    /// Only as a stream that the engine writes, and why.
    Stream(String),
    /// The same, in which layers are not named by the digests of their archives.
    Whole(String),
}

/// A layer's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of its archive.
    pub diff_id: String,
    /// Its files, with whiteouts as overlayfs has them.
    pub directory: PathBuf,
    /// What the engine remembers of its archive beside the files' contents.
    pub split: Option<PathBuf>,
}

impl Docker {
    /// The image called `reference` (a name with a tag, or a digest), or `None` when there is none.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn picture(&self, reference: &str) -> Result<Option<Picture>, RuntimeError> {
        let docker = self.engine.docker().await?;
        let asked = async {
            match docker.inspect_image(reference).await {
                Err(error) if super::engine::is_missing(&error) => Ok(None),
                other => other.map(Some),
            }
        };
        let what = "asking for the image";
        let Some(seen) = self.engine.limit(what, reference, asked).await? else { return Ok(None) };
        let info = self.engine.limit("asking the engine", reference, docker.info()).await?;
        let diff_ids = seen.root_fs.and_then(|root| root.layers).unwrap_or_default();
        let id = seen.id.unwrap_or_default();
        let told = info.driver_status.unwrap_or_default();
        let by_containerd = told.iter().flatten().any(|word| word.contains("containerd.snapshot"));
        let driver = info.driver.unwrap_or_default();
        let reach = if by_containerd {
            Reach::Whole(String::from("the engine keeps its images in containerd"))
        } else if driver != "overlay2" {
            Reach::Stream(format!("the engine's storage is {driver}"))
        } else {
            let root = PathBuf::from(info.docker_root_dir.unwrap_or_default());
            let top = seen.graph_driver.and_then(|driver| driver.data.get("UpperDir").cloned());
            let (id, diff_ids) = (id.clone(), diff_ids.clone());
            let looked = tokio::task::spawn_blocking(move || {
                Store { root }.find(&id, &diff_ids, top.as_deref().map(Path::new))
            });
            match looked.await {
                Ok(Ok(found)) => found,
                Ok(Err(why)) => Reach::Stream(why),
                Err(error) => Reach::Stream(error.to_string()),
            }
        };
        Ok(Some(Picture { id, tags: seen.repo_tags.unwrap_or_default(), diff_ids, reach }))
    }
}

/// The engine's directory.
struct Store {
    root: PathBuf,
}

impl Store {
    /// Where everything of an image is, or why that is not certain.
    fn find(&self, id: &str, diff_ids: &[String], top: Option<&Path>) -> Result<Reach, String> {
        let hex = digits(id)?;
        let at = self.root.join("image/overlay2/imagedb/content/sha256").join(hex);
        let config = read(&at)?;
        if digest(&config) != id {
            return Err(format!("{} is not what its name says", at.display()));
        }
        let mut layers: Vec<Layer> = Vec::new();
        let mut chain = String::new();
        for diff_id in diff_ids {
            digits(diff_id)?;
            let parent = std::mem::take(&mut chain);
            chain = match parent.as_str() {
                "" => diff_id.clone(),
                parent => digest(format!("{parent} {diff_id}").as_bytes()),
            };
            layers.push(self.layer(&chain, diff_id, &parent)?);
        }
        let last = layers.last().map(|layer| layer.directory.as_path());
        if let (Some(top), Some(last)) = (top, last)
            && top != last
        {
            return Err(format!(
                "the engine has its highest layer at {}, not at {}",
                top.display(),
                last.display()
            ));
        }
        Ok(Reach::Directories { config, layers })
    }

    fn layer(&self, chain: &str, diff_id: &str, parent: &str) -> Result<Layer, String> {
        let at = self.root.join("image/overlay2/layerdb/sha256").join(digits(chain)?);
        let word = |name: &str| {
            let bytes = read(&at.join(name))?;
            Ok::<_, String>(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        let below = if parent.is_empty() { String::new() } else { word("parent")? };
        if word("diff")? != diff_id || below != parent {
            return Err(format!("{} is another layer than its name says", at.display()));
        }
        let place = word("cache-id")?;
        if place.is_empty() || !place.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("{} names no directory", at.join("cache-id").display()));
        }
        let directory = self.root.join("overlay2").join(place).join("diff");
        fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let split = at.join("tar-split.json.gz");
        let split = match split.try_exists() {
            Ok(there) => there.then_some(split),
            Err(error) => return Err(format!("{}: {error}", split.display())),
        };
        Ok(Layer { diff_id: diff_id.to_owned(), directory, split })
    }
}

fn read(at: &Path) -> Result<Vec<u8>, String> {
    fs::read(at).map_err(|error| format!("{}: {error}", at.display()))
}

/// The digits of a digest, which are the name of a file.
fn digits(digest: &str) -> Result<&str, String> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let fine = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fine { Ok(hex) } else { Err(format!("`{digest}` is no digest")) }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "image/overlay2";

    /// An engine's directory with an image of `diffs` layers; says its digest and theirs.
    fn engine(root: &Path, diffs: usize) -> (String, Vec<String>) {
        let config = b"{\"os\":\"linux\"}";
        let id = digest(config);
        let images = root.join(ROOM).join("imagedb/content/sha256");
        fs::create_dir_all(&images).unwrap();
        fs::write(images.join(digits(&id).unwrap()), config).unwrap();
        let ids: Vec<_> = (0..diffs).map(|one| digest(one.to_string().as_bytes())).collect();
        let mut chain = String::new();
        for (number, diff_id) in ids.iter().enumerate() {
            let parent = chain.clone();
            chain = if number == 0 {
                diff_id.clone()
            } else {
                digest(format!("{parent} {diff_id}").as_bytes())
            };
            let at = root.join(ROOM).join("layerdb/sha256").join(digits(&chain).unwrap());
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join("diff"), diff_id).unwrap();
            fs::write(at.join("cache-id"), format!("cache{number}")).unwrap();
            if number > 0 {
                fs::write(at.join("parent"), &parent).unwrap();
            }
            fs::create_dir_all(root.join(format!("overlay2/cache{number}/diff"))).unwrap();
        }
        (id, ids)
    }

    #[test]
    fn layers_are_found_in_their_order() {
        let room = tempfile::tempdir().unwrap();
        let (id, ids) = engine(room.path(), 3);
        let store = Store { root: room.path().to_owned() };
        let top = room.path().join("overlay2/cache2/diff");
        let Reach::Directories { layers, config } = store.find(&id, &ids, Some(&top)).unwrap()
        else {
            panic!("not found")
        };
        assert_eq!(config, b"{\"os\":\"linux\"}");
        assert_eq!(layers.iter().map(|one| one.diff_id.clone()).collect::<Vec<_>>(), ids);
        assert_eq!(layers[2].directory, top);
    }

    #[test]
    fn what_is_not_certain_is_not_used() {
        let room = tempfile::tempdir().unwrap();
        let (id, ids) = engine(room.path(), 2);
        let store = Store { root: room.path().to_owned() };
        let elsewhere = Path::new("/elsewhere/diff");
        assert!(store.find(&id, &ids, Some(elsewhere)).unwrap_err().contains("/elsewhere"));
        let swapped: Vec<_> = ids.iter().rev().cloned().collect();
        assert!(store.find(&id, &swapped, None).is_err());
        assert!(store.find("sha256:../../../etc", &ids, None).is_err());
        let first = room.path().join(ROOM).join("layerdb/sha256").join(digits(&ids[0]).unwrap());
        fs::write(first.join("cache-id"), "../../etc").unwrap();
        assert!(store.find(&id, &ids, None).unwrap_err().contains("names no directory"));
        fs::write(first.join("diff"), &ids[1]).unwrap();
        assert!(store.find(&id, &ids, None).unwrap_err().contains("another layer"));
        let config = room.path().join(ROOM).join("imagedb/content/sha256");
        fs::write(config.join(digits(&id).unwrap()), "{}").unwrap();
        assert!(store.find(&id, &ids, None).unwrap_err().contains("not what its name says"));
    }
}
