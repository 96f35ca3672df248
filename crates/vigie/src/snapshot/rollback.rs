//! Does: goes back to a restore point. Before anything is touched a point of the present is made, and
//! what is about to be done is written down; when the players do not see it work, or vigie was killed
//! in the middle, everything goes back to the present.

use std::path::{Path, PathBuf};

use vigie_core::compose::{Document, Dotenv, ImageEdit};
use vigie_core::snapshot::{Act, Parts, Plan, Point, PointName, TreePart, hides};

use super::create::{Wish, create};
use super::database::{self, joined};
use super::engine::{Place, weight};
use super::{Intent, SnapshotError, exchange, project, verify};
use crate::backup::aside;
use crate::runtime::Runtime as _;
use crate::whole::{self, Access};

/// Where to, and with what.
#[derive(Debug, Clone)]
pub struct Journey {
    /// The point.
    pub to: Point,
    /// What of it.
    pub parts: Parts,
    /// Players on the games now, where that is known.
    pub players: Option<u32>,
}

/// What would be done.
///
/// # Errors
/// What the engine says.
pub async fn plan(place: &Place<'_>, to: &Point, parts: Parts) -> Result<Plan, SnapshotError> {
    let services = place.services().await?;
    let order: Vec<String> = services.iter().map(|(name, ..)| name.clone()).collect();
    let content = |service: &str| {
        let found = services.iter().find(|(name, ..)| name == service);
        found.and_then(|(_, _, container)| container.content.clone())
    };
    Ok(Plan::to(to, parts, &order, content))
}

/// The volumes that hide an image of `to` and that `to` does not have: going back to that image alone
/// changes nothing that players see. Each with the directory that it hides.
///
/// # Errors
/// What the engine says.
pub async fn hiding(
    place: &Place<'_>,
    to: &Point,
    plan: &Plan,
) -> Result<Vec<(String, String)>, SnapshotError> {
    let mut found = Vec::new();
    for (service, _, container) in place.services().await? {
        let Some(content) = container.content.filter(|_| plan.acts.contains(&Act::Image(service)))
        else {
            continue;
        };
        let hiding = container.volumes.into_iter().filter(|volume| {
            let kept = to.volumes.iter().any(|part| part.name == volume.name);
            !kept && hides(&volume.target, &content)
        });
        found.extend(hiding.map(|volume| (volume.name, content.clone())));
    }
    Ok(found)
}

/// Goes back. Says the point of the present that was made before.
///
/// # Errors
/// [`SnapshotError::Undone`] when it did not work and everything is as before,
/// [`SnapshotError::Stuck`] when that failed too; any other before anything was touched.
pub async fn rollback(place: &Place<'_>, journey: &Journey) -> Result<PointName, SnapshotError> {
    let Journey { to, parts, players } = journey;
    let plan = plan(place, to, *parts).await?;
    check(place, to, &plan).await?;
    let known = place.shelf.points()?;
    let safety = super::good::safety(&known, to)?;
    let wish = Wish {
        name: safety.clone(),
        note: None,
        pause: false,
        services: to.images.iter().map(|image| image.service.clone()).collect(),
        safety: true,
        players: *players,
    };
    (place.say)(&format!("a restore point of the present: {safety}"));
    let present = create(place, &wish).await?;
    let lost = plan.acts.iter().find_map(|act| match act {
        Act::Database(schema) if !present.databases.iter().any(|one| &one.schema == schema) => {
            Some(schema)
        }
        _ => None,
    });
    if let Some(schema) = lost {
        // Its database ended since it was looked at. The point would be of no use to anybody.
        super::remove::remove(place, std::slice::from_ref(&present)).await?;
        return Err(not_played_over(schema));
    }
    let intent =
        Intent { to: to.name.clone(), safety: safety.clone(), parts: *parts, undoing: false };
    place.shelf.intend(Some(&intent))?;
    match carry_out(place, to, &plan).await {
        Ok(()) => {
            place.shelf.intend(None)?;
            Ok(safety)
        }
        Err(error) => {
            (place.say)(&format!("it failed: {error}"));
            take_back(place, &intent, &present, &error.to_string()).await
        }
    }
}

/// Takes back what somebody began who was killed; whether there was anything.
///
/// # Errors
/// When taking it back fails; it can be tried again.
pub async fn resume(place: &Place<'_>) -> Result<Option<Intent>, SnapshotError> {
    if super::remove::leftovers(place).await? {
        (place.say)("a restore point that was being made when vigie was ended is removed");
    }
    let Some(intent) = place.shelf.intent()? else { return Ok(None) };
    let present = place.shelf.point(&intent.safety)?;
    (place.say)(&format!("a rollback to {} was interrupted and is taken back", intent.to));
    match take_back(place, &intent, &present, "vigie was ended in the middle").await {
        Err(SnapshotError::Undone { .. }) => Ok(Some(intent)),
        Err(error) => Err(error),
        Ok(_) => Ok(Some(intent)),
    }
}

