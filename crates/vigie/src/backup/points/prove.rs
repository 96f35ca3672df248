//! Does: a drill of restore points: the newest one comes back into a temporary directory, and of the others
//! everything is there.

use std::collections::BTreeSet;

use vigie_backup::{Error, Repository};

use super::record::{Kept, KeptImage, Record};
use super::{label, parts};
use crate::backup::BackupError;
use crate::backup::drill::{Back, Counted, Drill, compare, refuse};
use crate::backup::image;
use crate::snapshot::DUMP;
use crate::text::size;

/// What a site has of restore points.
struct There {
    record: Record,
    /// Contents, and their snapshots.
    parts: Vec<(String, String)>,
}

impl There {
    fn read(site: &Repository, id: &str) -> Result<Self, Error> {
        let record = Record::read(site, id)?;
        let snapshots = site.snapshots()?;
        let found = parts(&snapshots).into_iter();
        let parts: Vec<_> = found.map(|(one, id)| (one.to_owned(), id.to_owned())).collect();
        let contents: BTreeSet<&str> = parts.iter().map(|(one, _)| one.as_str()).collect();
        let layers = image::whole(&snapshots);
        for kept in &record.points {
            let content = kept.contents().find(|one| !contents.contains(one)).map(label);
            let layer = || kept.layers().find(|one| !layers.contains(*one)).map(str::to_owned);
            if let Some(gone) = content.or_else(layer) {
                let what = format!("{gone}, which the restore point {} needs", kept.point.name);
                return Err(Error::NotThere(site.place(), what));
            }
        }
        Ok(Self { record, parts })
    }

    fn snapshot(&self, content: &str) -> String {
        let found = self.parts.iter().find(|(one, _)| one == content);
        found.map(|(_, id)| id.clone()).unwrap_or_default()
    }
}

impl Drill<'_> {
    /// T1 of all restore points, T3 of the newest one; its images are put together.
    pub(in crate::backup) async fn points(
        &self,
        id: String,
        back: &Back,
    ) -> Result<Vec<String>, BackupError> {
        let there = self.bringer.work(move |site| There::read(&site, &id)).await?;
        let Some(newest) = there.record.points.last() else {
            return Ok(vec![String::from("no restore point")]);
        };
        let stage = self.stage()?;
        let mut brought = Vec::new();
        for (number, tree) in newest.point.trees().enumerate() {
            let (into, id) =
                (stage.path().join(number.to_string()), there.snapshot(&tree.snapshot));
            let (to, of) = (into.clone(), id.clone());
            self.bringer.work(move |site| site.get_tree(&of, &to)).await?;
            brought.push((id, into));
        }
        let dumps = newest.point.databases.iter();
        let dumps: Vec<String> = dumps.map(|dump| there.snapshot(&dump.snapshot)).collect();
        let mut read = 0;
        for dump in dumps {
            read += self.bringer.work(move |site| counted(&site, &dump, DUMP)).await?;
        }
        let archives = self.archives(newest, &there).await?;
        back.is_there();
        let (mut files, mut bytes) = (0, 0);
        for (id, into) in brought {
            let (site, name) = (self.bringer.repository.clone(), self.bringer.site.to_owned());
            let compared =
                tokio::task::spawn_blocking(move || compare(&site, &name, &id, &into)).await;
            let compared = compared.map_err(|error| BackupError::Worker(error.to_string()))?;
            let (more, larger, wrong) = compared?;
            refuse(&wrong)?;
            (files, bytes) = (files + more, bytes + larger);
        }
        let (name, count) = (&newest.point.name, there.record.points.len());
        let mut proved = vec![format!(
            "{name}: {files} files, {}: content, modes and owners are as they were kept",
            size(bytes)
        )];
        if !newest.point.databases.is_empty() {
            proved.push(format!("{name}: dumps of {} were read whole", size(read)));
        }
        if archives > 0 {
            proved.push(format!("{name}: images of {} were put together", size(archives)));
        }
        proved.push(format!("everything that the {count} restore points need is there"));
        Ok(proved)
    }

    /// Puts the images of a point together, and says how large their archives are.
    async fn archives(&self, kept: &Kept, there: &There) -> Result<u64, BackupError> {
        let mut bytes = 0;
        for image in &kept.images {
            bytes += match image.clone() {
                KeptImage::Elsewhere => 0,
                KeptImage::Whole(content) => {
                    let id = there.snapshot(&content);
                    self.bringer.work(move |site| counted(&site, &id, image::WHOLE)).await?
                }
                KeptImage::Layers(record) => {
                    let write = move |site: Repository| {
                        let mut counted = Counted(0);
                        // Each layer has to have its digest.
                        image::write(&site, &record, &mut counted).map(|()| counted.0)
                    };
                    self.bringer.work(write).await?
                }
            };
        }
        Ok(bytes)
    }
}

/// Bytes of a file that was read whole.
fn counted(site: &Repository, id: &str, name: &str) -> Result<u64, Error> {
    let mut counted = Counted(0);
    site.get_file(id, name, &mut counted).map(|()| counted.0)
}
