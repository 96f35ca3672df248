//! Does: images on the host that is recovered: what is there under a name that a backup has, and the ones in
//! the backups, brought. One that is in the way keeps a name of its own; it is never removed.

use super::plan::Step;
use super::{RecoverError, picks::Pick};
use crate::backup::restore::{Bringer, Way};
use crate::backup::{BackupError, Manifest, image};
use crate::report::rfc3339;
use crate::runtime::docker::{Docker, Image};

/// Digits of a digest that are told.
const TOLD: usize = 12;

/// Says of each image in a backup whose name is another image's here what becomes of both.
pub(super) async fn others(
    docker: &Docker,
    steps: &[(String, Step)],
) -> Result<Vec<String>, RecoverError> {
    let mut notes = Vec::new();
    for (_, step) in steps {
        let Step::Image(pick) = step else { continue };
        let name = &pick.manifest.asset.what;
        let Some(there) = docker.image(name).await? else { continue };
        if is_it(&there, &pick.manifest) {
            continue;
        }
        let kept = pick.manifest.image.as_deref().map_or("", short);
        let made = there.made.map_or_else(String::new, |at| format!(", made {}", rfc3339(at)));
        let aside = aside(name, &there.id);
        let aside = aside.map_or_else(
            || String::from("keeps its digest alone"),
            |(repository, tag)| format!("is called {repository}:{tag} then"),
        );
        let users = docker.made_from(&there.id).await?;
        let users = if users.is_empty() {
            String::new()
        } else {
            format!("; the containers {} were made from it and go on with it", users.join(", "))
        };
        notes.push(format!(
            "{name} is another image here ({}{made}) than in the backup ({kept}): the one in the backup \
             takes the name, and the other {aside}{users}",
            short(&there.id)
        ));
    }
    Ok(notes)
}

/// Brings an image that is not here, or is another one.
pub(super) async fn bring(
    bringer: &Bringer<'_>,
    docker: &Docker,
    pick: &Pick,
) -> Result<String, RecoverError> {
    let name = &pick.manifest.asset.what;
    let there = docker.image(name).await?;
    if there.as_ref().is_some_and(|there| is_it(there, &pick.manifest)) {
        return Ok(format!("{name} was there"));
    }
    let mut kept = Vec::new();
    for tag in names(bringer, pick).await? {
        let Some(other) = docker.image(&tag).await? else { continue };
        if let (false, Some((repository, aside))) =
            (is_it(&other, &pick.manifest), aside(&tag, &other.id))
        {
            docker.tag(&other.id, &repository, &aside).await?;
            kept.push(format!("another {tag} is {repository}:{aside} now"));
        }
    }
    bringer.bring(&pick.manifest, &Way::InPlace, None).await?;
    let back = docker.image(name).await?;
    if !back.is_some_and(|back| is_it(&back, &pick.manifest)) {
        return Err(BackupError::Damaged(format!(
            "the image in the backup is loaded, and is not what is called {name}; look: docker images"
        ))
        .into());
    }
    kept.insert(0, format!("{name}, {}", crate::text::size(pick.manifest.bytes)));
    Ok(kept.join(", "))
}

/// Every name that the image in the backup has.
async fn names(bringer: &Bringer<'_>, pick: &Pick) -> Result<Vec<String>, BackupError> {
    let (repository, id) = (bringer.repository.clone(), pick.id.clone());
    let read = tokio::task::spawn_blocking(move || image::read_record(&repository, &id)).await;
    let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
    let record = read.map_err(|error| BackupError::Site(bringer.site.to_owned(), error))?;
    let mut names = record.map(|record| record.tags().to_vec()).unwrap_or_default();
    names.push(pick.manifest.asset.what.clone());
    names.sort();
    names.dedup();
    Ok(names)
}

/// Whether this is the image of the backup. One without a digest was never compared.
fn is_it(there: &Image, manifest: &Manifest) -> bool {
    manifest.image.as_ref().is_none_or(|kept| *kept == there.id)
}

/// The first digits of a digest.
fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..TOLD).unwrap_or(digits)
}

/// The repository and the tag by which an image is still found whose name is taken; nothing for a name that
/// is a digest, which nobody can take.
fn aside(name: &str, id: &str) -> Option<(String, String)> {
    if name.contains('@') {
        return None;
    }
    let repository = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    };
    Some((repository.to_owned(), format!("before-{}", short(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_whose_name_is_taken_has_one_of_its_own() {
        let id = "sha256:0123456789abcdef0123";
        for (name, repository) in [
            ("gmod", "gmod"),
            ("town/gmod:v1", "town/gmod"),
            ("localhost:5000/gmod", "localhost:5000/gmod"),
            ("localhost:5000/gmod:v1", "localhost:5000/gmod"),
        ] {
            let (found, tag) = aside(name, id).unwrap();
            assert_eq!((found.as_str(), tag.as_str()), (repository, "before-0123456789ab"));
        }
        assert_eq!(aside("gmod@sha256:01", id), None);
        assert_eq!(short("odd"), "odd");
    }
}
