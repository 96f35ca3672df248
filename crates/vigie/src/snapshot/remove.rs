//! Does: removes restore points, and what is left of one that could not be made.

use std::collections::BTreeSet;

use vigie_core::snapshot::Point;

use super::SnapshotError;
use super::database::joined;
use super::engine::Place;

/// Removes `points`, and then what only they needed.
///
/// # Errors
/// See [`SnapshotError`]; those that were removed before stay removed.
pub async fn remove(place: &Place<'_>, points: &[Point]) -> Result<(), SnapshotError> {
    for point in points {
        for name in point.tags() {
            place.docker.remove_image(&name).await?;
        }
        // First what it says, then what it says it of: the other way round it would promise too much.
        place.shelf.forget(&point.name)?;
    }
    sweep(place).await
}

/// Forgets every snapshot that no point has, also those of which a backup that read them kept somebody
/// from doing so, and frees their space. Nobody makes a point meanwhile.
async fn sweep(place: &Place<'_>) -> Result<(), SnapshotError> {
    let repository = place.shelf.repository()?;
    let points = place.shelf.points()?;
    let work = move || {
        let needed: BTreeSet<&str> = points.iter().flat_map(Point::snapshots).collect();
        repository.forget_chosen(|all| {
            let free = all.iter().map(|(id, ..)| id).filter(|id| !needed.contains(id.as_str()));
            free.cloned().collect()
        })?;
        repository.prune()
    };
    joined(tokio::task::spawn_blocking(work).await)
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
    sweep(place).await?;
    place.shelf.make(None)?;
    Ok(true)
}
