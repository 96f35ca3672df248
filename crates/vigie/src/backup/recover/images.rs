//! Does: images on the host that is recovered: what is there under a name that a backup has, and the ones in
//! the backups, brought.

use super::plan::Step;
use super::{RecoverError, picks::Pick};
use crate::backup::image::{aside, short};
use crate::backup::restore::{Bringer, Way};
use crate::backup::{BackupError, Manifest};
use crate::report::rfc3339;
use crate::runtime::docker::{Docker, Image};

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
    let restored = bringer.bring(&pick.manifest, &Way::InPlace, None).await?;
    let back = docker.image(name).await?;
    if !back.is_some_and(|back| is_it(&back, &pick.manifest)) {
        return Err(BackupError::Damaged(format!(
            "the image in the backup is loaded, and is not what is called {name}; look: docker images"
        ))
        .into());
    }
    Ok(format!("{}, {}", crate::text::size(pick.manifest.bytes), restored.place))
}

/// Whether this is the image of the backup. One without a digest was never compared.
fn is_it(there: &Image, manifest: &Manifest) -> bool {
    manifest.image.as_ref().is_none_or(|kept| *kept == there.id)
}
