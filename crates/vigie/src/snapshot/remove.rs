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
        for image in &point.images {
            place.docker.remove_image(&format!("{}:{}", image.repository, image.tag)).await?;
        }
        // First what it says, then what it says it of: the other way round it would promise too much.
        place.shelf.forget(&point.name)?;
        let ids: Vec<String> = point.snapshots().map(str::to_owned).collect();
        let from = repository.clone();
        joined(tokio::task::spawn_blocking(move || from.forget(&ids)).await)?;
    }
    joined(tokio::task::spawn_blocking(move || repository.prune()).await)
}

/// Removes what there is of a point that could not be made; what cannot be removed is said.
pub(super) async fn remains(place: &Place<'_>, point: &Point) {
    for image in &point.images {
        let reference = format!("{}:{}", image.repository, image.tag);
        if let Err(error) = place.docker.remove_image(&reference).await {
            tracing::warn!(%error, reference, "an image of the point that was not made is left");
        }
    }
    let ids: Vec<String> = point.snapshots().map(str::to_owned).collect();
    let forgotten = async {
        let repository = place.shelf.repository()?;
        joined(
            tokio::task::spawn_blocking(move || {
                repository.forget(&ids)?;
                repository.prune()
            })
            .await,
        )
    };
    if let Err(error) = forgotten.await {
        tracing::warn!(%error, "data of the point that was not made is left");
    }
}
