//! Decides what a restore point is: everything that is needed to go back, under one name. This is its
//! description; the bytes are in the engine's images and in a repository. It has no secrets in it.

use serde::{Deserialize, Serialize};

use crate::snapshot::PointName;

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagePart {
    /// The service.
    pub service: String,
    /// Its name without a tag: `projetfilrouge/gmod-server`.
    pub repository: String,
    /// Its tag; the digest decides.
    pub tag: String,
    /// The engine's digest of it: `sha256:…`.
    pub id: String,
    /// Its layers' digests, lowest first.
    pub layers: Vec<String>,
    /// Bytes of all layers.
    pub size: u64,
    /// Bytes that it added to the image below it.
    pub added: u64,
    /// What the container had changed in its own image's files, as far as it was told: `C /etc/x`.
    #[serde(default)]
    pub changes: Vec<String>,
    /// The registry that has it, once it was pushed: name and digest there.
    #[serde(default)]
    pub off_site: Option<String>,
}

/// A directory: a named volume, or files of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreePart {
    /// The volume's name; `project` for the project's files.
    pub name: String,
    /// The service that has it mounted, and where.
    pub mounted: Vec<(String, String)>,
    /// Its snapshot in the repository.
    pub snapshot: String,
    /// Mode, owner and group of the directory itself, which is not in the snapshot.
    #[serde(default)]
    pub root: Option<(u32, u32, u32)>,
    /// Files in it.
    pub files: u64,
    /// Bytes in it.
    pub size: u64,
    /// Bytes that it added to the repository.
    pub added: u64,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePart {
    /// The service.
    pub service: String,
    /// The schema.
    pub schema: String,
    /// Its dump's snapshot in the repository.
    pub snapshot: String,
    /// Bytes of the dump.
    pub size: u64,
    /// Bytes that it added to the repository.
    pub added: u64,
}

/// A git repository that a service has mounted, or that the project is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its directory, relative to the project where it is inside.
    pub directory: String,
    /// The commit that was checked out.
    pub commit: String,
    /// The branch, where one was.
    pub branch: Option<String>,
    /// Whether something was not committed; the patch is among the project's files.
    pub dirty: bool,
}

/// The label of the project's files in the repository.
pub const PROJECT_LABEL: &str = "project";

/// The label of a volume in the repository.
#[must_use]
pub fn volume_label(name: &str) -> String {
    format!("volume:{name}")
}

/// The label of a mounted directory in the repository.
#[must_use]
pub fn bind_label(name: &str) -> String {
    format!("bind:{name}")
}

/// The label of a dump in the repository.
#[must_use]
pub fn database_label(service: &str, schema: &str) -> String {
    format!("database:{service}:{schema}")
}

/// A restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Its name.
    pub name: PointName,
    /// When it was made, in milliseconds since 1970.
    pub made: i64,
    /// What a person wrote to it.
    #[serde(default)]
    pub note: Option<String>,
    /// Whether vigie made it before it went back to another one.
    #[serde(default)]
    pub safety: bool,
    /// Players on the games of the stack at that time.
    pub players: Option<u32>,
    /// How long it took to make, in milliseconds.
    pub took_ms: u64,
    /// Images.
    pub images: Vec<ImagePart>,
    /// Named volumes.
    pub volumes: Vec<TreePart>,
    /// Databases.
    pub databases: Vec<DatabasePart>,
    /// The project's files.
    pub project: Option<TreePart>,
    /// Directories of the project that services have mounted, by their path in it.
    #[serde(default)]
    pub binds: Vec<TreePart>,
    /// When it was found to have run for a day without a P1 or P2, in milliseconds since 1970.
    #[serde(default)]
    pub good: Option<i64>,
    /// Git repositories.
    pub repositories: Vec<Repository>,
    /// The image that somebody had tagged by hand and that this point was made of. Its tag is that
    /// person's and is never taken away.
    #[serde(default)]
    pub adopted: Option<String>,
}

impl Point {
    /// One with nothing in it yet; `made` is in milliseconds since 1970.
    #[must_use]
    pub fn new(name: PointName, made: i64) -> Self {
        Self {
            name,
            made,
            note: None,
            safety: false,
            players: None,
            took_ms: 0,
            images: Vec::new(),
            volumes: Vec::new(),
            databases: Vec::new(),
            project: None,
            binds: Vec::new(),
            good: None,
            repositories: Vec::new(),
            adopted: None,
        }
    }

