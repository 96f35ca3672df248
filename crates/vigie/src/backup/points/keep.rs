//! Does: one backup of all restore points. A part that was lost beside the stack is taken from the last
//! backup that has it, so that a newer one never has less.

use std::collections::BTreeSet;

use vigie_backup::{Gift, Repository, Stored};
use vigie_core::backup::Kind;
use vigie_core::snapshot::{ImagePart, Point, PointName};

use super::record::{FILE, Kept, KeptImage, Record};
use super::{label, parts, said};
use crate::backup::image::{self, Reach};
use crate::backup::keep::{Keeper, no_engine};
use crate::backup::{BackupError, Catalog, Manifest};
use crate::snapshot::Shelf;

/// How often it is begun again because a point was removed meanwhile.
const TRIES: u32 = 3;

/// What is at the site.
struct There {
    /// Contents of restore points.
    parts: BTreeSet<String>,
    /// Layers that are whole.
    layers: BTreeSet<String>,
    /// The newest backup of restore points.
    before: Record,
}

impl There {
    /// Whether the site has all of an image.
    fn has(&self, image: &KeptImage) -> bool {
        match image {
            KeptImage::Layers(record) => record.layers().all(|layer| self.layers.contains(layer)),
            KeptImage::Whole(content) => self.parts.contains(content),
            KeptImage::Elsewhere => false,
        }
    }
}

