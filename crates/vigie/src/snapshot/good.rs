//! Does: which restore point runs, which one is known to be good, and the way back to it. A point is
//! good when it ran for a day without a P1 or P2; the watch notes that by itself.

use std::time::Duration;

use vigie_core::incident::{Lifecycle, Severity};
use vigie_core::respond::WayBack;
use vigie_core::snapshot::{Bump, GOOD_AFTER, Only, Parts, Point, PointName};

use super::{Journey, Place, Shelf, SnapshotError, rollback};
use crate::config::Config;
use crate::observe::Eyes;
use crate::runtime::docker::{Container, Docker};
use crate::store::{Filter, Register};

/// Between two looks whether what runs has become good.
const EVERY: Duration = Duration::from_secs(3600);

/// The point whose image runs, and since when.
///
/// # Errors
/// What the engine says.
pub async fn running(
    docker: &Docker,
    points: &[Point],
) -> Result<Option<(PointName, i64)>, SnapshotError> {
    for point in points.iter().rev() {
        for image in &point.images {
            let Some(container) = docker.container(&image.service).await? else { continue };
            if container.image_id == image.id
                && let Some(started) = container.started.filter(|_| container.runs)
            {
                return Ok(Some((point.name.clone(), started)));
            }
        }
    }
    Ok(None)
}

/// Notes that the point that runs is good, when it has run for a day without a P1 or P2.
///
/// # Errors
/// When the register or the shelf cannot be read or written.
pub fn note_good(
    config: &Config,
    shelf: &Shelf,
    points: &mut [Point],
    running: Option<&(PointName, i64)>,
) -> Result<(), SnapshotError> {
    let Some((name, started)) = running else { return Ok(()) };
    let now = jiff::Timestamp::now().as_millisecond();
    let day = i64::try_from(GOOD_AFTER.as_millis()).unwrap_or(i64::MAX);
    let Some(point) = points.iter_mut().find(|point| &point.name == name) else { return Ok(()) };
    if now.saturating_sub(*started) < day || point.good.is_some() || !point.can_be_good() {
        return Ok(());
    }
    let severities = vec![Severity::P1, Severity::P2];
    let since =
        Filter { since: Some(*started), severities: severities.clone(), ..Filter::default() };
    // One that began before the start and goes on speaks against it as well.
    let states = vec![Lifecycle::Open, Lifecycle::Repairing, Lifecycle::Escalated];
    let open = Filter { severities, states, ..Filter::default() };
    let register = Register::open(&config.journal());
    let found = register.and_then(|register| {
        let mut found = register.find(&since, 1)?;
        found.extend(register.find(&open, 1)?);
        Ok(found)
    });
    let found = found.map_err(|error| SnapshotError::Nothing(error.to_string()))?;
    // It was read before the shelf was this one's alone: it may be another by now, or gone.
    let same = |one: &Point| one.name == point.name && one.made == point.made;
    let fresh = shelf.points()?.into_iter().find(same);
    if let Some(mut fresh) = fresh.filter(|_| found.is_empty()) {
        fresh.good = Some(now);
        shelf.keep(&fresh)?;
        *point = fresh;
    }
    Ok(())
}

/// The one that was good last.
#[must_use]
pub fn last_good(points: &[Point]) -> Option<&PointName> {
    let good = points.iter().filter(|one| one.good.is_some() && one.can_be_good());
    good.max_by_key(|one| one.made).map(|one| &one.name)
}

/// Notes now and then whether what runs has become good.
pub async fn watch_good(eyes: Eyes) {
    let Some(docker) = eyes.runtime.docker() else { return };
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while eyes.stop.run_until_cancelled(beat.tick()).await.is_some() {
        match look(&eyes.config, docker).await {
            // A command is at work, or the engine is away: later.
            Ok(()) | Err(SnapshotError::Busy | SnapshotError::Engine(_)) => {}
            Err(error) => tracing::warn!(%error, "nobody knows which restore point is good"),
        }
    }
}

