//! Does: makes a restore point: all of it, or nothing of it is left.

use std::path::PathBuf;
use std::time::Instant;

use vigie_backup::Stored;
use vigie_core::snapshot::{
    ImagePart, PROJECT_LABEL, Point, PointName, TreePart, bind_label, volume_label,
};
use vigie_core::stack::Role;

use super::database::{self, joined};
use super::engine::{Place, repository};
use super::refuse::{others, refuse, volumes, wanted};
use super::{Making, SnapshotError, project};
use crate::report::millis;
use crate::runtime::docker::Container;
use crate::text::printable;

/// Mode, owner and group.
type Root = (u32, u32, u32);

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The name.
    pub name: PointName,
    /// What a person says about it.
    pub note: Option<String>,
    /// Whether processes are paused while their images are made.
    pub pause: bool,
    /// Only the images of these services; of all games without.
    pub services: Vec<String>,
    /// Whether it is made before a rollback.
    pub safety: bool,
    /// Players on the games now, where that is known.
    pub players: Option<u32>,
}

/// Makes one.
///
/// # Errors
/// See [`SnapshotError`]; nothing is left of it then.
pub async fn create(place: &Place<'_>, wish: &Wish) -> Result<Point, SnapshotError> {
    let began = Instant::now();
    let services = place.services().await?;
    let points = place.shelf.points()?;
    refuse(place.config, place.docker, &points, wish, &services).await?;
    let mut point = Point {
        note: wish.note.as_deref().map(printable),
        safety: wish.safety,
        players: wish.players,
        ..Point::new(wish.name.clone(), jiff::Timestamp::now().as_millisecond())
    };
    let named =
        |(_, container): &(&str, &Container)| format!("{}:{}", repository(container), wish.name);
    let images = wanted(wish, &services).iter().map(named).collect();
    let known = place.shelf.snapshots()?;
    let making = Making { name: wish.name.clone(), images, known };
    place.shelf.make(Some(&making)).map_err(SnapshotError::of_disk)?;
    let made = match fill(place, wish, &services, &mut point).await {
        Ok(()) => {
            point.took_ms = millis(began.elapsed());
            place.shelf.keep(&point)
        }
        Err(error) => Err(error),
    };
    if let Err(error) = made {
        if let Err(left) = super::remove::leftovers(place).await {
            tracing::warn!(error = %left, "what was made of it is removed by the next command");
        }
        return Err(error.of_disk());
    }
    place.shelf.make(None)?;
    Ok(point)
}

async fn fill(
    place: &Place<'_>,
    wish: &Wish,
    services: &[(String, Role, Container)],
    point: &mut Point,
) -> Result<(), SnapshotError> {
    // The dump first: what players did while the rest was read is then in no part, rather than in one.
    for (service, role, container) in services {
        if *role != Role::Database {
            continue;
        }
        let Some((probe, schema)) = database::probe(place, service) else {
            (place.say)(&format!(
                "{service} has no `schema` in vigie.toml: its data is in no dump"
            ));
            continue;
        };
        if !container.runs {
            (place.say)(&format!("{service} does not run: {schema} cannot be dumped"));
            continue;
        }
        (place.say)(&format!("dump of {schema} from {service}"));
        let part = database::dump(place, service, probe, schema, &wish.name).await?;
        point.databases.push(part);
    }
    for (service, container) in wanted(wish, services) {
        (place.say)(&format!("image of {service}"));
        point.images.push(image(place, wish, service, container).await?);
    }
    for (volume, mounted) in volumes(services) {
        (place.say)(&format!("volume {}", volume.name));
        let label = volume_label(&volume.name);
        let stored = tree(place, wish, label, volume.source).await?;
        point.volumes.push(part(volume.name, mounted, stored));
    }
    files(place, wish, services, point).await
}

async fn image(
    place: &Place<'_>,
    wish: &Wish,
    service: &str,
    container: &Container,
) -> Result<ImagePart, SnapshotError> {
    let (repository, tag) = (repository(container), wish.name.to_string());
    let changes = place.docker.changes(service).await?;
    let below = place.docker.image(&container.image_id).await?;
    let id = place.docker.commit(service, &repository, &tag, wish.pause).await?;
    let seen = place.docker.image(&id).await?;
    let (size, layers) = seen.map(|seen| (seen.size, seen.layers)).unwrap_or_default();
    let below = below.map_or(0, |below| below.size);
    Ok(ImagePart {
        service: service.to_owned(),
        repository,
        tag,
        id,
        layers,
        size,
        added: size.saturating_sub(below),
        changes,
        off_site: None,
    })
}

async fn tree(
    place: &Place<'_>,
    wish: &Wish,
    label: String,
    path: PathBuf,
) -> Result<(Stored, Option<Root>), SnapshotError> {
    use std::os::unix::fs::MetadataExt;
    let seen = std::fs::metadata(&path).ok();
    let root = seen.map(|seen| (seen.mode() & 0o7777, seen.uid(), seen.gid()));
    let mut repository = place.shelf.repository()?;
    if let Some(meter) = &place.meter {
        repository = repository.with_meter(std::sync::Arc::clone(meter));
    }
    let tag = wish.name.to_string();
    let kept = tokio::task::spawn_blocking(move || repository.put_tree(&label, &tag, &path));
    Ok((joined(kept.await)?, root))
}

fn part(
    name: String,
    mounted: Vec<(String, String)>,
    (stored, root): (Stored, Option<Root>),
) -> TreePart {
    let Stored { id, files, bytes, added, .. } = stored;
    TreePart { name, mounted, snapshot: id, root, files, size: bytes, added }
}

async fn files(
    place: &Place<'_>,
    wish: &Wish,
    services: &[(String, Role, Container)],
    point: &mut Point,
) -> Result<(), SnapshotError> {
    let binds = project::binds(place.config, &others(services));
    let directory = place.config.directory();
    for (inside, mounted) in &binds {
        let name = inside.display().to_string();
        (place.say)(&format!("files in {name}"));
        let stored = tree(place, wish, bind_label(&name), directory.join(inside)).await?;
        point.binds.push(part(name, mounted.clone(), stored));
    }
    (place.say)("the project's files");
    let places: Vec<_> = binds.iter().map(|(inside, _)| directory.join(inside)).collect();
    let repositories = project::repositories(place.config, &places).await;
    let patches = repositories.iter().filter_map(|(repository, patch)| {
        let name = format!("{}.patch", repository.directory.replace(['/', '.'], "_"));
        Some((name, patch.clone()?))
    });
    let patches: Vec<_> = patches.collect();
    let containers: Vec<_> = services.iter().map(|(_, _, container)| container.clone()).collect();
    let members = project::members(place.config, &containers);
    let shelf = super::Shelf::place(place.config);
    let stage = tempfile::Builder::new().prefix(".stage-").tempdir_in(&shelf);
    let stage = stage.map_err(|error| SnapshotError::File(shelf, error))?;
    project::gather(place.config, &members, &patches, stage.path())?;
    let stored = tree(place, wish, PROJECT_LABEL.to_owned(), stage.path().to_owned()).await?;
    point.project = Some(part(String::from("project"), Vec::new(), stored));
    point.repositories = repositories.into_iter().map(|(repository, _)| repository).collect();
    Ok(())
}
