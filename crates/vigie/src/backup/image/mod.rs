//! Does: backups of images, layer by layer: what is kept once is neither read nor stored again, and what
//! comes back is the same image, with its digest. It never removes anything.

mod archive;
mod back;
mod bare;
mod directories;
mod outlet;
mod plan;
mod proof;
mod record;
mod rename;
mod shelf;
mod stream;

use std::collections::BTreeMap;

use vigie_backup::Stored;

pub(super) use crate::runtime::docker::Reach;
pub(super) use archive::{read_record, write};
pub(super) use back::{Source, short};
pub(crate) use back::{aside, restored};
pub(super) use record::Record;
pub(super) use rename::write_called;
pub(super) use shelf::{is_layer, label, there, whole};

use super::BackupError;
use super::keep::{Keeper, no_engine};
use super::manifest::Manifest;
use crate::runtime::docker::{Docker, Picture};
use record::LayerRecord;
use shelf::Shelved;

/// The image's name in its snapshot, where it could not be kept by layers.
pub(super) const WHOLE: &str = "image.tar";

/// What a way of reading an image gave.
pub(super) struct Gathered {
    /// Its configuration.
    config: String,
    /// Its layers, lowest first.
    layers: Vec<LayerRecord>,
    /// Bytes that the repository grew by.
    added: u64,
}

impl Record {
    /// The digest by which the engine knows it when it is back.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its names, `repository:tag`.
    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The digests of its layers, lowest first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().map(|layer| layer.diff_id.as_str())
    }

    /// Bytes of its layers' archives.
    pub(super) fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }

    /// The same image under other names.
    pub(super) fn called(self, tags: Vec<String>) -> Self {
        Self { tags, ..self }
    }
}

/// Backs up the image that a service's container was made from.
///
/// # Errors
/// Why it is not backed up; nothing of it counts then.
pub(super) async fn keep(
    keeper: &Keeper<'_>,
    manifest: &mut Manifest,
) -> Result<Stored, BackupError> {
    let docker = keeper.docker.ok_or_else(no_engine)?;
    let service = manifest.asset.service.clone().unwrap_or_default();
    let container = docker.container(&service).await?.ok_or_else(|| {
        BackupError::Refused(format!("{service} has no container, so its image is not known"))
    })?;
    let picture = docker.picture(&container.image_id).await?.ok_or_else(|| {
        let id = &container.image_id;
        BackupError::Refused(format!("the engine does not have the image of {service} ({id})"))
    })?;
    manifest.image = Some(picture.id.clone());
    if let Reach::Whole(why) = &picture.reach {
        keeper.tell.step(&format!("{why}: the image of {service} is kept as one archive"));
        // A name may have moved on to another image since the container was made.
        let named = docker.image(&container.image).await?.is_some_and(|one| one.id == picture.id);
        let reference = if named { &container.image } else { &picture.id };
        return keeper.whole_image(manifest, docker, reference).await;
    }
    let tags = record::tags(&picture.tags, &container.image);
    let (record, grown) = taken(keeper, docker, &service, &picture, tags).await?;
    manifest.image = Some(record.id.clone());
    manifest.layers = record.layers().map(str::to_owned).collect();
    let layers = record.bytes();
    let text = serde_json::to_vec_pretty(&record);
    let text = text.map_err(|error| BackupError::Damaged(error.to_string()))?;
    let (label, tag) = (manifest.asset.name(), Manifest::tag(manifest.at));
    let stored = keeper.work(move |repository| {
        let reader = std::io::Cursor::new(text);
        repository.put_stream(&label, &tag, record::FILE, reader, || Ok(()))
    });
    let stored = stored.await?;
    let (bytes, added) = (stored.bytes + layers, stored.added + grown);
    Ok(Stored { bytes, added, ..stored })
}

/// Keeps the layers of `picture` that are not kept yet. What puts them together is called by `tags`; and
/// bytes that the repository grew by.
pub(super) async fn taken(
    keeper: &Keeper<'_>,
    docker: &Docker,
    of: &str,
    picture: &Picture,
    tags: Vec<String>,
) -> Result<(Record, u64), BackupError> {
    let shelf = on_shelf(keeper).await?;
    let gathered = gather(keeper, docker, of, picture, &shelf).await?;
    let id = record::digest(gathered.config.as_bytes());
    let record = Record { id, config: gathered.config, tags, layers: gathered.layers };
    record.sound().map_err(BackupError::Damaged)?;
    Ok((record, gathered.added))
}

/// The layers that the repository has.
async fn on_shelf(keeper: &Keeper<'_>) -> Result<BTreeMap<String, Shelved>, BackupError> {
    let repository = keeper.repository.clone();
    let read = tokio::task::spawn_blocking(move || repository.snapshots()).await;
    let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
    let read = read.map_err(|error| BackupError::Site(keeper.site.to_owned(), error))?;
    Ok(shelf::read(&read))
}

/// Keeps the layers that are not kept yet, in the best way there is.
async fn gather(
    keeper: &Keeper<'_>,
    docker: &Docker,
    service: &str,
    picture: &Picture,
    shelf: &BTreeMap<String, Shelved>,
) -> Result<Gathered, BackupError> {
    let why = match &picture.reach {
        Reach::Directories { config, layers } => {
            match directories::keep(keeper, config, layers, shelf).await? {
                directories::Done::Kept(gathered) => return Ok(gathered),
                directories::Done::Unreadable(why) => why,
            }
        }
        Reach::Stream(why) | Reach::Whole(why) => why.clone(),
    };
    keeper.tell.step(&format!("{why}: the engine is asked for the image of {service}"));
    stream::keep(keeper, docker, picture, shelf).await
}
