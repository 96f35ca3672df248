//! Does: one backup of all restore points. A part that was lost beside the stack is taken from the backup
//! before, and a point that is broken keeps no other from being kept.

use std::collections::{BTreeMap, BTreeSet};

use vigie_backup::{Gift, Repository, Stored};
use vigie_core::backup::Kind;
use vigie_core::snapshot::{ImagePart, Point, PointName};

use super::record::{FILE, Kept, KeptImage, Record};
use super::{NONE, beside, failed_name, label, parts, said, told};
use crate::backup::image::{self, Reach};
use crate::backup::keep::{Keeper, no_engine};
use crate::backup::{BackupError, Catalog, Manifest};
use crate::report::rfc3339;
use crate::snapshot::{Shelf, Unread};

/// How often it is begun again because a point was removed meanwhile.
const TRIES: u32 = 3;

/// What is at the site.
struct There {
    /// Contents of restore points.
    parts: BTreeSet<String>,
    /// Layers that are whole.
    layers: BTreeSet<String>,
    /// The backup before, and when that was.
    before: Record,
    at: Option<i64>,
}

impl There {
    /// The point of this name in the backup before, where the site has all of it still.
    fn carried(&self, name: &str) -> Option<&Kept> {
        let kept = self.before.points.iter().find(|one| one.point.name.to_string() == name)?;
        let has_parts = kept.contents().all(|content| self.parts.contains(content));
        (has_parts && kept.layers().all(|layer| self.layers.contains(layer))).then_some(kept)
    }

    /// Whether the site has all of an image.
    fn has(&self, image: &KeptImage) -> bool {
        match image {
            KeptImage::Layers(record) => record.layers().all(|layer| self.layers.contains(layer)),
            KeptImage::Whole(content) => self.parts.contains(content),
            KeptImage::Elsewhere => false,
        }
    }
}

/// What is beside the stack: the repository, and the contents of its snapshots.
type Here = Option<(Repository, BTreeMap<String, String>)>;

