//! Does: what differs between two restore points: files, images, the compose files, commits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use vigie_backup::{Entry, Kind};
use vigie_core::snapshot::{Point, TreePart};

use super::database::joined;
use super::engine::Place;
use super::{SnapshotError, project};
use crate::respond::Redactor;

/// What differs in one directory or image. Paths are relative to it, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `volume NAME`, `files NAME`, `image SERVICE`.
    pub what: String,
    /// What is only in the second point.
    pub added: Vec<String>,
    /// What is only in the first one.
    pub removed: Vec<String>,
    /// What both have, and not the same.
    pub changed: Vec<String>,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// What differs between two points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// By directory and image; only what differs.
    pub parts: Vec<Changed>,
    /// The compose files, as a unified diff; without secrets.
    pub compose: String,
    /// The commits behind the first point's up to the second one's, by repository.
    pub commits: BTreeMap<String, Vec<String>>,
    /// Bytes of the dump of each database that differs: before and after.
    pub databases: BTreeMap<String, [u64; 2]>,
}

/// Compares two points; their images alone where one of them is an image that was taken over.
///
/// # Errors
/// When one of them cannot be read.
pub async fn diff(
    place: &Place<'_>,
    one: &Point,
    other: &Point,
) -> Result<Difference, SnapshotError> {
    if one.adopted.is_some() || other.adopted.is_some() {
        let parts = images(one, other);
        let (compose, commits, databases) = (String::new(), BTreeMap::new(), BTreeMap::new());
        return Ok(Difference { parts, compose, commits, databases });
    }
    let mut parts = Vec::new();
    for (word, pick) in [("volume", volumes as fn(&Point) -> Vec<&TreePart>), ("files", files)] {
        for name in names(&pick(one), &pick(other)) {
            let before = entries(place, find(&pick(one), &name)).await?;
            let after = entries(place, find(&pick(other), &name)).await?;
            parts.push(compare(format!("{word} {name}"), &before, &after));
        }
    }
    parts.extend(images(one, other));
    parts.retain(|part| !part.is_empty());
    Ok(Difference {
        parts,
        compose: compose(place, one, other).await?,
        commits: commits(place, one, other).await,
        databases: databases(place, one, other).await?,
    })
}

fn volumes(point: &Point) -> Vec<&TreePart> {
    point.volumes.iter().collect()
}

fn files(point: &Point) -> Vec<&TreePart> {
    point.project.iter().chain(&point.binds).collect()
}

fn names(one: &[&TreePart], other: &[&TreePart]) -> Vec<String> {
    let mut names: Vec<_> = one.iter().chain(other).map(|part| part.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn find<'a>(parts: &[&'a TreePart], name: &str) -> Option<&'a TreePart> {
    parts.iter().find(|part| part.name == name).copied()
}

async fn entries(
    place: &Place<'_>,
    part: Option<&TreePart>,
) -> Result<BTreeMap<PathBuf, Entry>, SnapshotError> {
    let Some(part) = part else { return Ok(BTreeMap::new()) };
    let (repository, id) = (place.shelf.repository()?, part.snapshot.clone());
    let found = joined(tokio::task::spawn_blocking(move || repository.entries(&id)).await)?;
    // A directory differs by what is in it. What was not committed is vigie's own file.
    let told = found
        .into_iter()
        .filter(|entry| entry.kind != Kind::Directory && !entry.path.starts_with(project::PATCHES));
    Ok(told.map(|entry| (entry.path.clone(), entry)).collect())
}

fn compare(
    what: String,
    before: &BTreeMap<PathBuf, Entry>,
    after: &BTreeMap<PathBuf, Entry>,
) -> Changed {
    let shown = |path: &PathBuf| crate::text::printable(&path.display().to_string());
    let only = |one: &BTreeMap<PathBuf, Entry>, other: &BTreeMap<PathBuf, Entry>| {
        one.keys().filter(|path| !other.contains_key(*path)).map(shown).collect()
    };
    let differs = |(path, entry): &(&PathBuf, &Entry)| {
        let now = after.get(*path);
        now.is_some_and(|now| {
            (now.kind, now.mode, &now.content) != (entry.kind, entry.mode, &entry.content)
        })
    };
    Changed {
        what,
        added: only(after, before),
        removed: only(before, after),
        changed: before.iter().filter(differs).map(|(path, _)| shown(path)).collect(),
    }
}