async fn look(config: &Config, docker: &Docker) -> Result<(), SnapshotError> {
    let mut points = Shelf::look(config)?;
    if points.is_empty() {
        return Ok(());
    }
    let runs = running(docker, &points).await?;
    note_good(config, &Shelf::open(config)?, &mut points, runs.as_ref())
}

/// The image of the last known good point, where it is not the one that runs and is still here.
///
/// # Errors
/// When the shelf does not read, or what the engine says.
pub async fn way_back(
    config: &Config,
    docker: &Docker,
    service: &str,
    container: Option<&Container>,
) -> Result<Option<WayBack>, SnapshotError> {
    let points = Shelf::look(config)?;
    let Some(name) = last_good(&points) else { return Ok(None) };
    let Some(point) = points.iter().find(|point| &point.name == name) else { return Ok(None) };
    let Some(image) = point.images.iter().find(|image| image.service == service) else {
        return Ok(None);
    };
    let runs = container.is_some_and(|container| container.image_id == image.id);
    if runs || docker.image(&image.id).await?.is_none() {
        return Ok(None);
    }
    let content = container.and_then(|container| container.content.as_deref());
    let masks = content.map(|content| point.masks(service, content)).unwrap_or_default();
    Ok(Some(WayBack {
        point: name.to_string(),
        image: format!("{}:{}", image.repository, image.tag),
        volumes: masks.into_iter().map(|volume| volume.name.clone()).collect(),
    }))
}

/// A runbook's step: lets `service` run the image of the point `to`. The rollback looks itself whether
/// it answers then, and takes everything back when it does not.
///
/// # Errors
/// Why not, in one line.
pub async fn image_back(
    config: &Config,
    docker: &Docker,
    service: &str,
    to: &str,
) -> Result<(), String> {
    let work = async {
        let shelf = Shelf::open(config)?;
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        Box::pin(super::resume(&place)).await?;
        go(&place, service, &to.parse()?).await
    };
    // A rollback is deep, and a worker's stack is not.
    Box::pin(work).await.map_err(|error: SnapshotError| error.to_string())
}

/// Takes such a step back: lets `service` run what ran before it. Nothing where that is so already.
///
/// # Errors
/// Why not, in one line.
pub async fn image_forward(
    config: &Config,
    docker: &Docker,
    service: &str,
    to: &str,
) -> Result<(), String> {
    let work = async {
        let shelf = Shelf::open(config)?;
        let place = Place { config, docker, shelf: &shelf, meter: None, say: &say };
        if Box::pin(super::resume(&place)).await?.is_some() {
            return Ok(());
        }
        let left = shelf.point(&to.parse()?)?;
        let points = shelf.points()?;
        let image = left.images.iter().find(|image| image.service == service);
        let container = docker.container(service).await?;
        let there = container.zip(image).is_some_and(|(now, image)| now.image_id == image.id);
        let before = |point: &&Point| point.safety && point.name.description() == before(&left);
        match points.iter().rev().find(before).filter(|_| there) {
            Some(present) => go(&place, service, &present.name).await,
            None => Ok(()),
        }
    };
    // A rollback is deep, and a worker's stack is not.
    Box::pin(work).await.map_err(|error: SnapshotError| error.to_string())
}

/// How the point of the present is described that is made before a rollback to `to`.
pub(super) fn before(to: &Point) -> String {
    match (to.safety, to.name.number()) {
        // A way back of a way back of a way back would be too long for a tag.
        (true, (major, minor)) => format!("before-v{major}.{minor}"),
        (false, _) => format!("before-{}", to.name),
    }
}

/// The name of the next point of the present.
pub(super) fn safety(known: &[Point], to: &Point) -> Result<PointName, SnapshotError> {
    Ok(PointName::next(known.iter().map(|one| &one.name), Bump::Minor, &before(to))?)
}

async fn go(place: &Place<'_>, service: &str, to: &PointName) -> Result<(), SnapshotError> {
    let mut to = place.shelf.point(to)?;
    to.images.retain(|image| image.service == service);
    let journey = Journey { to, parts: Parts::of(Some(Only::Image)), players: None };
    Box::pin(rollback(place, &journey)).await.map(drop)
}

fn say(text: &str) {
    tracing::info!("restore points: {text}");
}
