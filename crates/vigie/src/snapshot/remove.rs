//! Does: removes restore points, and what is left of one that could not be made.

use std::collections::BTreeSet;

use vigie_backup::{Error, Repository, SnapshotId};
use vigie_core::snapshot::Point;

use super::SnapshotError;
use super::database::joined;
use super::engine::Place;
use crate::backup::restored;

/// Removes `points`, and then what no point needs.
///
/// # Errors
/// See [`SnapshotError`]; those that were removed before stay removed.
pub async fn remove(place: &Place<'_>, points: &[Point]) -> Result<(), SnapshotError> {
    for point in points {
        for image in &point.images {
            let name = format!("{}:{}", image.repository, image.tag);
            // A name that is somebody's own, or another image's by now, is not taken away.
            let named = place.docker.image(&name).await?;
            let is_its_own = named.is_some_and(|one| one.id == image.id);
            if is_its_own && point.adopted.as_ref() != Some(&name) {
                place.docker.remove_image(&name).await?;
            }
            // So is it called where its name was another's when it came back from a backup.
            let own = restored(&image.repository, &image.id);
            if place.docker.image(&own).await?.is_some_and(|one| one.id == image.id) {
                place.docker.remove_image(&own).await?;
            }
        }
        // First what it says, then what it says it of: the other way round it would promise too much.
        place.shelf.forget(&point.name)?;
    }
    let points = place.shelf.points()?;
    let needed: BTreeSet<String> =
        points.iter().flat_map(Point::snapshots).map(str::to_owned).collect();
    forget(place, move |(id, ..)| !needed.contains(id)).await
}

/// A snapshot as a repository tells it: its name, its label and its tags.
type Told = (SnapshotId, String, Vec<String>);

/// Forgets the snapshots that `goes` says, and frees their space. A backup that reads the points is in
/// nobody's way, and nor is what is damaged: the next one who removes something takes what is left.
async fn forget(
    place: &Place<'_>,
    goes: impl Fn(&Told) -> bool + Send + 'static,
) -> Result<(), SnapshotError> {
    let repository: Repository = place.shelf.repository()?;
    let work = move || {
        let forgotten = repository.forget_chosen(|all| {
            all.iter().filter(|one| goes(one)).map(|(id, ..)| id.clone()).collect()
        });
        match forgotten {
            Ok(()) => Ok(repository.prune().err()),
            Err(error @ Error::Locked { .. }) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    };
    if let Some(error) = joined(tokio::task::spawn_blocking(work).await)? {
        (place.say)(&format!("the space is freed by a later vigie snapshot prune: {error}"));
    }
    Ok(())
}

/// Removes what there is of a point that could not be made, or whose maker was killed; whether there was
/// anything.
///
/// # Errors
/// See [`SnapshotError`]; it can be tried again.
pub(crate) async fn leftovers(place: &Place<'_>) -> Result<bool, SnapshotError> {
    let Some(making) = place.shelf.making()? else { return Ok(false) };
    // Killed between the last two strokes: it is whole.
    if place.shelf.points()?.iter().any(|point| point.name == making.name) {
        place.shelf.make(None)?;
        return Ok(false);
    }
    for image in &making.images {
        place.docker.remove_image(image).await?;
    }
    let (name, known) = (making.name.to_string(), making.known);
    forget(place, move |(id, _, tags)| tags.contains(&name) && !known.contains(id)).await?;
    place.shelf.make(None)?;
    Ok(true)
}
