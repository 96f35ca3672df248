//! Decides what is written down of restore points, so that they come back from a site alone: their
//! descriptions, in which contents stand in place of snapshots, and how their images are kept.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use vigie_backup::{Error, Repository};
use vigie_core::compose::ImageName;
use vigie_core::snapshot::{ImagePart, Point};

use crate::backup::image;
use crate::backup::limited::Limited;

/// The record's name in its snapshot.
pub(super) const FILE: &str = "points.json";
/// A point is some kilobytes.
const RECORD: usize = 64 << 20;

/// Every restore point, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) points: Vec<Kept>,
}

/// A restore point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Its description; where it names a snapshot, this one names the content.
    pub(super) point: Point,
    /// Its images, in their order there. Of one whose layers' archives nobody remembers, the digest is
    /// another one than there when it is back.
    pub(super) images: Vec<KeptImage>,
}

/// How an image is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptImage {
    /// By its layers.
    Layers(image::Record),
    /// As one archive, which has this content's label.
    Whole(String),
    /// In the registry that it was pushed to, and not here.
    Elsewhere,
}

impl KeptImage {
    /// The digest that it has when it is back, of an image that is `named` so.
    pub(super) fn id(&self, named: &ImagePart) -> String {
        match self {
            Self::Layers(record) => record.id().to_owned(),
            Self::Whole(_) | Self::Elsewhere => named.id.clone(),
        }
    }
}

impl Record {
    /// Reads the one in the snapshot `id`.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense.
    pub(super) fn read(repository: &Repository, id: &str) -> Result<Self, Error> {
        let unsound = |why| Error::Unreadable { what: format!("the restore points in {id}"), why };
        let mut text = Limited::new(RECORD);
        repository.get_file(id, FILE, &mut text)?;
        let read = serde_json::from_slice::<Self>(text.bytes());
        let record = read.map_err(|error| unsound(error.to_string()))?;
        for kept in &record.points {
            let name = &kept.point.name;
            kept.sound().map_err(|why| unsound(format!("{name}: {why}")))?;
        }
        Ok(record)
    }

    /// What is kept of a point.
    pub(super) fn of(&self, point: &Point) -> Option<&Kept> {
        self.points.iter().find(|one| one.point.name == point.name && one.point.made == point.made)
    }
}

impl Kept {
    /// The image of this service, and how it is kept.
    pub(super) fn image(&self, service: &str) -> Option<(&ImagePart, &KeptImage)> {
        let mut all = self.point.images.iter().zip(&self.images);
        all.find(|(image, _)| image.service == service)
    }

    /// The content with this label in the point.
    pub(super) fn part(&self, label: &str) -> Option<&str> {
        let found = self.point.parts().find(|(name, _)| name == label);
        found.map(|(_, content)| content)
    }

    /// Every content that it needs.
    pub(super) fn contents(&self) -> impl Iterator<Item = &str> {
        let whole = self.images.iter().filter_map(|image| match image {
            KeptImage::Whole(content) => Some(content.as_str()),
            KeptImage::Layers(_) | KeptImage::Elsewhere => None,
        });
        self.point.parts().map(|(_, content)| content).chain(whole)
    }

    /// Every layer that it needs.
    pub(super) fn layers(&self) -> impl Iterator<Item = &str> {
        self.images.iter().flat_map(|image| match image {
            KeptImage::Layers(record) => record.layers().collect(),
            KeptImage::Whole(_) | KeptImage::Elsewhere => Vec::new(),
        })
    }

    /// Whether all of it belongs together and stays where it belongs; whoever made the repository is not
    /// trusted.
    fn sound(&self) -> Result<(), String> {
        if let Some(content) = self.contents().find(|content| !is_content(content)) {
            return Err(format!("`{content}` names no content"));
        }
        let leads_out = |name: &&str| {
            let mut parts = Path::new(name).components();
            !parts.all(|part| matches!(part, Component::Normal(_))) || name.is_empty()
        };
        let binds = self.point.binds.iter().map(|bind| bind.name.as_str());
        if let Some(name) = binds.into_iter().find(leads_out) {
            return Err(format!("`{name}` leads out of the project"));
        }
        if self.images.len() != self.point.images.len() {
            return Err(String::from("its images are not those that it names"));
        }
        let (mut services, mut names) = (BTreeSet::new(), BTreeSet::new());
        for (kept, named) in self.images.iter().zip(&self.point.images) {
            let (service, repository) = (&named.service, &named.repository);
            let is_name = ImageName::parse(repository)
                .is_some_and(|name| name.tag.is_none() && name.digest.is_none());
            // The point's name is the tag, so that no other image of the stack is called like it.
            if !is_name || named.tag != self.point.name.to_string() {
                return Err(format!("`{repository}:{}` is no name of an image of it", named.tag));
            }
            if !services.insert(service) || !names.insert(repository) {
                return Err(format!("it has two images of {service} or {repository}"));
            }
            if let KeptImage::Layers(record) = kept {
                record.sound()?;
            }
        }
        Ok(())
    }
}

