//! Does: an image back into the engine under its names. One that names another image by now stays there,
//! but for the name that its service asks for: the other one is found by a name of its own then, and is
//! never removed.

use std::collections::BTreeMap;

use super::record::{self, Record};
use super::{read_record, write, write_called};
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
        let (repository, of) = (self.repository.clone(), id.to_owned());
        let read = tokio::task::spawn_blocking(move || read_record(&repository, &of)).await;
        let read = read.map_err(|error| BackupError::Worker(error.to_string()))?;
        let record = read.map_err(|error| BackupError::Site(self.site.to_owned(), error))?;
        let source = match record {
            Some(record) => Source::Layers(record),
            None => Source::Whole {
                snapshot: id.to_owned(),
                id: manifest.image.clone(),
                // It has the one name, and none where it had moved on.
                names: record::tags(&[], &manifest.asset.what),
            },
        };
        self.load_image(source, &manifest.asset.what).await
    }

    /// The same of an image that a service asks for by the name `wanted`, or that nobody asks for: then it
    /// takes no name from another one.
    ///
    /// # Errors
    /// As [`Bringer::image_back`].
    pub(in crate::backup) async fn load_image(
        &self,
        source: Source,
        wanted: &str,
    ) -> Result<String, BackupError> {
        let docker = self.engine()?;
        let (kept, known) = match &source {
            Source::Layers(record) => (Some(record.id().to_owned()), record.tags().to_vec()),
            Source::Whole { id, names, .. } => (id.clone(), names.clone()),
        };
        let mut there = BTreeMap::new();
        for tag in &known {
            if let Some(image) = docker.image(tag).await? {
                there.insert(tag.clone(), image.id);
            }
        }
        let names = Names::decide(&known, wanted, kept.as_deref(), &there);
        for (tag, other) in &names.taken {
            if let Some((repository, aside)) = aside(tag, other) {
                docker.tag(other, &repository, &aside).await?;
            }
        }
        let own = names.own.clone();
        self.pour(move |repository, to| match source {
            Source::Layers(record) => write(repository, &record.called(own), to),
            Source::Whole { snapshot, .. } => write_called(repository, &snapshot, &own, to),
        })
        .await?;
        if let Some(kept) = &kept {
            self.named(kept, &names.own).await?;
        }
        Ok(names.told(wanted))
    }

    /// The engine has the image `id`, and these names are its own.
    async fn named(&self, id: &str, names: &[String]) -> Result<(), BackupError> {
        let docker = self.engine()?;
        if docker.image(id).await?.is_none() {
            return Err(BackupError::Damaged(format!(
                "the engine took the image and does not have {id}; bring it back beside (--to DIR) and look \
                 what `docker load -i image.tar` says"
            )));
        }
        for name in names {
            let named = docker.image(name).await?;
            if named.is_none_or(|image| image.id != id)
                && let Some((repository, tag)) = name.rsplit_once(':')
            {
                docker.tag(id, repository, tag).await?;
            }
        }
        Ok(())
    }
}

/// How a site has an image.
pub(in crate::backup) enum Source {
    /// By its layers.
    Layers(Record),
    /// As one archive.
    Whole {
        /// The snapshot with it.
        snapshot: String,
        /// Its digest, where that was kept.
        id: Option<String>,
        /// Its names, `repository:tag`.
        names: Vec<String>,
    },
}

/// What an image is called when it is back.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    /// Its own.
    own: Vec<String>,
    /// Those of them that name another image until then, and which.
    taken: Vec<(String, String)>,
    /// Those that it had and that stay another image's.
    left: Vec<String>,
}

