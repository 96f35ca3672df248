//! Does: restore points looked at: `vigie snapshot list`, `show` and `diff`.

use std::time::Duration;

use vigie_core::snapshot::{Point, PointName};

use crate::cli::{Exit, Failure, Paint, table};
use crate::config::{Config, Lang};
use crate::report::{ago, rfc3339};
use crate::runtime::docker::Docker;
use crate::snapshot::{self, Changed, Place, Shelf, last_good, note_good, running};
use crate::text::{cut, size};

/// Paths of one directory that are named; the rest are counted.
const NAMED: usize = 20;

pub(super) async fn list(config: &Config, docker: &Docker, json: bool) -> Result<Exit, Failure> {
    let mut points = Shelf::look(config)?;
    // A list needs no engine; without one nobody knows what runs.
    let runs = running(docker, &points).await.unwrap_or_default();
    if !points.is_empty()
        && let Ok(shelf) = Shelf::open(config)
    {
        note_good(config, &shelf, &mut points, runs.as_ref())?;
    }
    let runs = runs.map(|(name, _)| name);
    let good = last_good(&points).cloned();
    points.reverse();
    if json {
        let shapes: Vec<_> =
            points.iter().map(|one| shape(one, runs.as_ref(), good.as_ref())).collect();
        println!("{}", serde_json::to_string_pretty(&shapes)?);
        return Ok(Exit::Fine);
    }
    let french = config.file.stack.lang == Lang::Fr;
    if points.is_empty() {
        println!(
            "{}",
            if french {
                "aucun point de restauration ; le premier : vigie snapshot create --bump minor base ; des \
                 images déjà étiquetées à la main : vigie snapshot adopt"
            } else {
                "no restore point; the first one: vigie snapshot create --bump minor base; images that \
                 were tagged by hand: vigie snapshot adopt"
            }
        );
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    let head = if french {
        ["NOM", "FAIT", "AJOUTÉ", "TOTAL", "CONTIENT", "ÉTAT", "NOTE"]
    } else {
        ["NAME", "MADE", "ADDED", "TOTAL", "HOLDS", "STATE", "NOTE"]
    };
    let rows: Vec<_> = points
        .iter()
        .map(|one| {
            cells(
                one,
                runs.as_ref() == Some(&one.name),
                good.as_ref() == Some(&one.name),
                paint,
                french,
            )
        })
        .collect();
    table::print(&head, &rows);
    if Shelf::is_interrupted(config) {
        println!("{}", paint.warn(if french {
            "un retour a été interrompu ; il sera défait par la prochaine commande qui change quelque chose"
        } else {
            "a rollback was interrupted; the next command that changes anything takes it back"
        }));
    }
    Ok(Exit::Fine)
}

fn holds(point: &Point, french: bool) -> String {
    let words = if french {
        ["image", "images", "volume", "volumes", "base", "bases", "dossier", "dossiers"]
    } else {
        [
            "image",
            "images",
            "volume",
            "volumes",
            "database",
            "databases",
            "directory",
            "directories",
        ]
    };
    let counts =
        [point.images.len(), point.volumes.len(), point.databases.len(), point.binds.len()];
    let counts = counts.into_iter().zip(words.chunks_exact(2)).filter(|(count, _)| *count > 0);
    let mut told: Vec<_> =
        counts.map(|(count, words)| format!("{count} {}", words[usize::from(count > 1)])).collect();
    let project = if french { "projet" } else { "project" };
    told.extend(point.project.as_ref().map(|_| project.to_owned()));
    told.extend(
        (!point.repositories.is_empty()).then(|| format!("{} git", point.repositories.len())),
    );
    told.join(", ")
}

/// `1 file`, `2 files`.
fn files(count: u64) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

fn cells(point: &Point, runs: bool, good: bool, paint: Paint, french: bool) -> Vec<String> {
    let mut state = Vec::new();
    let words = if french {
        ["en marche", "dernier bon", "hors site", "avant un retour", "repris"]
    } else {
        ["runs", "last good", "off-site", "before a rollback", "adopted"]
    };
    state.extend(runs.then(|| paint.good(words[0])));
    state.extend(good.then(|| paint.good(words[1])));
    state.extend(point.is_off_site().then(|| words[2].to_owned()));
    state.extend(point.safety.then(|| paint.dim(words[3])));
    state.extend(point.adopted.as_ref().map(|_| paint.dim(words[4])));
    vec![
        point.name.to_string(),
        rfc3339(point.made)[..16].replace('T', " "),
        size(point.added()),
        size(point.size()),
        holds(point, french),
        state.join(", "),
        cut(point.note.as_deref().unwrap_or_default(), 40),
    ]
}

pub(super) fn shape(
    point: &Point,
    runs: Option<&PointName>,
    good: Option<&PointName>,
) -> serde_json::Value {
    serde_json::json!({
        "name": point.name,
        "made": rfc3339(point.made),
        "note": point.note,
        "players": point.players,
        "took_ms": point.took_ms,
        "added": point.added(),
        "size": point.size(),
        "runs": runs == Some(&point.name),
        "last_good": good == Some(&point.name),
        "off_site": point.is_off_site(),
        "before_rollback": point.safety,
        "adopted": point.adopted,
        "images": point.images,
        "volumes": point.volumes,
        "databases": point.databases,
        "files": point.project.iter().chain(&point.binds).collect::<Vec<_>>(),
        "repositories": point.repositories,
    })
}

pub(super) fn show(config: &Config, name: &PointName, json: bool) -> Result<Exit, Failure> {
    let points = Shelf::look(config)?;
    let point = &Shelf::look_at(config, name)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&shape(point, None, last_good(&points)))?);
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    println!("{} {}", paint.bold(&point.name.to_string()), rfc3339(point.made));
    if point.adopted.is_none() {
        let players = match point.players {
            None => String::new(),
            Some(1) => String::from(", with 1 player on"),
            Some(players) => format!(", with {players} players on"),
        };
        println!("  made in {}{players}", ago(Duration::from_millis(point.took_ms)));
    }
    if let Some(note) = &point.note {
        println!("  {note}");
    }
    for image in &point.images {
        let off = image.off_site.as_deref().unwrap_or("only here");
        let (reference, bytes) = (format!("{}:{}", image.repository, image.tag), size(image.size));
        println!(
            "  image     {} {reference} {bytes} (+{}), {off}",
            image.service,
            size(image.added)
        );
        match &point.adopted {
            Some(tag) => println!("            {}, taken over from {tag}", image.id),
            None => println!("            {}, {} changed files", image.id, image.changes.len()),
        }
    }
    for tree in &point.volumes {
        println!(
            "  volume    {} {}, {} (+{})",
            tree.name,
            files(tree.files),
            size(tree.size),
            size(tree.added)
        );
    }
    for database in &point.databases {
        let bytes = size(database.size);
        println!(
            "  database  {} of {} {bytes} (+{})",
            database.schema,
            database.service,
            size(database.added)
        );
    }
    for tree in point.project.iter().chain(&point.binds) {
        println!(
            "  files     {} {}, {} (+{})",
            tree.name,
            files(tree.files),
            size(tree.size),
            size(tree.added)
        );
    }
    for one in &point.repositories {
        let branch = one.branch.as_deref().unwrap_or("no branch");
        let dirty = if one.dirty { ", with a patch of what was not committed" } else { "" };
        println!(
            "  git       {} {} on {branch}{dirty}",
            if one.directory == "." { "project" } else { &one.directory },
            &one.commit[..one.commit.len().min(12)]
        );
    }
    Ok(Exit::Fine)
}

