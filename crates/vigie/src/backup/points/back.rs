//! Does: restore points back: into the repository beside the stack and into its engine, or as files into a
//! directory. What is there already stays, and so do the names of other images; a point comes back whole, or
//! nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Error as IoError, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use vigie_backup::{Error, Gift, Repository, WriteBehind};
use vigie_core::snapshot::{ImagePart, Point};

use super::keep::name as name_of;
use super::record::{Kept, KeptImage, Record};
use super::{label, parts, said, told};
use crate::backup::BackupError;
use crate::backup::image::{self, Source, restored};
use crate::backup::restore::{Bringer, Filling};
use crate::report::rfc3339;
use crate::snapshot::{DUMP, Making, Place, Shelf, leftovers, room};
use crate::text::printable;

impl Bringer<'_> {
    /// The restore points of the snapshot `id` that are wanted.
    async fn wanted_points(&self, id: &str) -> Result<Vec<Kept>, BackupError> {
        let id = id.to_owned();
        let mut points = self.work(move |repository| Record::read(&repository, &id)).await?.points;
        let Some(wanted) = self.point else { return Ok(points) };
        let names: Vec<String> = points.iter().map(|one| one.point.name.to_string()).collect();
        points.retain(|one| one.point.name.to_string() == wanted);
        if points.is_empty() {
            let names = names.join(", ");
            return Err(BackupError::NoBackup(
                format!("the restore point {wanted}"),
                format!("; there are: {names}"),
            ));
        }
        Ok(points)
    }

    /// Brings restore points into `to`, each in a directory of its name.
    ///
    /// # Errors
    /// Why not; nothing is in `to` then.
    pub(in crate::backup) async fn points_into(
        &self,
        id: &str,
        to: &Path,
    ) -> Result<(), BackupError> {
        let points = self.wanted_points(id).await?;
        let to = to.to_owned();
        self.work(move |repository| {
            let failed = |error| Error::File(to.clone(), error);
            let filling = Filling::begin(&to).map_err(failed)?;
            let room = filling.room().to_owned();
            let write = || {
                std::fs::create_dir(&room).map_err(|error| Error::File(room.clone(), error))?;
                points.iter().try_for_each(|kept| write_point(&repository, kept, &room))
            };
            let made = write();
            let ended = filling.end(made.is_ok()).map_err(failed);
            made.and(ended)
        })
        .await
    }

    /// Brings restore points back beside the stack, so that it can be gone back to them. Of one that is
    /// there, what it has lost comes back.
    ///
    /// # Errors
    /// Which ones did not come back, and why; the others did.
    pub(in crate::backup) async fn points_back(&self, id: &str) -> Result<String, BackupError> {
        let points = self.wanted_points(id).await?;
        let docker = self.engine()?;
        let shelf = Shelf::open(self.config).map_err(said)?;
        let say = |line: &str| self.tell.step(line);
        let place = Place { config: self.config, docker, shelf: &shelf, meter: None, say: &say };
        let broken = self.heal(&shelf).await?;
        leftovers(&place).await.map_err(said)?;
        let (mut back, mut failed) = (Vec::new(), Vec::new());
        for kept in &points {
            match self.point_back(&place, kept, &broken).await {
                Ok(told) => back.push(told),
                Err(error) => failed.push((&kept.point.name, error)),
            }
        }
        let back = back.join(", ");
        if failed.is_empty() {
            return Ok(back);
        }
        let why = failed.iter().map(|(name, error)| format!("{name}: {error}"));
        let why = why.collect::<Vec<_>>().join("; ");
        let back = if back.is_empty() { String::new() } else { format!("; back are {back}") };
        Err(BackupError::Damaged(format!("{why}{back}")))
    }

    /// Heals what is damaged in the repository beside the stack with what the site has; the snapshots there
    /// that are broken still.
    async fn heal(&self, shelf: &Shelf) -> Result<BTreeSet<String>, BackupError> {
        let repository = shelf.repository_like(&self.repository).map_err(said)?;
        let (key, name) = (shelf.key().map_err(said)?, self.site.to_owned());
        let site = self.repository.clone();
        // One that does not read is read whole by what heals it.
        if !shelf.snapshots().is_ok_and(|all| all.is_empty()) {
            self.tell.step("read what is here of restore points");
        }
        let healed = tokio::task::spawn_blocking(move || {
            let healed = repository.repair_data_from(&site, &key);
            healed.map_err(|error| told(&name, &repository, error))
        });
        let healed = healed.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        if !healed.before.is_sound() {
            let (brought, saved) = (healed.brought, healed.saved);
            self.tell.step(&format!(
                "it was damaged: {brought} pieces came from {}, {saved} were whole",
                self.site
            ));
        }
        Ok(healed.after.concerned.into_iter().map(|one| one.id).collect())
    }

    async fn point_back(
        &self,
        place: &Place<'_>,
        kept: &Kept,
        broken: &BTreeSet<String>,
    ) -> Result<String, BackupError> {
        let name = &kept.point.name;
        let (there, unread) = Shelf::look_at_each(self.config).map_err(said)?;
        let there = there.into_iter().find(|one| &one.name == name);
        if unread.iter().any(|(one, _)| *one == name.to_string()) {
            place.shelf.set_aside(name).map_err(said)?;
        }
        if let Some(other) = there.as_ref().filter(|one| one.made != kept.point.made) {
            return Ok(format!(
                "{name} (another one is here, made {}, and is left alone)",
                rfc3339(other.made)
            ));
        }
        self.tell.step(&format!("restore point {name}"));
        if there.is_none() {
            // Whoever is killed is followed by one who removes what came, and nothing that was here.
            let mut images = Vec::new();
            for image in &kept.point.images {
                let ids = kept.image(&image.service).map(|(_, kept)| kept.id(image));
                let own = ids.map(|id| restored(&image.repository, &id));
                for name in [name_of(image)].into_iter().chain(own) {
                    if place.docker.image(&name).await?.is_none() {
                        images.push(name);
                    }
                }
            }
            let known = place.shelf.snapshots().map_err(said)?;
            let making = Making { name: name.clone(), images, known };
            place.shelf.make(Some(&making)).map_err(said)?;
        }
        match self.filled(place, kept, there.clone(), broken).await {
            Ok((point, mut told)) => {
                place.shelf.keep(&point).map_err(said)?;
                place.shelf.make(None).map_err(said)?;
                let is_same = there.as_ref() == Some(&point);
                told.extend(is_same.then(|| String::from("was there")));
                let told = told.join("; ");
                Ok(if told.is_empty() { name.to_string() } else { format!("{name} ({told})") })
            }
            Err(error) => {
                if there.is_none() {
                    let _ = leftovers(place).await;
                }
                Err(error)
            }
        }
    }

    /// The point with everything that it names, and what there is to say of it.
    async fn filled(
        &self,
        place: &Place<'_>,
        kept: &Kept,
        there: Option<Point>,
        broken: &BTreeSet<String>,
    ) -> Result<(Point, Vec<String>), BackupError> {
        let mut point = there.unwrap_or_else(|| {
            let note = kept.point.note.as_deref().map(printable);
            Point { note, ..kept.point.clone() }
        });
        let shelf = place.shelf.repository_like(&self.repository).map_err(said)?;
        let (site, name) = (self.repository.clone(), self.site.to_owned());
        let (config, at) = (self.config.clone(), Shelf::place(self.config));
        let (wanted, named, broken) = (kept.clone(), point.clone(), broken.clone());
        let brought = tokio::task::spawn_blocking(move || {
            let room = |bytes| {
                let full =
                    |error: crate::snapshot::SnapshotError| IoError::other(error.to_string());
                room(&config, &at, bytes).map_err(|error| Error::File(at.clone(), full(error)))
            };
            let brought = bring_parts(&site, &shelf, &wanted, (&named, &broken), room);
            brought.map_err(|error| told(&name, &shelf, error))
        });
        let brought = brought.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        point.call_parts(|label, _| {
            brought.get(label).cloned().ok_or_else(|| {
                BackupError::Damaged(format!("{label} did not come back as it was kept"))
            })
        })?;
        let mut told = Vec::new();
        for part in &mut point.images {
            let Some((known, image)) = kept.image(&part.service) else { continue };
            told.extend(self.point_image(place, (&kept.point, known, image), part).await?);
        }
        Ok((point, told))
    }

    /// Has the engine have an image of a point, and says what is worth knowing.
    async fn point_image(
        &self,
        place: &Place<'_>,
        (point, known, image): (&Point, &ImagePart, &KeptImage),
        part: &mut ImagePart,
    ) -> Result<Option<String>, BackupError> {
        let (docker, name) = (place.docker, name_of(part));
        for id in [part.id.clone(), known.id.clone(), image.id(known)] {
            if docker.image(&id).await?.is_none() {
                continue;
            }
            if docker.image(&name).await?.is_none() {
                docker.tag(&id, &part.repository, &part.tag).await?;
            }
            part.id = id;
            return Ok(None);
        }
        let source = match image {
            KeptImage::Elsewhere => {
                let point = &point.name;
                let told =
                    format!("its image {name} is in a registry: vigie snapshot pull {point}");
                return Ok(Some(told));
            }
            KeptImage::Layers(record) => {
                (part.id, part.layers) =
                    (record.id().to_owned(), record.layers().map(str::to_owned).collect());
                Source::Layers(record.clone().called(vec![name.clone()]))
            }
            KeptImage::Whole(content) => {
                let content = content.clone();
                let snapshot = self.work(move |site| snapshot_of(&site, &content)).await?;
                (part.id, part.layers) = (known.id.clone(), known.layers.clone());
                Source::Whole { snapshot, id: Some(known.id.clone()), names: vec![name.clone()] }
            }
        };
        self.tell.step(&format!("load {name}"));
        // A rollback finds it by its digest: it needs no name that another image has.
        let told = self.load_image(source, "").await?;
        Ok(Some(told).filter(|told| !told.is_empty()))
    }
}