impl Keeper<'_> {
    /// Keeps every restore point that there is.
    ///
    /// # Errors
    /// Why not; nothing of it counts then.
    pub(in crate::backup) async fn points(
        &self,
        manifest: &mut Manifest,
    ) -> Result<Stored, BackupError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let points = Shelf::look(self.config).map_err(said)?;
            let done = self.keep_points(manifest, &points).await;
            let is_same = || {
                let now = Shelf::look(self.config).map_err(said)?;
                let names = |all: &[Point]| all.iter().map(|one| one.name.clone()).collect();
                let (before, after): (Vec<PointName>, Vec<PointName>) =
                    (names(&points), names(&now));
                Ok::<_, BackupError>(before == after)
            };
            // One that was removed while it was read has taken its parts with it.
            if done.is_ok() || tries == TRIES || is_same()? {
                return done;
            }
        }
    }

    async fn keep_points(
        &self,
        manifest: &mut Manifest,
        points: &[Point],
    ) -> Result<Stored, BackupError> {
        let there = self.there().await?;
        let (mut kept, given) = self.give(points, &there).await?;
        let mut added = given;
        for one in &mut kept {
            for at in 0..one.point.images.len() {
                let (image, grown) = self.image(one, at, &there).await?;
                if let KeptImage::Layers(record) = &image {
                    // One whose archives are not remembered comes back with another digest.
                    record.id().clone_into(&mut one.point.images[at].id);
                    one.point.images[at].layers = record.layers().map(str::to_owned).collect();
                }
                one.images.push(image);
                added += grown;
            }
        }
        let all = |of: fn(&Kept) -> Vec<String>| -> Vec<String> {
            kept.iter().flat_map(of).collect::<BTreeSet<_>>().into_iter().collect()
        };
        manifest.parts = all(|one| one.contents().map(str::to_owned).collect());
        manifest.layers = all(|one| one.layers().map(str::to_owned).collect());
        manifest.points = kept.iter().map(|one| one.point.name.clone()).collect();
        let files = kept.iter().flat_map(|one| one.point.trees()).map(|tree| tree.files).sum();
        let bytes = kept.iter().map(|one| one.point.size()).sum();
        let text = serde_json::to_vec_pretty(&Record { points: kept });
        let text = text.map_err(|error| BackupError::Damaged(error.to_string()))?;
        let (name, tag) = (manifest.asset.name(), Manifest::tag(manifest.at));
        let stored = self.work(move |repository| {
            repository.put_stream(&name, &tag, FILE, std::io::Cursor::new(text), || Ok(()))
        });
        let stored = stored.await?;
        // Another host may have pruned the site meanwhile.
        image::still_there(self, &manifest.layers).await?;
        let now = self.labels().await?;
        if let Some(gone) = manifest.parts.iter().find(|part| !now.contains(*part)) {
            return Err(BackupError::Refused(format!(
                "a part of a restore point ({gone}) was removed from {} while it was kept; try again",
                self.site
            )));
        }
        Ok(Stored { files, bytes, added: added + stored.added, ..stored })
    }

    /// What the site has.
    async fn there(&self) -> Result<There, BackupError> {
        let backups = self.catalog.backups_in(&self.repository, self.site)?;
        let newest = backups.into_iter().rfind(|one| one.asset.kind == Kind::Points);
        let site = self.site.to_owned();
        self.at_site(move |repository| {
            let snapshots = repository.snapshots()?;
            let parts = parts(&snapshots).into_iter().map(|(part, _)| part.to_owned()).collect();
            let before = newest.and_then(|one| {
                let id = Catalog::snapshot(&repository, &site, &one.asset, one.at).ok()?;
                Record::read(&repository, &id).ok()
            });
            let layers = image::whole(&snapshots);
            Ok(There { parts, layers, before: before.unwrap_or_default() })
        })
        .await
    }

    /// The contents that the site has.
    async fn labels(&self) -> Result<BTreeSet<String>, BackupError> {
        self.at_site(|repository| {
            let snapshots = repository.snapshots()?;
            Ok(parts(&snapshots).into_iter().map(|(part, _)| part.to_owned()).collect())
        })
        .await
    }

    async fn at_site<T: Send + 'static>(
        &self,
        work: impl FnOnce(Repository) -> Result<T, vigie_backup::Error> + Send + 'static,
    ) -> Result<T, BackupError> {
        let repository = self.repository.clone();
        let done = tokio::task::spawn_blocking(move || work(repository)).await;
        done.map_err(|error| BackupError::Worker(error.to_string()))?
            .map_err(|error| BackupError::Site(self.site.to_owned(), error))
    }

    /// Gives the site what it lacks of the points' files and dumps; the points as they are kept, still
    /// without images, and bytes that the site grew by.
    async fn give(&self, points: &[Point], there: &There) -> Result<(Vec<Kept>, u64), BackupError> {
        let config = self.config.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let Some(shelf) = Shelf::peek(&config).map_err(said)? else { return Ok(None) };
            let contents = shelf.contents();
            let contents = contents.map_err(|error| BackupError::Damaged(error.to_string()))?;
            Ok::<_, BackupError>(Some((shelf, contents)))
        });
        let opened = opened.await.map_err(|error| BackupError::Worker(error.to_string()))??;
        let (mut kept, mut gifts) = (Vec::new(), Vec::new());
        for point in points {
            let mut one = point.clone();
            let before = there.before.of(point);
            one.call_parts(|what, snapshot| {
                let here = opened.as_ref().and_then(|(_, contents)| contents.get(snapshot));
                if let Some(content) = here {
                    let label = label(content);
                    // Points that share a content give it once.
                    let is_given = gifts.iter().any(|gift: &Gift| gift.label == label);
                    if !is_given && !there.parts.contains(content) {
                        let tags = format!("{},{}", point.name, what.replace(',', "_"));
                        gifts.push(Gift { id: snapshot.to_owned(), label, tags });
                    }
                    return Ok::<_, BackupError>(content.clone());
                }
                let known = before.and_then(|before| before.part(what));
                let known = known.filter(|content| there.parts.contains(*content));
                let content = known.ok_or_else(|| lost(&point.name, what))?;
                self.tell.step(&still_kept(&point.name, what));
                Ok(content.to_owned())
            })?;
            kept.push(Kept { point: one, images: Vec::new() });
        }
        let Some((shelf, _)) = opened.filter(|_| !gifts.is_empty()) else { return Ok((kept, 0)) };
        let given = self.at_site(move |site| shelf.give(&site, &gifts, |_| Ok(()))).await?;
        Ok((kept, given.bytes))
    }

    /// Keeps the image number `at` of a point, and says by how many bytes the site grew.
    async fn image(
        &self,
        kept: &Kept,
        at: usize,
        there: &There,
    ) -> Result<(KeptImage, u64), BackupError> {
        let docker = self.docker.ok_or_else(no_engine)?;
        let (point, part) = (&kept.point, &kept.point.images[at]);
        let name = name(part);
        let Some(picture) = docker.picture(&part.id).await? else {
            return Ok((self.elsewhere(point, at, there)?, 0));
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
    fn elsewhere(&self, point: &Point, at: usize, there: &There) -> Result<KeptImage, BackupError> {
        let part = &point.images[at];
        let what = format!("the image {}", name(part));
        let known = there.before.of(point).and_then(|before| before.images.get(at));
        if let Some(known) = known.filter(|image| there.has(image)) {
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
        "the restore point {point} has lost {what}, and the newest backup does not have it; look for an \
         older one (vigie backup list points); a point that nobody needs goes with: vigie snapshot prune"
    ))
}
