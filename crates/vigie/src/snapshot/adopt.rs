//! Does: makes a restore point of an image that somebody tagged by hand, under a name by the convention.
//! Never takes the old tag away, and never touches what runs.

use std::collections::BTreeSet;
use std::time::Instant;

use vigie_core::compose::ImageName;
use vigie_core::snapshot::{ImagePart, Point, PointName};
use vigie_core::stack::Role;

use super::engine::{repository, services};
use super::{Making, Place, SnapshotError};
use crate::config::Config;
use crate::report::millis;
use crate::runtime::docker::{Container, Docker, Image};
use crate::text::printable;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Legacy {
    /// The image, as `repository:tag`, or the tag alone of the service's own image.
    pub tag: String,
    /// The restore point's name; by the convention without.
    pub name: Option<PointName>,
    /// The service that the image is for; found by the image's name without.
    pub service: Option<String>,
    /// What a person says about it.
    pub note: Option<String>,
}

/// An image that could become a restore point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `repository:tag`.
    pub reference: String,
    /// The service that it is for.
    pub service: String,
    /// When it was made, in milliseconds since 1970.
    pub made: i64,
    /// Bytes of its layers.
    pub size: u64,
    /// What the point would be called.
    pub name: PointName,
}

/// The images of the games' repositories that are no restore points, the oldest first.
///
/// # Errors
/// What the engine says.
pub async fn candidates(
    config: &Config,
    docker: &Docker,
    points: &[Point],
) -> Result<Vec<Candidate>, SnapshotError> {
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    for (service, role, container) in services(config, docker).await? {
        let repository = repository(&container);
        if role != Role::Game || seen.contains(&repository) {
            continue;
        }
        let mut tagged = tagged(docker, &repository).await?;
        tagged.sort_by_key(|(_, image)| age(image));
        // As they are called when they are taken over one by one, the oldest first.
        let mut known = known(points, &tagged);
        for (tag, image) in &tagged {
            if of_a_point(points, &image.id).is_some() {
                continue;
            }
            let name = PointName::equivalent(tag, age(image), &known)?;
            known.push((name.clone(), age(image)));
            found.push(Candidate {
                reference: format!("{repository}:{tag}"),
                service: service.clone(),
                made: age(image),
                size: image.size,
                name,
            });
        }
        seen.push(repository);
    }
    Ok(found)
}

/// The names by the convention that images of the games have, whether they are restore points or not.
///
/// # Errors
/// What the engine says.
pub async fn names(config: &Config, docker: &Docker) -> Result<Vec<PointName>, SnapshotError> {
    let mut found = Vec::new();
    for (_, role, container) in services(config, docker).await? {
        if role == Role::Game {
            let tags = docker.tags(&repository(&container)).await?;
            found.extend(tags.iter().filter_map(|tag| tag.parse().ok()));
        }
    }
    Ok(found)
}

/// The restore point that it would be.
///
/// # Errors
/// When there is no such image, it is one already, its name is taken, or it is not clear which service
/// it is for.
pub async fn found(
    config: &Config,
    docker: &Docker,
    points: &[Point],
    legacy: &Legacy,
) -> Result<Point, SnapshotError> {
    let services = services(config, docker).await?;
    let (service, repository, tag) = meant(config, &services, legacy)?;
    let reference = format!("{repository}:{tag}");
    let tagged = tagged(docker, &repository).await?;
    let Some((_, image)) = tagged.iter().find(|(one, _)| *one == tag) else {
        let tags: Vec<_> = tagged.iter().map(|(tag, _)| tag.as_str()).collect();
        let there = match tags.as_slice() {
            [] => format!("nor any other of {repository}"),
            tags => format!("but {repository} with {}", tags.join(", ")),
        };
        let why = format!("the engine has no image {reference}, {there}; see docker images");
        return Err(SnapshotError::Unclear(why));
    };
    if let Some(point) = of_a_point(points, &image.id) {
        let why = format!("{reference} is the image of the restore point {} already", point.name);
        return Err(SnapshotError::Unclear(why));
    }
    let name = match &legacy.name {
        Some(name) => name.clone(),
        None => PointName::equivalent(&tag, age(image), &known(points, &tagged))?,
    };
    if points.iter().any(|point| point.name == name) {
        let why = format!(
            "there is a restore point {name} already; give another name: vigie snapshot adopt \
             {reference} NAME"
        );
        return Err(SnapshotError::Unclear(why));
    }
    let new_tag = name.to_string();
    if new_tag != tag && tagged.iter().any(|(one, _)| *one == new_tag) {
        return Err(SnapshotError::Taken(format!("{repository}:{new_tag}")));
    }
    let made = age(image);
    let image = ImagePart {
        service,
        repository,
        tag: new_tag,
        id: image.id.clone(),
        layers: image.layers.clone(),
        size: image.size,
        // It was on the disk before.
        added: 0,
        changes: Vec::new(),
        off_site: None,
    };
    Ok(Point {
        note: legacy.note.as_deref().map(printable),
        images: vec![image],
        adopted: Some(reference),
        ..Point::new(name, made)
    })
}