    /// Everything in it that is a directory.
    pub fn trees(&self) -> impl Iterator<Item = &TreePart> {
        self.volumes.iter().chain(&self.project).chain(&self.binds)
    }

    /// Bytes that it added to the disk.
    #[must_use]
    pub fn added(&self) -> u64 {
        let images = self.images.iter().map(|one| one.added);
        let trees = self.trees().map(|one| one.added);
        let databases = self.databases.iter().map(|one| one.added);
        images.chain(trees).chain(databases).sum()
    }

    /// Bytes of all that it holds.
    #[must_use]
    pub fn size(&self) -> u64 {
        let images = self.images.iter().map(|one| one.size);
        let trees = self.trees().map(|one| one.size);
        let databases = self.databases.iter().map(|one| one.size);
        images.chain(trees).chain(databases).sum()
    }

    /// Its snapshots in the repository.
    pub fn snapshots(&self) -> impl Iterator<Item = &str> {
        self.parts().map(|(_, snapshot)| snapshot)
    }

    /// What is in the repository: labels, and their snapshots.
    pub fn parts(&self) -> impl Iterator<Item = (String, &str)> {
        let volumes = self.volumes.iter().map(|one| (volume_label(&one.name), &one.snapshot));
        let binds = self.binds.iter().map(|one| (bind_label(&one.name), &one.snapshot));
        let project = self.project.iter().map(|one| (PROJECT_LABEL.to_owned(), &one.snapshot));
        let databases = self.databases.iter();
        let databases =
            databases.map(|one| (database_label(&one.service, &one.schema), &one.snapshot));
        let all = volumes.chain(project).chain(binds).chain(databases);
        all.map(|(label, snapshot)| (label, snapshot.as_str()))
    }

    /// Calls its snapshots otherwise: `called` gets a label and the snapshot, and says the new one.
    ///
    /// # Errors
    /// What `called` says.
    pub fn call_parts<E>(
        &mut self,
        mut called: impl FnMut(&str, &str) -> Result<String, E>,
    ) -> Result<(), E> {
        for one in &mut self.volumes {
            one.snapshot = called(&volume_label(&one.name), &one.snapshot)?;
        }
        if let Some(one) = &mut self.project {
            one.snapshot = called(PROJECT_LABEL, &one.snapshot)?;
        }
        for one in &mut self.binds {
            one.snapshot = called(&bind_label(&one.name), &one.snapshot)?;
        }
        for one in &mut self.databases {
            one.snapshot = called(&database_label(&one.service, &one.schema), &one.snapshot)?;
        }
        Ok(())
    }

    /// Whether every image of it is in a registry too.
    #[must_use]
    pub fn is_off_site(&self) -> bool {
        !self.images.is_empty() && self.images.iter().all(|one| one.off_site.is_some())
    }

    /// Names of images that go with this point: all but the one that was there before it.
    pub fn tags(&self) -> impl Iterator<Item = String> {
        let names = self.images.iter().map(|one| format!("{}:{}", one.repository, one.tag));
        names.filter(|name| self.adopted.as_ref() != Some(name))
    }

    /// Whether it can be known as good. An image that was taken over has nothing that ran with it.
    #[must_use]
    pub fn can_be_good(&self) -> bool {
        self.adopted.is_none()
    }

    /// Whether a volume hides files of the image of `service`: then a rollback of the image alone
    /// changes nothing that players see.
    #[must_use]
    pub fn masks(&self, service: &str, content: &str) -> Vec<&TreePart> {
        let volumes = self.volumes.iter();
        let masking = |one: &&TreePart| {
            one.mounted.iter().any(|(by, at)| by == service && hides(at, content))
        };
        volumes.filter(masking).collect()
    }
}

/// Whether a volume at `at` hides files of an image whose content is below `content`.
#[must_use]
pub fn hides(at: &str, content: &str) -> bool {
    let at = at.trim_end_matches('/');
    content == at
        || content.starts_with(&format!("{at}/"))
        || at.starts_with(&format!("{content}/"))
}
