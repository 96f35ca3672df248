//! Does: the images of a scratch project: from the backups, under a name that only the drill uses, or no new
//! name at all where the engine has that very image. No name of the living stack is moved.

use std::collections::BTreeMap;
use std::io::Write as _;

use vigie_core::backup::Kind;
use vigie_core::drift::Layout;

use super::Rehearsal;
use super::parts::{Part, Parts};
use crate::backup::restore::Bringer;
use crate::backup::{BackupError, image};
use crate::text::size;

/// The image of a service.
#[derive(Debug)]
pub(super) struct Chosen {
    service: String,
    /// As the compose file calls it.
    name: String,
    /// As the engine knows it, now or when it is loaded.
    pub(super) reference: String,
    /// Its backup; none where the host's own is used.
    part: Option<Part>,
    /// Whether the engine has it already.
    is_there: bool,
}

/// Chooses the image of each service, and loads none.
///
/// # Errors
/// When one is neither in a backup nor on this host.
pub(super) async fn choose(
    rehearsal: &Rehearsal<'_>,
    project: &str,
    layout: &Layout,
    parts: &Parts,
) -> Result<Vec<Chosen>, BackupError> {
    let docker = rehearsal.docker;
    let mut chosen: Vec<Chosen> = Vec::new();
    for service in layout.services.keys() {
        let names = layout.images(service);
        let kept = names.iter().find_map(|name| {
            let mut all = parts.all(Kind::Image);
            Some((name, all.find(|part| part.manifest.asset.what == *name)?))
        });
        let own = |name: &str, reference: String, part: Option<&Part>, is_there| Chosen {
            service: service.clone(),
            name: name.to_owned(),
            reference,
            part: part.cloned(),
            is_there,
        };
        if let Some((name, part)) = kept {
            let known = match &part.manifest.image {
                Some(id) => docker.image(id).await?,
                None => None,
            };
            let is_there = known.is_some();
            let reference = known.map_or_else(|| format!("{project}:{service}"), |image| image.id);
            chosen.push(own(name, reference, Some(part), is_there));
            continue;
        }
        let mut found = None;
        for name in &names {
            if let Some(image) = docker.image(name).await? {
                found = Some((name, image.id));
                break;
            }
        }
        let (name, id) = found.ok_or_else(|| {
            let name = names.join(" or ");
            BackupError::Damaged(format!(
                "the image {name} of {service} is in no backup and not on this host; on a new host nothing \
                 would run: vigie backup run image"
            ))
        })?;
        chosen.push(own(name, id, None, true));
    }
    Ok(chosen)
}

/// How Compose is told.
pub(super) fn references(chosen: &[Chosen]) -> BTreeMap<String, String> {
    chosen.iter().map(|one| (one.service.clone(), one.reference.clone())).collect()
}

/// Loads the images that are in backups, each once; what that proves, a line each.
///
/// # Errors
/// When one does not come back as it was kept.
pub(super) async fn load(
    rehearsal: &Rehearsal<'_>,
    bringer: &Bringer<'_>,
    chosen: &[Chosen],
) -> Result<Vec<String>, BackupError> {
    let mut told = Vec::new();
    for one in chosen {
        let Some(part) = &one.part else {
            let (name, service) = (&one.name, &one.service);
            told.push(format!(
                "{name} of {service} is in no backup: the one of this host was used"
            ));
            continue;
        };
        rehearsal.tell.step(&format!("bring {} back", part.manifest.asset.name()));
        // One that is there keeps its names; it is loaded all the same, as a new host would do.
        let tags = if one.is_there { Vec::new() } else { vec![one.reference.clone()] };
        let (repository, id) = (rehearsal.repository.clone(), part.id.clone());
        let read = tokio::task::spawn_blocking(move || image::read_record(&repository, &id)).await;
        let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
        let record = read.map_err(|error| BackupError::Site(rehearsal.site.to_owned(), error))?;
        let id = part.id.clone();
        bringer
            .pour(move |repository, write| {
                match record {
                    Some(record) => image::write(repository, &record.called(tags), write)?,
                    None => image::write_called(repository, &id, &tags, write)?,
                }
                write.flush().map_err(|error| vigie_backup::Error::File("image.tar".into(), error))
            })
            .await?;
        let found = rehearsal.docker.image(&one.reference).await?;
        let is_same = found.is_some_and(|image| {
            part.manifest.image.as_ref().is_none_or(|wanted| *wanted == image.id)
        });
        if !is_same {
            return Err(BackupError::Damaged(format!(
                "the engine took the image {} and does not have it as it was kept; look: vigie backup restore \
                 {} --to DIR, and docker load -i image.tar",
                one.name,
                part.manifest.asset.name()
            )));
        }
        let name = part.manifest.asset.name();
        told.push(format!("{name}: {} loaded, as it was kept", size(part.manifest.bytes)));
    }
    Ok(told)
}