async fn take_back(
    place: &Place<'_>,
    intent: &Intent,
    present: &Point,
    why: &str,
) -> Result<PointName, SnapshotError> {
    let (to, safety) = (Box::new(intent.to.clone()), Box::new(intent.safety.clone()));
    let why = why.to_owned();
    let undo = async {
        place.shelf.intend(Some(&Intent { undoing: true, ..intent.clone() }))?;
        (place.say)(&format!("back to the present: {safety}"));
        let plan = plan(place, present, intent.parts).await?;
        carry_out(place, present, &plan).await?;
        place.shelf.intend(None)
    };
    match undo.await {
        Ok(()) => Err(SnapshotError::Undone { to, safety, why }),
        Err(undo) => Err(SnapshotError::Stuck { to, safety, why, undo: undo.to_string() }),
    }
}

fn not_played_over(schema: &str) -> SnapshotError {
    SnapshotError::Nothing(format!(
        "what is in {schema} now cannot be kept, so it is not played over: start its database first \
         (vigie up), or go back without it (--only image, volumes or config)"
    ))
}

/// Refuses before anything is made or touched what could not be done.
///
/// # Errors
/// Why it could not.
pub async fn check(place: &Place<'_>, to: &Point, plan: &Plan) -> Result<(), SnapshotError> {
    let services = place.services().await?;
    for act in &plan.acts {
        match act {
            Act::Image(service) => {
                let image = to.images.iter().find(|one| &one.service == service);
                let Some(image) = image else { continue };
                if place.docker.image(&image.id).await?.is_none() {
                    let why = format!(
                        "the engine does not have the image {}:{} any more; `vigie snapshot pull {}` \
                         gets it where it was pushed",
                        image.repository, image.tag, to.name
                    );
                    return Err(SnapshotError::Nothing(why));
                }
                edited(place, service, &format!("{}:{}", image.repository, image.tag))?;
            }
            Act::Volume(name) => {
                let at = source(place, name).await?;
                place.room(at.parent().unwrap_or(Path::new("/")), weight(&at))?;
            }
            Act::Database(schema) => {
                let runs = |name: &str| {
                    services.iter().any(|(one, _, container)| one == name && container.runs)
                };
                let mut parts = to.databases.iter().filter(|part| &part.schema == schema);
                let kept = |service: &str| {
                    let probe = database::probe(place, service);
                    runs(service) && probe.is_some_and(|(_, now)| now == schema)
                };
                if !parts.all(|part| kept(&part.service)) {
                    return Err(not_played_over(schema));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn carry_out(place: &Place<'_>, to: &Point, plan: &Plan) -> Result<(), SnapshotError> {
    // What was exchanged under a container is seen by a new one only.
    let afresh =
        plan.acts.iter().any(|act| matches!(act, Act::Project | Act::Image(_) | Act::Volume(_)));
    for act in &plan.acts {
        match act {
            Act::Stop(service) => {
                (place.say)(&format!("stop {service}"));
                place.docker.stop(service).await?;
            }
            Act::Project => {
                (place.say)("the project's files");
                files(place, to).await?;
            }
            Act::Image(service) => {
                let Some(image) = to.images.iter().find(|one| &one.service == service) else {
                    continue;
                };
                let reference = format!("{}:{}", image.repository, image.tag);
                (place.say)(&format!("{service} runs {reference}"));
                // An image that has this name by now stays, and is found by another one.
                let other = place.docker.image(&reference).await?.filter(|one| one.id != image.id);
                if let Some(other) = other
                    && let Some((repository, tag)) = aside(&reference, &other.id)
                {
                    place.docker.tag(&other.id, &repository, &tag).await?;
                    (place.say)(&format!("another {reference} is {repository}:{tag} now"));
                }
                place.docker.tag(&image.id, &image.repository, &image.tag).await?;
                write_image(place, service, &reference)?;
            }
            Act::Volume(name) => {
                let Some(part) = to.volumes.iter().find(|one| &one.name == name) else { continue };
                (place.say)(&format!("volume {name}"));
                put_back(place, part, source(place, name).await?).await?;
            }
            Act::Up(service) => {
                (place.say)(&format!("start {service}"));
                place.docker.up(service, afresh).await?;
                verify::until_well(place, service).await?;
            }
            Act::Database(schema) => {
                for part in to.databases.iter().filter(|one| &one.schema == schema) {
                    (place.say)(&format!("play back {schema}"));
                    database::play(place, part).await?;
                }
            }
            Act::Verify(service) => {
                (place.say)(&format!("verify that {service} answers"));
                verify::until_well(place, service).await?;
            }
        }
    }
    Ok(())
}

/// Where a volume is on this machine.
async fn source(place: &Place<'_>, name: &str) -> Result<PathBuf, SnapshotError> {
    let services = place.services().await?;
    let volumes = services.into_iter().flat_map(|(_, _, container)| container.volumes);
    let found = volumes.into_iter().find(|volume| volume.name == name);
    found
        .map(|volume| volume.source)
        .ok_or_else(|| SnapshotError::Nothing(format!("no service has the volume {name} any more")))
}

async fn put_back(place: &Place<'_>, part: &TreePart, at: PathBuf) -> Result<(), SnapshotError> {
    let repository = place.shelf.repository()?;
    let (snapshot, root) = (part.snapshot.clone(), part.root);
    let work = move || {
        let failed = |error| vigie_backup::Error::File(at.clone(), error);
        let new = exchange::begin(&at).map_err(failed)?;
        repository.get_tree(&snapshot, &new)?;
        if let Some((mode, uid, gid)) = root {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&new, mode).map_err(failed)?;
            // Only root can give a directory away; anybody else owned it before.
            let _ = std::os::unix::fs::chown(&new, Some(uid), Some(gid));
        }
        exchange::finish(&at).map_err(failed)
    };
    joined(tokio::task::spawn_blocking(work).await)
}

async fn files(place: &Place<'_>, to: &Point) -> Result<(), SnapshotError> {
    for bind in &to.binds {
        put_back(place, bind, place.config.directory().join(&bind.name)).await?;
    }
    let Some(part) = &to.project else { return Ok(()) };
    let shelf = super::Shelf::place(place.config);
    let stage = tempfile::Builder::new().prefix(".stage-").tempdir_in(&shelf);
    let stage = stage.map_err(|error| SnapshotError::File(shelf, error))?;
    let (repository, snapshot) = (place.shelf.repository()?, part.snapshot.clone());
    let into = stage.path().join("files");
    let work = move || repository.get_tree(&snapshot, &into);
    joined(tokio::task::spawn_blocking(work).await)?;
    project::spread(place.config, &stage.path().join("files"))
}

/// A file and what it would say.
type Edited = (PathBuf, String);

/// The edit by which `service` runs `image`: the compose file's, or its `.env`'s.
fn edited(place: &Place<'_>, service: &str, image: &str) -> Result<Edited, SnapshotError> {
    let files = project::compose_files(place.config);
    // The last file that names an image for it is the one that counts.
    let mut chosen: Option<(PathBuf, Document)> = None;
    for file in files {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| SnapshotError::File(file.clone(), error))?;
        let document =
            Document::parse(&text).map_err(|error| SnapshotError::Compose(file.clone(), error))?;
        let names = document.at(&["services", service, "image"]).is_some();
        if names || chosen.is_none() && document.at(&["services", service]).is_some() {
            chosen = Some((file, document));
        }
    }
    let Some((file, document)) = chosen else {
        let why = format!("no compose file names the service {service}");
        return Err(SnapshotError::Nothing(why));
    };
    let edit = document.set_image(service, image);
    match edit.map_err(|error| SnapshotError::Compose(file.clone(), error))? {
        ImageEdit::Compose(document) => Ok((file, document.text().to_owned())),
        ImageEdit::Variable { name, value, .. } => {
            if std::env::var_os(&name).is_some() {
                let why = format!(
                    "the image of {service} comes from the environment variable {name}, which goes \
                     before .env; unset it first"
                );
                return Err(SnapshotError::Nothing(why));
            }
            let dotenv = file.with_file_name(".env");
            let text = match std::fs::read_to_string(&dotenv) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                other => other.map_err(|error| SnapshotError::File(dotenv.clone(), error))?,
            };
            let refused = |error| SnapshotError::Compose(dotenv.clone(), error);
            let edited = Dotenv::parse(&text).and_then(|known| known.set(&name, &value));
            let text = edited.map_err(refused)?.text().to_owned();
            Ok((dotenv, text))
        }
    }
}

fn write_image(place: &Place<'_>, service: &str, image: &str) -> Result<(), SnapshotError> {
    let (file, text) = edited(place, service, image)?;
    // An `.env` that is new is its owner's alone, as there will be passwords in it.
    let written = whole::put(&file, text.as_bytes(), Access::Kept(0o600));
    written.map_err(|error| SnapshotError::File(file, error))
}