/// The snapshot of a content at a site.
fn snapshot_of(site: &Repository, content: &str) -> Result<String, Error> {
    let snapshots = site.snapshots()?;
    let found = parts(&snapshots).into_iter().find(|(one, _)| *one == content);
    let missing =
        || Error::NotThere(site.place(), format!("{} of a restore point", label(content)));
    found.map(|(_, id)| id.to_owned()).ok_or_else(missing)
}

/// Gives the repository beside the stack what it lacks of a point: by their labels, the snapshots there. What
/// is `broken` there is brought anew.
fn bring_parts(
    site: &Repository,
    shelf: &Repository,
    kept: &Kept,
    (named, broken): (&Point, &BTreeSet<String>),
    room: impl FnOnce(u64) -> Result<(), Error>,
) -> Result<BTreeMap<String, String>, Error> {
    let snapshots = site.snapshots()?;
    let theirs: BTreeMap<&str, &str> = parts(&snapshots).into_iter().collect();
    let contents = shelf.contents()?;
    let mut found: BTreeMap<String, String> = named
        .parts()
        // One that is there is its own, also where the backup has something else of that name.
        .filter(|(_, id)| contents.contains_key(*id) && !broken.contains(*id))
        .map(|(label, id)| (label, id.to_owned()))
        .collect();
    let (mut gifts, mut lacking) = (Vec::new(), Vec::new());
    for (what, content) in kept.point.parts().filter(|(what, _)| !found.contains_key(what)) {
        let missing = || Error::NotThere(site.place(), format!("{what} of {}", kept.point.name));
        let id = theirs.get(content).ok_or_else(missing)?;
        let (label, tags) = (what.clone(), kept.point.name.to_string());
        gifts.push(Gift { id: (*id).to_owned(), label, tags });
        lacking.push((what, content));
    }
    if gifts.is_empty() {
        return Ok(found);
    }
    site.give(shelf, &gifts, room)?;
    let contents = shelf.contents()?;
    let name = kept.point.name.to_string();
    // What was broken is not whole by being given again where the site has no more of it either.
    let holes = match broken.is_empty() {
        true => Vec::new(),
        false => shelf.verify(0)?.concerned,
    };
    for (id, label, tags) in shelf.snapshots()? {
        let is_it = |(what, content): &(String, &str)| {
            *what == label && contents.get(&id).is_some_and(|one| one == content)
        };
        let is_whole = holes.iter().all(|one| one.id != id);
        if is_whole && tags.contains(&name) && lacking.iter().any(is_it) {
            found.insert(label, id);
        }
    }
    Ok(found)
}