pub(super) async fn diff(
    config: &Config,
    docker: &Docker,
    one: &PointName,
    other: &PointName,
    json: bool,
) -> Result<Exit, Failure> {
    let shelf = Shelf::open(config)?;
    let (one, other) = (shelf.point(one)?, shelf.point(other)?);
    let place = Place { config, docker, shelf: &shelf, meter: None, say: &|_| {} };
    let found = snapshot::diff(&place, &one, &other).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(Exit::Fine);
    }
    let paint = Paint::for_stdout();
    if let Some(alone) = [&one, &other].into_iter().find(|point| point.adopted.is_some()) {
        println!("{} is an image alone, so only images are compared", alone.name);
    }
    if found.parts.is_empty() && found.commits.is_empty() && found.databases.is_empty() {
        println!("{} and {} have nothing that differs", one.name, other.name);
    }
    for part in &found.parts {
        println!("{}", paint.bold(&part.what));
        paths(part, paint);
    }
    for line in found.compose.lines() {
        println!("{line}");
    }
    for (repository, commits) in &found.commits {
        println!("{}", paint.bold(&format!("git {repository}")));
        for commit in commits {
            println!("  {commit}");
        }
    }
    for (schema, [before, after]) in &found.databases {
        println!(
            "{} {} → {}",
            paint.bold(&format!("database {schema}")),
            size(*before),
            size(*after)
        );
    }
    Ok(Exit::Fine)
}

fn paths(part: &Changed, paint: Paint) {
    let marked = |mark: &str, paths: &[String], colour: fn(Paint, &str) -> String| {
        for path in paths.iter().take(NAMED) {
            println!("  {}", colour(paint, &format!("{mark} {path}")));
        }
        if paths.len() > NAMED {
            println!("  {mark} … and {} more", paths.len() - NAMED);
        }
    };
    marked("+", &part.added, Paint::good);
    marked("-", &part.removed, Paint::bad);
    marked("~", &part.changed, Paint::warn);
}
