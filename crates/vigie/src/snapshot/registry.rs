//! Does: brings the images of a restore point to a registry and back. After a push the point says where
//! it is beside this machine.

use vigie_core::compose::ImageName;
use vigie_core::snapshot::{ImagePart, Point, PointName};

use super::SnapshotError;
use super::engine::Place;
use crate::runtime::docker::{Logins, Transfer};

/// Pushes the images of a point, to `to` where that is given, else to where their names lead.
///
/// # Errors
/// What the registry says; images that it took before are noted.
pub async fn push(
    place: &Place<'_>,
    name: &PointName,
    to: Option<&str>,
) -> Result<Point, SnapshotError> {
    let mut point = place.shelf.point(name)?;
    if point.images.is_empty() {
        return Err(SnapshotError::Nothing(format!("{name} has no image")));
    }
    let logins = Logins::usual();
    for at in 0..point.images.len() {
        let image = &point.images[at];
        let repository = target(image, to, point.images.len() > 1)?;
        let reference = format!("{repository}:{}", image.tag);
        (place.say)(&format!("push {reference}"));
        place.docker.tag(&image.id, &repository, &image.tag).await?;
        let digest = place.docker.push(&reference, &logins, told(place)).await?;
        point.images[at].off_site = Some(format!("{reference}@{digest}"));
        // Noted at once: the next one may fail.
        place.shelf.keep(&point)?;
    }
    Ok(point)
}

/// Brings the images of a point back that were pushed.
///
/// # Errors
/// What the registry says, or that it has something else under that name by now.
pub async fn pull(place: &Place<'_>, name: &PointName) -> Result<Point, SnapshotError> {
    let point = place.shelf.point(name)?;
    let logins = Logins::usual();
    for image in &point.images {
        let Some(off_site) = &image.off_site else {
            let why = format!(
                "the image {}:{} was never pushed; vigie snapshot push {name} does it",
                image.repository, image.tag
            );
            return Err(SnapshotError::Nothing(why));
        };
        let (reference, digest) = off_site.split_once('@').unwrap_or((off_site, ""));
        (place.say)(&format!("pull {reference}"));
        let came = place.docker.pull(reference, &logins, told(place)).await?;
        let id = place.docker.image(reference).await?.map(|seen| seen.id);
        if came != digest || id.as_ref() != Some(&image.id) {
            let why = format!("{reference} is another image by now: {came} instead of {digest}");
            return Err(SnapshotError::Nothing(why));
        }
        place.docker.tag(&image.id, &image.repository, &image.tag).await?;
    }
    Ok(point)
}

/// The name under which a registry gets an image.
fn target(image: &ImagePart, to: Option<&str>, several: bool) -> Result<String, SnapshotError> {
    let Some(to) = to else { return Ok(image.repository.clone()) };
    let name = ImageName::parse(to).filter(|name| name.tag.is_none() && name.digest.is_none());
    let Some(name) = name else {
        let why = format!(
            "`{to}` is no repository; write one like registry.example.org/ville/gmod-server, without a tag"
        );
        return Err(SnapshotError::Nothing(why));
    };
    // Several images under one name would take the tag from each other.
    Ok(if several { format!("{}-{}", name.repository, image.service) } else { name.repository })
}

/// Gives what is moved to the meter. A layer's count begins anew with each layer.
fn told(place: &Place<'_>) -> impl FnMut(Transfer) + Send + use<> {
    let meter = place.meter.clone();
    let mut last: (Option<String>, u64) = (None, 0);
    move |transfer| {
        let Some(meter) = &meter else { return };
        let same = last.0 == transfer.layer && transfer.done >= last.1;
        let more = if same { transfer.done - last.1 } else { transfer.done };
        meter.more(more);
        last = (transfer.layer, transfer.done);
    }
}