/// Writes a point into a directory of its name in `room`: its description, its directories, dumps and
/// images.
fn write_point(site: &Repository, kept: &Kept, room: &Path) -> Result<(), Error> {
    let at = room.join(kept.point.name.to_string());
    let failed = |at: &Path| {
        let at = at.to_owned();
        move |error| Error::File(at, error)
    };
    std::fs::create_dir(&at).map_err(failed(&at))?;
    let snapshots = site.snapshots()?;
    let theirs: BTreeMap<&str, &str> = parts(&snapshots).into_iter().collect();
    let of = |content: &str| {
        let missing =
            || Error::NotThere(site.place(), format!("{} of a restore point", label(content)));
        theirs.get(content).copied().ok_or_else(missing)
    };
    let file = |name: String, end: &str| -> Result<(PathBuf, File), Error> {
        let path = free(at.join(name), end);
        let mut options = File::options();
        let made = options.write(true).create_new(true).mode(0o600).open(&path);
        let made = made.map_err(failed(&path))?;
        Ok((path, made))
    };
    let (path, description) = file(String::from("point"), ".json")?;
    serde_json::to_writer_pretty(description, &kept.point)
        .map_err(|error| failed(&path)(error.into()))?;
    let trees = kept.point.volumes.iter().map(|one| ("volume-", one));
    let trees = trees.chain(kept.point.binds.iter().map(|one| ("files-", one)));
    let project = kept.point.project.iter().map(|one| ("", one));
    for (kind, tree) in trees.chain(project) {
        let into = free(at.join(format!("{kind}{}", plain(&tree.name))), "");
        site.get_tree(of(&tree.snapshot)?, &into)?;
        if let Some((mode, uid, gid)) = tree.root {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&into, mode).map_err(failed(&into))?;
            // Only root can give a directory away; anybody else owned it before.
            let _ = std::os::unix::fs::chown(&into, Some(uid), Some(gid));
        }
    }
    for dump in &kept.point.databases {
        let name = format!("{}-{}", plain(&dump.service), plain(&dump.schema));
        let (_, to) = file(name, ".sql")?;
        site.get_file(of(&dump.snapshot)?, DUMP, &mut WriteBehind::new(&to))?;
    }
    for (image, part) in kept.images.iter().zip(&kept.point.images) {
        if matches!(image, KeptImage::Elsewhere) {
            continue;
        }
        let (path, to) = file(plain(&part.service), ".tar")?;
        let mut to = BufWriter::new(WriteBehind::new(&to));
        match image {
            KeptImage::Layers(record) => image::write(site, record, &mut to)?,
            KeptImage::Whole(content) => site.get_file(of(content)?, image::WHOLE, &mut to)?,
            KeptImage::Elsewhere => {}
        }
        to.flush().map_err(failed(&path))?;
    }
    Ok(())
}

/// The path with this end, and a number where another one has it: `a/b` and `a_b` are written alike.
fn free(path: PathBuf, end: &str) -> PathBuf {
    let shown = path.display();
    let numbered = (2_u32..).map(|number| PathBuf::from(format!("{shown}-{number}{end}")));
    let mut paths = std::iter::once(PathBuf::from(format!("{shown}{end}"))).chain(numbered);
    paths.find(|path| path.symlink_metadata().is_err()).unwrap_or(path)
}

/// A name without a way into another directory.
fn plain(name: &str) -> String {
    name.replace('/', "_")
}