/// The engine tells what a container had changed in its image; that is what an image differs by.
fn images(one: &Point, other: &Point) -> Vec<Changed> {
    let told = |image: &vigie_core::snapshot::ImagePart, kind: &str| -> Vec<String> {
        let lines = image.changes.iter().filter_map(|line| line.strip_prefix(kind));
        lines.map(|path| path.trim().to_owned()).collect()
    };
    let differing = other.images.iter().filter(|image| {
        let before = one.images.iter().find(|one| one.service == image.service);
        before.is_none_or(|before| before.layers != image.layers)
    });
    differing
        .map(|image| Changed {
            what: format!("image {}", image.service),
            added: told(image, "A "),
            removed: told(image, "D "),
            changed: told(image, "C "),
        })
        .collect()
}

async fn compose(place: &Place<'_>, one: &Point, other: &Point) -> Result<String, SnapshotError> {
    let directory = place.config.directory();
    let redactor = Redactor::of(place.config);
    let mut out = String::new();
    for file in project::compose_files(place.config) {
        let Ok(name) = file.strip_prefix(&directory) else { continue };
        let name = name.display().to_string();
        let (before, after) = (text(place, one, &name).await?, text(place, other, &name).await?);
        if before != after {
            let (before, after) = (redactor.clean(&before), redactor.clean(&after));
            let told = similar::TextDiff::from_lines(&before, &after);
            out.push_str(&told.unified_diff().context_radius(1).header(&name, &name).to_string());
        }
    }
    Ok(out)
}

/// A file of the project as the point has it; empty where it has none.
async fn text(place: &Place<'_>, point: &Point, name: &str) -> Result<String, SnapshotError> {
    let Some(part) = &point.project else { return Ok(String::new()) };
    let (repository, id, name) =
        (place.shelf.repository()?, part.snapshot.clone(), name.to_owned());
    let work = move || {
        let known = repository.entries(&id)?;
        let mut bytes = Vec::new();
        if known.iter().any(|entry| entry.path == *name) {
            repository.get_file(&id, &name, &mut bytes)?;
        }
        Ok(bytes)
    };
    let bytes = joined(tokio::task::spawn_blocking(work).await)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn commits(place: &Place<'_>, one: &Point, other: &Point) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for after in &other.repositories {
        let before = one.repositories.iter().find(|one| one.directory == after.directory);
        let Some(before) = before.filter(|before| before.commit != after.commit) else { continue };
        let root = place.config.directory().join(&after.directory);
        let told = crate::respond::between(&root, &before.commit, &after.commit).await;
        found.insert(after.directory.clone(), told);
    }
    found
}

async fn databases(
    place: &Place<'_>,
    one: &Point,
    other: &Point,
) -> Result<BTreeMap<String, [u64; 2]>, SnapshotError> {
    let of = |point: &Point, schema: &str| {
        point.databases.iter().find(|part| part.schema == schema).cloned()
    };
    let mut found = BTreeMap::new();
    for schema in one.databases.iter().chain(&other.databases).map(|part| &part.schema) {
        let (before, after) = (of(one, schema), of(other, schema));
        let same = match (&before, &after) {
            (Some(before), Some(after)) => {
                dump(place, &before.snapshot).await? == dump(place, &after.snapshot).await?
            }
            _ => false,
        };
        if !same {
            let sizes = [before, after].map(|part| part.map_or(0, |part| part.size));
            found.insert(schema.clone(), sizes);
        }
    }
    Ok(found)
}

/// What a dump's snapshot has in it: the same for the same data.
async fn dump(place: &Place<'_>, id: &str) -> Result<Vec<Vec<String>>, SnapshotError> {
    let (repository, id) = (place.shelf.repository()?, id.to_owned());
    let found = joined(tokio::task::spawn_blocking(move || repository.entries(&id)).await)?;
    Ok(found.into_iter().map(|entry| entry.content).collect())
}
