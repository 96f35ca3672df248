//! Does: an image back into the engine under its names. One that names another image by now stays there,
//! but for the name that its service asks for: the other one is found by a name of its own then, and is
//! never removed.

use super::record::{self, Record};
use super::{WHOLE, read_record, write};
use crate::backup::restore::Bringer;
use crate::backup::{BackupError, Manifest};

/// Digits of a digest that are told.
const TOLD: usize = 12;

impl Bringer<'_> {
    /// Loads the image in the snapshot `id`, looks whether it is the one that was kept, and says what it and
    /// those that were in its way are called.
    ///
    /// # Errors
    /// What the site or the engine says, or that the engine made another image of it.
    pub(in crate::backup) async fn image_back(
        &self,
        manifest: &Manifest,
        id: &str,
    ) -> Result<String, BackupError> {
        let docker = self.engine()?;
        let (repository, of) = (self.repository.clone(), id.to_owned());
        let read = tokio::task::spawn_blocking(move || read_record(&repository, &of)).await;
        let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
        let record = read.map_err(|error| BackupError::Site(self.site.to_owned(), error))?;
        let wanted = &manifest.asset.what;
        let kept = record.as_ref().map_or(manifest.image.as_deref(), |record| Some(record.id()));
        let mut said = vec![wanted.clone()];
        let mut tags = Vec::new();
        for tag in names(record.as_ref(), wanted) {
            let there = docker.image(&tag).await?;
            let Some(other) = there.filter(|there| kept.is_some_and(|kept| kept != there.id))
            else {
                tags.push(tag);
                continue;
            };
            if !record::tags(&[], wanted).contains(&tag) {
                said.push(format!("{tag} names another image by now and still does"));
                continue;
            }
            if let Some((repository, aside)) = aside(&tag, &other.id) {
                docker.tag(&other.id, &repository, &aside).await?;
                said.push(format!("another {tag} is {repository}:{aside} now"));
            }
            tags.push(tag);
        }
        // A service that asks for a digest takes no name over, and an image without one is soon cleaned up.
        if let (true, Some(kept), Some(name)) =
            (tags.is_empty(), kept, record.as_ref().and_then(|record| record.tags().first()))
            && let Some((repository, _)) = aside(name, kept)
        {
            let own = format!("{repository}:restored-{}", short(kept));
            said.push(format!("it is called {own}"));
            tags.push(own);
        }
        let wanted = record::tags(&[], wanted).into_iter().next();
        let whole = record.is_none().then(|| manifest.image.clone().zip(wanted)).flatten();
        let (id, plan) = (id.to_owned(), record.map(|record| record.called(tags)));
        let loaded = plan.clone();
        self.pour(move |repository, to| match plan {
            Some(record) => write(repository, &record, to),
            None => repository.get_file(&id, WHOLE, to),
        })
        .await?;
        if let Some(record) = loaded {
            self.named(&record).await?;
        }
        // An archive of an image whose name had moved on has none.
        if let Some((id, name)) = whole
            && docker.image(&name).await?.is_none_or(|there| there.id != id)
            && docker.image(&id).await?.is_some()
            && let Some((repository, tag)) = name.rsplit_once(':')
        {
            docker.tag(&id, repository, tag).await?;
        }
        Ok(said.join(", "))
    }

    /// The engine has the image, and all its names are its own.
    async fn named(&self, record: &Record) -> Result<(), BackupError> {
        let docker = self.engine()?;
        if docker.image(record.id()).await?.is_none() {
            return Err(BackupError::Damaged(format!(
                "the engine took the image and does not have {}; bring it back beside (--to DIR) and look \
                 what `docker load -i image.tar` says",
                record.id()
            )));
        }
        for tag in record.tags() {
            let named = docker.image(tag).await?;
            if named.is_none_or(|image| image.id != record.id())
                && let Some((repository, tag)) = tag.rsplit_once(':')
            {
                docker.tag(record.id(), repository, tag).await?;
            }
        }
        Ok(())
    }
}

/// What the image is called in the backup. A whole archive has the one name.
fn names(record: Option<&Record>, wanted: &str) -> Vec<String> {
    record.map_or_else(|| record::tags(&[], wanted), |record| record.tags().to_vec())
}

/// The first digits of a digest.
pub(in crate::backup) fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..TOLD).unwrap_or(digits)
}

/// The repository and the tag by which an image is still found whose name is taken; nothing for a name that
/// is a digest, which nobody can take.
pub(in crate::backup) fn aside(name: &str, id: &str) -> Option<(String, String)> {
    if name.contains('@') {
        return None;
    }
    let repository = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    };
    Some((repository.to_owned(), format!("before-{}", short(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_whose_name_is_taken_has_one_of_its_own() {
        let id = "sha256:0123456789abcdef0123";
        for (name, repository) in [
            ("gmod", "gmod"),
            ("town/gmod:v1", "town/gmod"),
            ("localhost:5000/gmod", "localhost:5000/gmod"),
            ("localhost:5000/gmod:v1", "localhost:5000/gmod"),
        ] {
            let (found, tag) = aside(name, id).unwrap();
            assert_eq!((found.as_str(), tag.as_str()), (repository, "before-0123456789ab"));
        }
        assert_eq!(aside("gmod@sha256:01", id), None);
        assert_eq!(short("odd"), "odd");
    }
}