/// Makes it one.
///
/// # Errors
/// As [`found`], and when it cannot be written down; its new tag is then gone again.
pub async fn adopt(place: &Place<'_>, legacy: &Legacy) -> Result<Point, SnapshotError> {
    let began = Instant::now();
    let points = place.shelf.points()?;
    let mut point = found(place.config, place.docker, &points, legacy).await?;
    let images = point.tags().collect();
    let making = Making { name: point.name.clone(), images, known: BTreeSet::new() };
    place.shelf.make(Some(&making)).map_err(SnapshotError::of_disk)?;
    match write(place, &mut point, began).await {
        Ok(()) => {
            place.shelf.make(None)?;
            Ok(point)
        }
        Err(error) => {
            if let Err(left) = super::remove::leftovers(place).await {
                tracing::warn!(error = %left, "its new tag is taken away by the next command");
            }
            Err(error.of_disk())
        }
    }
}

async fn write(place: &Place<'_>, point: &mut Point, began: Instant) -> Result<(), SnapshotError> {
    for image in &point.images {
        // Where it has that name already, nothing changes.
        place.docker.tag(&image.id, &image.repository, &image.tag).await?;
    }
    point.took_ms = millis(began.elapsed());
    place.shelf.keep(point)
}

/// Service, repository and tag that are meant.
fn meant(
    config: &Config,
    services: &[(String, Role, Container)],
    legacy: &Legacy,
) -> Result<(String, String, String), SnapshotError> {
    let names: Vec<_> = config.stack.services().map(|(_, one)| one.name.as_str()).collect();
    if let Some(service) = legacy.service.as_deref().filter(|service| !names.contains(service)) {
        let why = format!("vigie.toml has no service {service}; it has {}", names.join(", "));
        return Err(SnapshotError::Unclear(why));
    }
    let games = services.iter().filter(|(_, role, _)| *role == Role::Game);
    let games: Vec<_> = games.map(|(name, ..)| name.as_str()).collect();
    let text = &legacy.tag;
    if !text.contains([':', '/', '@']) {
        let named = legacy.service.as_deref().or(match games.as_slice() {
            [game] => Some(game),
            _ => None,
        });
        let container = services.iter().find(|(name, ..)| Some(name.as_str()) == named);
        let Some((service, _, container)) = container else {
            let why = format!(
                "it is not clear which image has the tag {text}; write it whole, like \
                 projetfilrouge/gmod-server:{text}"
            );
            return Err(SnapshotError::Unclear(why));
        };
        return Ok((service.clone(), repository(container), text.clone()));
    }
    let name = ImageName::parse(text).filter(|name| name.digest.is_none());
    let Some((repository, Some(tag))) = name.map(|name| (name.repository, name.tag)) else {
        let why =
            format!("`{text}` names no tag; write it like projetfilrouge/gmod-server:jour2-stable");
        return Err(SnapshotError::Unclear(why));
    };
    let same = services.iter().filter(|(_, _, one)| self::repository(one) == repository);
    let same: Vec<_> = same.map(|(name, ..)| name.as_str()).collect();
    let service = match (legacy.service.as_deref(), same.as_slice(), games.as_slice()) {
        (Some(one), ..) | (None, &[one], _) | (None, &[], &[one]) => one.to_owned(),
        _ => {
            let why = format!(
                "it is not clear which service {text} is for; say it: --service NAME, one of {}",
                names.join(", ")
            );
            return Err(SnapshotError::Unclear(why));
        }
    };
    Ok((service, repository, tag))
}

/// The images of a repository by their tags.
async fn tagged(docker: &Docker, repository: &str) -> Result<Vec<(String, Image)>, SnapshotError> {
    let mut found = Vec::new();
    for tag in docker.tags(repository).await? {
        if let Some(image) = docker.image(&format!("{repository}:{tag}")).await? {
            found.push((tag, image));
        }
    }
    Ok(found)
}

/// Names by the convention, of points and of tags, and when their images were made.
fn known(points: &[Point], tagged: &[(String, Image)]) -> Vec<(PointName, i64)> {
    let tags = tagged.iter().filter_map(|(tag, image)| Some((tag.parse().ok()?, age(image))));
    points.iter().map(|point| (point.name.clone(), point.made)).chain(tags).collect()
}

fn of_a_point<'a>(points: &'a [Point], id: &str) -> Option<&'a Point> {
    points.iter().find(|point| point.images.iter().any(|image| image.id == id))
}

/// When it was made; an image that does not say it is of the beginning.
fn age(image: &Image) -> i64 {
    image.made.unwrap_or(0)
}
