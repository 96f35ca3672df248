//! Does: removes restore points, and what is left of one that could not be made.

use vigie_core::snapshot::Point;

use super::SnapshotError;
use super::database::joined;
use super::engine::Place;

/// Removes `points`, and then what only they needed.
///
/// # Errors
/// See [`SnapshotError`]; those that were removed before stay removed.
pub async fn remove(place: &Place<'_>, points: &[Point]) -> Result<(), SnapshotError> {
    let repository = place.shelf.repository()?;
    for point in points {
        for name in point.tags() {
            place.docker.remove_image(&name).await?;
        }
        // First what it says, then what it says it of: the other way round it would promise too much.
        place.shelf.forget(&point.name)?;
        let ids: Vec<String> = point.snapshots().map(str::to_owned).collect();
        let from = repository.clone();
        joined(tokio::task::spawn_blocking(move || from.forget(&ids)).await)?;
    }
    joined(tokio::task::spawn_blocking(move || repository.prune()).await)
}

/// Removes what there is of a point that could not be made, or whose maker was killed; whether there was
/// anything.
///
/// # Errors
/// See [`SnapshotError`]; it can be tried again.
pub(super) async fn leftovers(place: &Place<'_>) -> Result<bool, SnapshotError> {
    let Some(making) = place.shelf.making()? else { return Ok(false) };
    // Killed between the last two strokes: it is whole.
    if place.shelf.points()?.iter().any(|point| point.name == making.name) {
        place.shelf.make(None)?;
        return Ok(false);
    }
    for image in &making.images {
        place.docker.remove_image(image).await?;
    }
    let repository = place.shelf.repository()?;
    let name = making.name.to_string();
    let work = move || {
        let all = repository.snapshots()?;
        let of_it = all.into_iter().filter(|(_, _, tags)| tags.contains(&name));
        repository.forget(&of_it.map(|(id, ..)| id).collect::<Vec<_>>())?;
        repository.prune()
    };
    joined(tokio::task::spawn_blocking(work).await)?;
    place.shelf.make(None)?;
    Ok(true)
}