impl Names {
    /// Decides them for the image `kept`, which had the names `known` and whose service asks for `wanted`;
    /// `there` says what has such a name now. Of an image whose digest was not kept nobody knows whether
    /// it is another one.
    fn decide(
        known: &[String],
        wanted: &str,
        kept: Option<&str>,
        there: &BTreeMap<String, String>,
    ) -> Self {
        let asked = record::tags(&[], wanted);
        let mut names = Self::default();
        for tag in known {
            let other = there.get(tag).filter(|id| kept.is_some_and(|kept| kept != *id));
            match other {
                Some(_) if !asked.contains(tag) => {
                    names.left.push(tag.clone());
                    continue;
                }
                Some(other) => names.taken.push((tag.clone(), other.clone())),
                None => {}
            }
            names.own.push(tag.clone());
        }
        // A service that asks for a digest takes no name over, and an image without one is soon cleaned up.
        if let (true, Some(kept), Some(first)) = (names.own.is_empty(), kept, known.first())
            && let Some((repository, _)) = aside(first, kept)
        {
            names.own.push(restored(&repository, kept));
        }
        names
    }

    /// What is said of them, behind the name that the service asks for.
    fn told(&self, wanted: &str) -> String {
        let mut said: Vec<String> =
            Some(wanted).filter(|one| !one.is_empty()).map(str::to_owned).into_iter().collect();
        said.extend(
            self.own
                .iter()
                .find(|name| name.contains(":restored-"))
                .map(|name| format!("it is called {name}")),
        );
        said.extend(
            self.left.iter().map(|tag| format!("{tag} names another image by now and still does")),
        );
        said.extend(self.taken.iter().filter_map(|(tag, other)| {
            let (repository, aside) = aside(tag, other)?;
            Some(format!("another {tag} is {repository}:{aside} now"))
        }));
        said.join(", ")
    }
}

/// What an image is called whose every name is another's when it comes back.
pub(crate) fn restored(repository: &str, id: &str) -> String {
    format!("{repository}:restored-{}", short(id))
}

/// The first digits of a digest.
pub(in crate::backup) fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..TOLD).unwrap_or(digits)
}

/// The repository and the tag by which an image is still found whose name is taken; nothing for a name that
/// is a digest, which nobody can take.
pub(crate) fn aside(name: &str, id: &str) -> Option<(String, String)> {
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
    fn a_name_that_is_another_images_stays_there_unless_the_service_asks_for_it() {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let known = texts(&["gmod:old", "gmod:stable", "gmod:v1"]);
        let there = |all: &[(&str, &str)]| {
            let all = all.iter().map(|(tag, id)| ((*tag).to_owned(), (*id).to_owned()));
            all.collect::<BTreeMap<_, _>>()
        };
        let now = there(&[("gmod:stable", "sha256:b"), ("gmod:v1", "sha256:c")]);
        let names = Names::decide(&known, "gmod:v1", Some("sha256:a"), &now);
        assert_eq!(names.own, texts(&["gmod:old", "gmod:v1"]));
        assert_eq!(names.taken, [("gmod:v1".to_owned(), "sha256:c".to_owned())]);
        assert_eq!(names.left, texts(&["gmod:stable"]));
        assert_eq!(
            names.told("gmod:v1"),
            "gmod:v1, gmod:stable names another image by now and still does, another gmod:v1 is \
             gmod:before-c now"
        );
        // What is there already is its own, and what nobody can compare is replaced.
        let same = there(&[("gmod:v1", "sha256:a")]);
        assert_eq!(Names::decide(&known, "gmod:v1", Some("sha256:a"), &same).own, known);
        assert_eq!(Names::decide(&known, "gmod:v1", None, &now).own, known);
        // A service that asks for a digest takes none over: the image is found by one of its own.
        let all = there(&[
            ("gmod:old", "sha256:b"),
            ("gmod:stable", "sha256:b"),
            ("gmod:v1", "sha256:b"),
        ]);
        let digest = format!("gmod@sha256:{}", "0".repeat(64));
        let names = Names::decide(&known, &digest, Some("sha256:a"), &all);
        assert_eq!((names.own.clone(), names.taken.len()), (texts(&["gmod:restored-a"]), 0));
        assert!(names.told(&digest).contains("it is called gmod:restored-a"), "{names:?}");
        // Nor does one that nobody asks for.
        let names = Names::decide(&known[2..], "", Some("sha256:a"), &all);
        assert_eq!((names.own.clone(), names.taken.len()), (texts(&["gmod:restored-a"]), 0));
        assert!(names.told("").starts_with("it is called"), "{names:?}");
    }

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
