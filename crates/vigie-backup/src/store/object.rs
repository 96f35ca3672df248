//! Decides where a repository's files are, as restic lays them out; never touches one.

use rustic_core::{FileType, Id};

/// A directory of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Area {
    /// The one file `config`.
    Config,
    /// What the password opens.
    Keys,
    /// Who works here now.
    Locks,
    /// What was kept.
    Snapshots,
    /// What is in which pack.
    Index,
    /// Packs.
    Data,
}

impl Area {
    /// Every one that is a directory.
    pub(crate) const DIRECTORIES: [Self; 5] =
        [Self::Keys, Self::Locks, Self::Snapshots, Self::Index, Self::Data];

    /// The name of its directory, or of the one file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Keys => "keys",
            Self::Locks => "locks",
            Self::Snapshots => "snapshots",
            Self::Index => "index",
            Self::Data => "data",
        }
    }
}

impl From<FileType> for Area {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::Config => Self::Config,
            FileType::Index => Self::Index,
            FileType::Key => Self::Keys,
            FileType::Snapshot => Self::Snapshots,
            FileType::Pack => Self::Data,
        }
    }
}

/// One file of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Object {
    /// Its directory.
    pub(crate) area: Area,
    /// The hash of its content; not used for `config`.
    pub(crate) id: Id,
}

impl Object {
    /// The file `config`.
    pub(crate) fn config() -> Self {
        Self { area: Area::Config, id: Id::default() }
    }

    /// The file of this name.
    pub(crate) fn new(area: Area, id: Id) -> Self {
        Self { area, id }
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        match self.area {
            Area::Config => Area::Config.name().to_owned(),
            _ => self.id.to_hex().as_str().to_owned(),
        }
    }

    /// Its path below the repository; packs are in 256 directories.
    pub(crate) fn path(&self) -> String {
        let name = self.name();
        match self.area {
            Area::Config => name,
            Area::Data => format!("data/{}/{name}", &name[..2]),
            area => format!("{}/{name}", area.name()),
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.area {
            Area::Config => f.write_str("config"),
            area => write!(f, "{}/{}", area.name(), &self.name()[..8]),
        }
    }
}

/// The id that a file's name says, if it is one of a repository.
pub(crate) fn id(name: &str) -> Option<Id> {
    let plain = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| name.parse().ok())?
}
