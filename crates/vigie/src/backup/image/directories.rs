//! Does: keeps the layers of an image from the engine's own directories. A layer that is kept is not
//! read; one that is not what its name says is not kept. It never writes to these directories.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use vigie_backup::{Error, Repository};

use super::proof::{Proof, prove};
use super::record::LayerRecord;
use super::shelf::{self, Shelved, TREE};
use super::{BackupError, Gathered, Keeper, bare};
use crate::runtime::docker::Layer;

/// The name of what an archive had beside the files' contents.
pub(super) const SPLIT: &str = "tar-split.json.gz";

/// What came of it.
pub(super) enum Done {
    /// All of it is kept.
    Kept(Gathered),
    /// A layer cannot be read here, and why.
    Unreadable(String),
}

/// Keeps what is not on the shelf.
///
/// # Errors
/// When a layer is not what its name says, or the repository fails.
pub(super) async fn keep(
    keeper: &Keeper<'_>,
    config: &[u8],
    layers: &[Layer],
    shelf: &BTreeMap<String, Shelved>,
) -> Result<Done, BackupError> {
    let Ok(config) = String::from_utf8(config.to_vec()) else {
        return Ok(Done::Unreadable(String::from("the image's configuration is no text")));
    };
    let mut gathered = Gathered { config, layers: Vec::new(), added: 0 };
    let mut known: BTreeMap<String, u64> =
        shelf.iter().map(|(diff_id, shelved)| (diff_id.clone(), shelved.bytes)).collect();
    let mut anew = 0;
    for (number, layer) in layers.iter().enumerate() {
        let diff_id = layer.diff_id.clone();
        if let Some(bytes) = known.get(&diff_id) {
            gathered.layers.push(LayerRecord { diff_id, bytes: *bytes });
            continue;
        }
        keeper.tell.step(&format!("layer {} of {}", number + 1, layers.len()));
        let put = match layer.split.clone() {
            Some(split) => put(keeper, &diff_id, layer.directory.clone(), split).await?,
            None => {
                anew += 1;
                bare::keep(keeper, layer, shelf).await?
            }
        };
        match put {
            Put::Kept { diff_id, bytes, added } => {
                known.insert(diff_id.clone(), bytes);
                gathered.added += added;
                gathered.layers.push(LayerRecord { diff_id, bytes });
            }
            Put::Unreadable(why) => return Ok(Done::Unreadable(why)),
        }
    }
    if anew > 0 {
        keeper.tell.step(&format!(
            "the engine does not remember the archives of {anew} layers: they are made anew, so the image \
             comes back with the same files under another digest"
        ));
        gathered.config = bare::renamed(&gathered.config, &gathered.layers)?;
    }
    Ok(Done::Kept(gathered))
}

/// What came of one layer.
pub(super) enum Put {
    /// It is kept.
    Kept {
        /// The digest of its archive.
        diff_id: String,
        /// Bytes of its archive.
        bytes: u64,
        /// Bytes that the repository grew by.
        added: u64,
    },
    /// It cannot be read here, and why.
    Unreadable(String),
}

async fn put(
    keeper: &Keeper<'_>,
    diff_id: &str,
    directory: PathBuf,
    split: PathBuf,
) -> Result<Put, BackupError> {
    let proof = Arc::new(Mutex::new(None));
    let (label, found, name) = (shelf::label(diff_id), Arc::clone(&proof), diff_id.to_owned());
    let kept =
        keeper.work(move |repository| tree(&repository, &label, &name, directory, split, &found));
    let kept = kept.await;
    let proof = proof.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (kept, proof) {
        (Ok(stored), Some(Proof::Sound(bytes))) => {
            let (diff_id, added) = (diff_id.to_owned(), stored.added);
            Ok(Put::Kept { diff_id, bytes, added })
        }
        (_, Some(Proof::Another(why))) => Err(BackupError::Damaged(why)),
        (_, Some(Proof::Unreadable(why))) => Ok(Put::Unreadable(why)),
        // A file that the proof could read and the backup could not.
        (Err(BackupError::Site(_, Error::Unreadable { why, .. })), _) => Ok(Put::Unreadable(why)),
        (Err(error), _) => Err(error),
        (Ok(_), None) => Err(BackupError::Damaged(format!("the layer {diff_id} was not proved"))),
    }
}

/// Keeps a layer's files and proves them at the same time; then what belongs to them.
fn tree(
    repository: &Repository,
    label: &str,
    diff_id: &str,
    directory: PathBuf,
    split: PathBuf,
    found: &Mutex<Option<Proof>>,
) -> Result<vigie_backup::Stored, Error> {
    let (at, plan, name) = (directory.clone(), split.clone(), diff_id.to_owned());
    let proving = std::thread::spawn(move || prove(&name, &at, &plan));
    let stored = repository.put_tree_proved(label, TREE, &directory, || {
        let failed = |_| Proof::Unreadable(String::from("the proof of a layer failed"));
        let proof = proving.join().unwrap_or_else(failed);
        let verdict = proof.verdict();
        *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        verdict
    })?;
    let bytes = match &*found.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(Proof::Sound(bytes)) => *bytes,
        _ => 0,
    };
    let file = File::open(&split).map_err(|error| Error::File(split, error))?;
    let tags = shelf::split_tags(bytes);
    let behind = repository.put_stream(label, &tags, SPLIT, file, || Ok(()))?;
    Ok(vigie_backup::Stored { added: stored.added + behind.added, ..stored })
}
