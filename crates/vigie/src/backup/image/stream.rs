//! Does: keeps the layers of an image from the stream that the engine writes (`docker save`). A layer
//! that is kept is passed over; none is ever held in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use vigie_backup::{Repository, Stored};

use super::super::keep::{Pieces, WAITING};
use super::record::{LayerRecord, digits, shown};
use super::shelf::{self, Shelved};
use super::{BackupError, Docker, Gathered, Keeper, Picture, outlet};

/// The name of an archive in its snapshot.
pub(super) const TAR: &str = "layer.tar";
/// A configuration is some kilobytes.
const CONFIG: u64 = 16 << 20;
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// Which layers stood under which names in the streams of older engines.
const NAMES: &str = "saved-layers.json";

/// Why a stream was not kept.
enum Trouble {
    /// It ended, or is no archive.
    Torn(std::io::Error),
    /// Something else.
    Other(BackupError),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Torn(error)
    }
}

/// Keeps what is not on the shelf.
///
/// # Errors
/// When the engine or the repository fail, or a layer is not what its name says.
pub(super) async fn keep(
    keeper: &Keeper<'_>,
    docker: &Docker,
    picture: &Picture,
    shelf: &BTreeMap<String, Shelved>,
) -> Result<Gathered, BackupError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let known = shelf.iter().map(|(diff_id, shelved)| (diff_id.clone(), shelved.bytes)).collect();
    let mut splitter = Splitter {
        repository: keeper.repository.clone(),
        site: keeper.site.to_owned(),
        room: keeper.catalog.directory().to_owned(),
        picture: picture.clone(),
        known,
        added: 0,
        config: None,
    };
    let split = tokio::task::spawn_blocking(move || {
        let done = splitter.read(Pieces::of(receiver));
        done.map(|()| splitter)
    });
    let (saved, split) = tokio::join!(docker.save(&picture.id, sender), split);
    let split = split.map_err(|error| BackupError::Worker(error.to_string()))?;
    let splitter = match (split, saved) {
        (Err(Trouble::Other(error)), _) => return Err(error),
        (_, Err(error)) => return Err(error.into()),
        (Err(Trouble::Torn(error)), Ok(())) => {
            let id = &picture.id;
            return Err(BackupError::Damaged(format!("what the engine gave of {id}: {error}")));
        }
        (Ok(splitter), Ok(())) => splitter,
    };
    let missing = |what: &str| {
        BackupError::Damaged(format!("the engine gave the image {} without {what}", picture.id))
    };
    let layers = picture.diff_ids.iter().map(|diff_id| {
        let bytes = splitter.known.get(diff_id);
        let bytes = *bytes.ok_or_else(|| missing(&format!("its layer {diff_id}")))?;
        Ok(LayerRecord { diff_id: diff_id.clone(), bytes })
    });
    let layers = layers.collect::<Result<_, BackupError>>()?;
    let config = splitter.config.ok_or_else(|| missing("its configuration"))?;
    Ok(Gathered { config, layers, added: splitter.added })
}

/// Takes a stream apart.
struct Splitter {
    repository: Repository,
    site: String,
    /// Where a layer may lie until it is known which one it is.
    room: PathBuf,
    picture: Picture,
    /// Layers that are kept, and the bytes of their archives.
    known: BTreeMap<String, u64>,
    added: u64,
    config: Option<String>,
}

/// What a member of the stream is.
#[derive(Debug, PartialEq, Eq)]
enum Member {
    Config,
    /// The layer of this digest.
    Layer(String),
    /// A layer under a name of the engine's own.
    Named(String),
    Other,
}

/// What stands at `path`: `blobs/sha256/HEX`, or `HEX.json` and `HEX/layer.tar` of older engines.
fn member(path: &Path, picture: &Picture) -> Member {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).filter(|part| *part != ".").collect();
    let id = digits(&picture.id);
    match parts[..] {
        ["blobs", "sha256", hex] if Some(hex) == id => Member::Config,
        ["blobs", "sha256", hex] => {
            let diff_id = format!("sha256:{hex}");
            if picture.diff_ids.contains(&diff_id) { Member::Layer(diff_id) } else { Member::Other }
        }
        [name] if name.strip_suffix(".json") == id && id.is_some() => Member::Config,
        [name, "layer.tar"] => Member::Named(name.to_owned()),
        _ => Member::Other,
    }
}