impl Keeper<'_> {
    /// Keeps every restore point that there is. Those that are broken are named in the manifest.
    ///
    /// # Errors
    /// Why none is kept.
    pub(in crate::backup) async fn points(
        &self,
        manifest: &mut Manifest,
    ) -> Result<Stored, BackupError> {
        let mut tries = 0;
        let (whole, added) = loop {
            tries += 1;
            let before = Shelf::look_at_each(self.config).map_err(said)?;
            let names = |all: &[Point]| -> Vec<_> {
                all.iter().map(|one| (one.name.clone(), one.made)).collect()
            };
            let known = names(&before.0);
            let done = self.keep_points(manifest, before).await;
            let is_same = || {
                let (now, _) = Shelf::look_at_each(self.config).map_err(said)?;
                Ok::<_, BackupError>(known == names(&now))
            };
            // One that was removed while it was read has taken its parts with it.
            if done.is_ok() && manifest.troubles.is_empty() || tries == TRIES || is_same()? {
                break done?;
            }
        };
        if whole.is_empty() {
            let why = manifest.troubles.drain(..).map(|(name, why)| format!("{name}: {why}"));
            return Err(BackupError::Damaged(why.collect::<Vec<_>>().join("; ")));
        }
        let all = |of: fn(&Kept) -> Vec<String>| -> Vec<String> {
            whole.iter().flat_map(of).collect::<BTreeSet<_>>().into_iter().collect()
        };
        manifest.parts = all(|one| one.contents().map(str::to_owned).collect());
        manifest.layers = all(|one| one.layers().map(str::to_owned).collect());
        manifest.points = whole.iter().map(|one| one.point.name.clone()).collect();
        let files = whole.iter().flat_map(|one| one.point.trees()).map(|tree| tree.files).sum();
        let bytes = whole.iter().map(|one| one.point.size()).sum();
        let text = serde_json::to_vec_pretty(&Record { points: whole });
        let text = text.map_err(|error| BackupError::Damaged(error.to_string()))?;
        let (name, tag) = (manifest.asset.name(), Manifest::tag(manifest.at));
        let stored = self.work(move |repository| {
            repository.put_stream(&name, &tag, FILE, std::io::Cursor::new(text), || Ok(()))
        });
        let stored = stored.await?;
        Ok(Stored { files, bytes, added: added + stored.added, ..stored })
    }

    /// Keeps what the points need, and says which ones are whole and by how many bytes the site grew.
    async fn keep_points(
        &self,
        manifest: &mut Manifest,
        (points, unread): (Vec<Point>, Unread),
    ) -> Result<(Vec<Kept>, u64), BackupError> {
        let there = self.there().await?;
        self.missed(&points, &unread, &there)?;
        let here = self.here().await?;
        manifest.troubles.clear();
        let (mut whole, mut added) = (Vec::new(), 0);
        for (name, error) in unread {
            // What is in it nobody can read here any more: it stays in the backup as it was.
            match there.carried(&name) {
                Some(kept) => {
                    self.tell
                        .step(&still_kept(&kept.point.name, &format!("its description ({error})")));
                    whole.push(kept.clone());
                }
                None => manifest.troubles.push((failed_name(name), error.to_string())),
            }
        }
        let mut given = BTreeSet::new();
        for point in &points {
            match self.keep_point(point, here.as_ref(), &there, &mut given).await {
                Ok((kept, grown)) => {
                    added += grown;
                    whole.push(kept);
                }
                Err(error) if is_its_own(&error) => {
                    manifest.troubles.push((failed_name(&point.name), error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        whole.sort_by_key(|one| one.point.made);
        Ok((whole, added))
    }

    /// Keeps what a point needs and the site does not have; points that share a content have `given` it once.
    async fn keep_point(
        &self,
        point: &Point,
        here: Option<&(Repository, BTreeMap<String, String>)>,
        there: &There,
        given: &mut BTreeSet<String>,
    ) -> Result<(Kept, u64), BackupError> {
        let (mut gifts, mut kept) = self.described(point, here, there)?;
        gifts.retain(|gift| !given.contains(&gift.label));
        let mut added = 0;
        if let Some((shelf, _)) = here.filter(|_| !gifts.is_empty()) {
            let labels: Vec<String> = gifts.iter().map(|gift| gift.label.clone()).collect();
            added += self.give(shelf.clone(), gifts).await?;
            given.extend(labels);
        }
        for at in 0..point.images.len() {
            let (image, grown) = self.image(point, at, there).await?;
            kept.images.push(image);
            added += grown;
        }
        Ok((kept, added))
    }

    /// What the site has.
    async fn there(&self) -> Result<There, BackupError> {
        let backups = self.catalog.backups_in(&self.repository, self.site)?;
        let newest = backups.into_iter().rfind(|one| one.asset.kind == Kind::Points);
        let site = self.site.to_owned();
        self.work(move |repository| {
            let snapshots = repository.snapshots()?;
            let parts = parts(&snapshots).into_iter().map(|(part, _)| part.to_owned()).collect();
            let at = newest.as_ref().map(|one| one.at);
            // One that does not read has nothing that could be taken from it.
            let before = newest.and_then(|one| {
                let id = Catalog::snapshot(&repository, &site, &one.asset, one.at).ok()?;
                Record::read(&repository, &id).ok()
            });
            let layers = image::whole(&snapshots);
            Ok(There { parts, layers, before: before.unwrap_or_default(), at })
        })
        .await
    }

    /// What is beside the stack.
    async fn here(&self) -> Result<Here, BackupError> {
        let (config, site) = (self.config.clone(), self.site.to_owned());
        let opened = tokio::task::spawn_blocking(move || {
            let Some(shelf) = beside(&config)? else { return Ok(None) };
            let contents = shelf.contents().map_err(|error| told(&site, &shelf, error))?;
            Ok(Some((shelf, contents)))
        });
        opened.await.map_err(|error| BackupError::Worker(error.to_string()))?
    }

    /// Says which points of the backup before are not here any more. When none is, that was no prune.
    fn missed(&self, points: &[Point], unread: &Unread, there: &There) -> Result<(), BackupError> {
        let before = there.before.points.iter().map(|one| &one.point);
        let is_here = |one: &&Point| {
            let name = one.name.to_string();
            points.iter().any(|here| here.name == one.name)
                || unread.iter().any(|(here, _)| *here == name)
        };
        let missed: Vec<String> =
            before.filter(|one| !is_here(one)).map(|one| one.name.to_string()).collect();
        if points.is_empty() && unread.is_empty() {
            return Err(BackupError::Refused(match missed.is_empty() {
                true => NONE.to_owned(),
                false => format!(
                    "no restore point is here any more, and the last backup has {}: get them back (vigie backup \
                     restore points --in-place), or leave them out (exclude = [\"points\"])",
                    missed.join(", ")
                ),
            }));
        }
        let at = there.at.map_or_else(String::new, rfc3339);
        for name in missed {
            self.tell.step(&format!(
                "the restore point {name} is not here any more; it is in the backup of {at}, as long as that is \
                 kept: vigie backup restore points:{name}@{at} --in-place"
            ));
        }
        Ok(())
    }

    /// A point as it is kept, still without images, and what the site lacks of its files and dumps.
    fn described(
        &self,
        point: &Point,
        here: Option<&(Repository, BTreeMap<String, String>)>,
        there: &There,
    ) -> Result<(Vec<Gift>, Kept), BackupError> {
        let (mut one, mut gifts) = (point.clone(), Vec::new());
        let before = there.before.of(point);
        one.call_parts(|what, snapshot| {
            let content = here.and_then(|(_, contents)| contents.get(snapshot));
            if let Some(content) = content {
                if !there.parts.contains(content) {
                    let tags = format!("{},{}", point.name, what.replace(',', "_"));
                    gifts.push(Gift { id: snapshot.to_owned(), label: label(content), tags });
                }
                return Ok(content.clone());
            }
            let known = before.and_then(|before| before.part(what));
            let known = known.filter(|content| there.parts.contains(*content));
            let content = known.ok_or_else(|| lost(&point.name, what))?;
            self.tell.step(&still_kept(&point.name, what));
            Ok::<_, BackupError>(content.to_owned())
        })?;
        Ok((gifts, Kept { point: one, images: Vec::new() }))
    }

    /// Gives the site what it lacks, and says by how many bytes it grew.
    async fn give(&self, shelf: Repository, gifts: Vec<Gift>) -> Result<u64, BackupError> {
        let (site, name) = (self.repository.clone(), self.site.to_owned());
        let given = tokio::task::spawn_blocking(move || {
            let given = shelf.give(&site, &gifts, |_| Ok(()));
            given.map_err(|error| told(&name, &shelf, error))
        });
        let given = given.await.map_err(|error| BackupError::Worker(error.to_string()))?;
        given.map(|given| given.bytes)
    }

    /// Keeps the image number `at` of a point.
    async fn image(
        &self,
        point: &Point,
        at: usize,
        there: &There,
    ) -> Result<(KeptImage, u64), BackupError> {
        let docker = self.docker.ok_or_else(no_engine)?;
        let part = &point.images[at];
        let name = name(part);
        let Some(picture) = docker.picture(&part.id).await? else {
            return Ok((self.elsewhere(point, part, there)?, 0));
        };
        if let Reach::Whole(why) = &picture.reach {
            let content = part.id.strip_prefix("sha256:").unwrap_or(&part.id).to_owned();
            if there.parts.contains(&content) {
                return Ok((KeptImage::Whole(content), 0));
            }
            self.tell.step(&format!("{why}: the image {name} is kept as one archive"));
            let tags = format!("{},image:{}", point.name, part.service);
            let reference = picture.id.clone();
            let save = |output| docker.save(&reference, output);
            let place = (label(&content), tags);
            let ((), stored) = self.streamed_at(place, image::WHOLE, save).await?;
            return Ok((KeptImage::Whole(content), stored.added));
        }
        let (record, grown) =
            image::taken(self, docker, &name, &picture, vec![name.clone()]).await?;
        Ok((KeptImage::Layers(record), grown))
    }

    /// An image that the engine does not have any more.
    fn elsewhere(
        &self,
        point: &Point,
        part: &ImagePart,
        there: &There,
    ) -> Result<KeptImage, BackupError> {
        let what = format!("the image {}", name(part));
        let known = there.before.of(point).and_then(|before| before.image(&part.service));
        if let Some((_, known)) = known.filter(|(_, image)| there.has(image)) {
            self.tell.step(&still_kept(&point.name, &what));
            return Ok(known.clone());
        }
        if part.off_site.is_some() {
            self.tell.step(&format!(
                "{what} of the restore point {} is only in the registry that it was pushed to",
                point.name
            ));
            return Ok(KeptImage::Elsewhere);
        }
        Err(lost(&point.name, &what))
    }
}

/// Whether only one point has this trouble; everything else fails for all of them.
fn is_its_own(error: &BackupError) -> bool {
    match error {
        BackupError::Damaged(_) => true,
        BackupError::Engine(error) => !error.is_lost(),
        _ => false,
    }
}

/// The name that an image of a point has.
pub(super) fn name(image: &ImagePart) -> String {
    format!("{}:{}", image.repository, image.tag)
}

fn still_kept(point: &PointName, what: &str) -> String {
    format!(
        "the restore point {point} has lost {what} here; its backup still has it: vigie backup restore \
         points:{point} --in-place"
    )
}

fn lost(point: &PointName, what: &str) -> BackupError {
    BackupError::Damaged(format!(
        "it has lost {what}, and the backup before does not have that either, so it is in no new one; an older \
         one may have it (vigie backup list points), or let it go: vigie snapshot prune {point}"
    ))
}