/// The 64 digits of a content.
fn is_content(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use vigie_core::snapshot::TreePart;

    use super::*;

    fn tree(name: &str, content: char) -> TreePart {
        TreePart {
            name: name.to_owned(),
            mounted: Vec::new(),
            snapshot: content.to_string().repeat(64),
            root: None,
            files: 1,
            size: 1,
            added: 1,
        }
    }

    fn kept() -> Kept {
        let mut point = Point::new("v1.0-a".parse().unwrap(), 7);
        point.volumes.push(tree("data", 'a'));
        point.binds.push(tree("server-config/cfg", 'b'));
        Kept { point, images: Vec::new() }
    }

    #[test]
    fn a_record_that_is_not_of_one_piece_is_refused() {
        kept().sound().unwrap();
        let mut strange = kept();
        strange.point.volumes[0].snapshot = String::from("../../x");
        assert!(strange.sound().unwrap_err().contains("names no content"));
        for name in ["../outside", "/etc", "a/../../b", ""] {
            let mut out = kept();
            out.point.binds[0].name = name.to_owned();
            assert!(out.sound().unwrap_err().contains("leads out"), "{name}");
        }
        let mut fewer = kept();
        fewer.point.images.push(ImagePart {
            service: String::from("gmod"),
            repository: String::from("town/gmod"),
            tag: String::from("v1.0-a"),
            id: format!("sha256:{}", "c".repeat(64)),
            layers: Vec::new(),
            size: 0,
            added: 0,
            changes: Vec::new(),
            off_site: None,
        });
        assert!(fewer.sound().unwrap_err().contains("images"));
        fewer.images.push(KeptImage::Whole("d".repeat(64)));
        fewer.sound().unwrap();
        assert_eq!(fewer.contents().count(), 3);
        for (repository, tag) in [("mysql", "8"), ("town/gmod:v1", "v1.0-a"), ("", "v1.0-a")] {
            let mut taking = fewer.clone();
            taking.point.images[0].repository = repository.to_owned();
            taking.point.images[0].tag = tag.to_owned();
            let why = taking.sound().unwrap_err();
            assert!(why.contains("is no name of an image"), "{why}");
        }
        let mut twice = fewer.clone();
        twice.point.images.push(twice.point.images[0].clone());
        twice.images.push(twice.images[0].clone());
        assert!(twice.sound().unwrap_err().contains("two images"));
        fewer.images[0] = KeptImage::Whole(String::from("D"));
        assert!(fewer.sound().unwrap_err().contains("names no content"));
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_never_taken_whole_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::create(&directory.path().join("repo"), "p").unwrap();
        let record = Record { points: vec![kept()] };
        let text = serde_json::to_vec(&record).unwrap();
        let put = |text: Vec<u8>| {
            let reader = std::io::Cursor::new(text);
            repository.put_stream("points", "at-1", FILE, reader, || Ok(())).unwrap().id
        };
        let read = Record::read(&repository, &put(text)).unwrap();
        assert!(read.of(&kept().point).is_some());
        let other = Point { made: 8, ..kept().point };
        assert!(read.of(&other).is_none(), "another one of that name");
        assert_eq!(read.points[0].part("volume:data"), Some("a".repeat(64).as_str()));
        let why = Record::read(&repository, &put(b"{}".to_vec())).unwrap_err().to_string();
        assert!(why.contains("restore points"), "{why}");
        let endless = std::io::Read::take(std::io::repeat(b' '), RECORD as u64 + 1);
        let endless = repository.put_stream("points", "at-2", FILE, endless, || Ok(())).unwrap();
        let why = Record::read(&repository, &endless.id).unwrap_err().to_string();
        assert!(why.contains("larger than"), "{why}");
    }
}