impl Splitter {
    fn read(&mut self, stream: Pieces) -> Result<(), Trouble> {
        let mut names = self.names();
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let size = entry.size();
            match member(&entry.path()?, &self.picture) {
                Member::Config => {
                    let mut text = String::new();
                    (&mut entry).take(CONFIG).read_to_string(&mut text)?;
                    self.config = Some(text);
                }
                Member::Layer(diff_id) if self.known.contains_key(&diff_id) => {}
                Member::Layer(diff_id) => self.pass_on(&diff_id, size, &mut entry)?,
                Member::Named(name) => {
                    let diff_id = names.get(&name);
                    if diff_id.is_some_and(|diff_id| self.known.contains_key(diff_id)) {
                        continue;
                    }
                    let diff_id = self.find_out(size, &mut entry)?;
                    names.insert(name, diff_id);
                }
                Member::Other => {}
            }
        }
        // The engine wants to be rid of what is behind the last member.
        std::io::copy(&mut archive.into_inner(), &mut std::io::sink())?;
        names.retain(|_, diff_id| self.known.contains_key(diff_id));
        let text = serde_json::to_vec_pretty(&names).unwrap_or_default();
        // Without it, a layer is looked at once more the next time.
        let _ = std::fs::write(self.room.join(NAMES), text);
        Ok(())
    }

    fn names(&self) -> BTreeMap<String, String> {
        let text = std::fs::read(self.room.join(NAMES)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Keeps a layer while it comes.
    fn pass_on(&mut self, diff_id: &str, size: u64, from: &mut impl Read) -> Result<(), Trouble> {
        let (label, tags) = (shelf::label(diff_id), shelf::tar_tags(size, None));
        let mut torn = None;
        let stored = outlet::put(&self.repository, &label, &tags, TAR, |to| {
            let mut hash = Sha256::new();
            let mut buffer = vec![0; PIECE];
            loop {
                let count = from.read(&mut buffer).map_err(|error| {
                    let why = error.to_string();
                    torn = Some(error);
                    why
                })?;
                if count == 0 {
                    break;
                }
                hash.update(&buffer[..count]);
                to.write_all(&buffer[..count]).map_err(|error| error.to_string())?;
            }
            let found = shown(hash);
            if found == diff_id { Ok(()) } else { Err(another(diff_id, &found)) }
        });
        match torn {
            Some(error) => Err(Trouble::Torn(error)),
            None => self.noted(diff_id, size, stored),
        }
    }

    /// Keeps a layer of which only its content says which one it is.
    fn find_out(&mut self, size: u64, from: &mut impl Read) -> Result<String, Trouble> {
        let failed = |error| Trouble::Other(BackupError::File(self.room.clone(), error));
        let mut file = tempfile::tempfile_in(&self.room).map_err(failed)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; PIECE];
        loop {
            let count = from.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(failed)?;
        }
        let diff_id = shown(hash);
        if !self.picture.diff_ids.contains(&diff_id) {
            let id = &self.picture.id;
            let why = format!("the engine gave the layer {diff_id}, which {id} does not have");
            return Err(Trouble::Other(BackupError::Damaged(why)));
        }
        if !self.known.contains_key(&diff_id) {
            file.rewind().map_err(failed)?;
            let stored = self.put(&diff_id, size, file);
            self.noted(&diff_id, size, stored)?;
        }
        Ok(diff_id)
    }

    fn put(&self, diff_id: &str, size: u64, file: File) -> Result<Stored, vigie_backup::Error> {
        let (label, tags) = (shelf::label(diff_id), shelf::tar_tags(size, None));
        self.repository.put_stream(&label, &tags, TAR, file, || Ok(()))
    }

    fn noted(
        &mut self,
        diff_id: &str,
        size: u64,
        stored: Result<Stored, vigie_backup::Error>,
    ) -> Result<(), Trouble> {
        let failed = |error| Trouble::Other(BackupError::Site(self.site.clone(), error));
        self.added += stored.map_err(failed)?.added;
        self.known.insert(diff_id.to_owned(), size);
        Ok(())
    }
}

fn another(diff_id: &str, found: &str) -> String {
    format!("what the engine gave as the layer {diff_id} is {found}")
}

#[cfg(test)]
mod tests {
    use super::super::record::digest;
    use super::*;
    use crate::runtime::docker::Reach;

    #[test]
    fn members_of_both_kinds_of_streams_are_known() {
        let (id, layer) = (digest(b"config"), digest(b"layer"));
        let (id_hex, hex) = (digits(&id).unwrap().to_owned(), digits(&layer).unwrap().to_owned());
        let picture = Picture {
            id,
            tags: Vec::new(),
            diff_ids: vec![layer.clone()],
            reach: Reach::Stream(String::new()),
        };
        let of = |path: &str| member(Path::new(path), &picture);
        assert_eq!(of(&format!("{id_hex}.json")), Member::Config);
        assert_eq!(of(&format!("blobs/sha256/{id_hex}")), Member::Config);
        assert_eq!(of(&format!("./blobs/sha256/{hex}")), Member::Layer(layer));
        assert_eq!(of("abc/layer.tar"), Member::Named("abc".into()));
        for other in ["manifest.json", "abc/json", "blobs/sha256/00", "repositories", "index.json"]
        {
            assert_eq!(of(other), Member::Other, "{other}");
        }
    }
}
