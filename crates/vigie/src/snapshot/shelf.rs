//! Does: where restore points are kept: a description each, one repository for all, its key, and what
//! is under way. Everything in it is this account's alone.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vigie_backup::{Access, Repository, Site};
use vigie_core::snapshot::{Parts, Point, PointName};

use super::SnapshotError;
use crate::config::Config;
use crate::whole;

/// How long an open shelf is waited for. A program that this one is just starting has what this one has open
/// until it is begun, a lock that was given back a moment ago too.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(20);

/// A rollback that is under way. Whoever finds one that nobody works at takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Where to.
    pub to: PointName,
    /// The point that was made before.
    pub safety: PointName,
    /// With what.
    pub parts: Parts,
    /// Whether it is being taken back.
    pub undoing: bool,
}

/// Descriptions that do not read: the names of the points, and why.
pub(crate) type Unread = Vec<(String, SnapshotError)>;

/// A point that is being made. Whoever finds one that nobody works at removes what there is of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    /// Its name; its snapshots carry it.
    pub name: PointName,
    /// Its images' names.
    pub images: Vec<String>,
    /// Snapshots that were there before it, which are none of its own.
    #[serde(default)]
    pub known: BTreeSet<String>,
}

/// The restore points of a stack; while it is open, no other command changes them.
#[derive(Debug)]
pub struct Shelf {
    directory: PathBuf,
    /// Once it was opened: a password takes half a second on purpose, and there are many parts.
    repository: OnceLock<Repository>,
    /// Held as long as the shelf is open.
    _lock: File,
}

impl Shelf {
    /// The directory of the restore points of `config`.
    #[must_use]
    pub fn place(config: &Config) -> PathBuf {
        config.state_directory().join("points")
    }

    /// Opens it, and makes it where it is not there.
    ///
    /// # Errors
    /// When it cannot be written, or another command has it.
    pub fn open(config: &Config) -> Result<Self, SnapshotError> {
        let directory = Self::place(config);
        let failed = |error| SnapshotError::File(directory.clone(), error);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(failed)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let lock = options.open(directory.join("lock")).map_err(failed)?;
        let begun = Instant::now();
        while lock.try_lock().is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(SnapshotError::Busy);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(Self { directory, repository: OnceLock::new(), _lock: lock })
    }

    /// Its repository, and a new one where there is none.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn repository(&self) -> Result<Repository, SnapshotError> {
        self.made(None)
    }

    /// Its repository, and where there is none a new one that cuts data in the same places as `like`: what
    /// the one has is not sent to the other again.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn repository_like(&self, like: &Repository) -> Result<Repository, SnapshotError> {
        self.made(Some(like))
    }

    fn made(&self, like: Option<&Repository>) -> Result<Repository, SnapshotError> {
        if let Some(known) = self.repository.get() {
            return Ok(known.clone());
        }
        let place = self.directory.join("repository");
        let key = self.key()?;
        let opened = if place.join("config").exists() {
            Repository::open(&place, &key)?
        } else if let Some(like) = like {
            like.create_like(&Site::Local(place), &Access::default(), &key)?
        } else {
            Repository::create(&place, &key)?
        };
        Ok(self.repository.get_or_init(|| opened).clone())
    }

    /// The repository's password, made at random once.
    pub(crate) fn key(&self) -> Result<String, SnapshotError> {
        let path = self.directory.join("key");
        let failed = |error| SnapshotError::File(path.clone(), error);
        match std::fs::read_to_string(&path) {
            Ok(key) => return Ok(key.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut bytes = [0_u8; 32];
        File::open("/dev/urandom")
            .and_then(|mut from| from.read_exact(&mut bytes))
            .map_err(failed)?;
        let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::write(&path, key.as_bytes())?;
        Ok(key)
    }

    /// The repository of `config`, to read in it, also while another command is at work; none where
    /// there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn peek(config: &Config) -> Result<Option<Repository>, SnapshotError> {
        let directory = Self::place(config);
        let (place, key) = (directory.join("repository"), directory.join("key"));
        if !place.join("config").exists() {
            return Ok(None);
        }
        let key = std::fs::read_to_string(&key).map_err(|error| SnapshotError::File(key, error))?;
        Ok(Some(Repository::open(&place, key.trim())?))
    }

    /// Every point, oldest first.
    ///
    /// # Errors
    /// When one does not read.
    pub fn points(&self) -> Result<Vec<Point>, SnapshotError> {
        Self::read(&self.directory)
    }

    /// Whether `config` has any point.
    #[must_use]
    pub fn has_any(config: &Config) -> bool {
        let entries = std::fs::read_dir(Self::place(config)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| is_description(&path))
    }

    /// Every point of `config`, oldest first, also while another command is at work.
    ///
    /// # Errors
    /// When one does not read.
    pub fn look(config: &Config) -> Result<Vec<Point>, SnapshotError> {
        Self::read(&Self::place(config))
    }

    /// One point of `config`, also while another command is at work.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn look_at(config: &Config, name: &PointName) -> Result<Point, SnapshotError> {
        Self::named(Self::look(config)?, name)
    }

    fn named(points: Vec<Point>, name: &PointName) -> Result<Point, SnapshotError> {
        let found = points.into_iter().find(|point| &point.name == name);
        found.ok_or_else(|| SnapshotError::Unknown(name.clone()))
    }

    /// As [`Shelf::look`]; those that do not read are told beside the others, by the names of their files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn look_at_each(config: &Config) -> Result<(Vec<Point>, Unread), SnapshotError> {
        Self::read_each(&Self::place(config))
    }

    /// Moves a description that does not read out of the way, and keeps it.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub(crate) fn set_aside(&self, name: &PointName) -> Result<(), SnapshotError> {
        let path = self.directory.join(format!("{name}.json"));
        match std::fs::rename(&path, path.with_extension("json.unreadable")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(SnapshotError::File(path, error))
            }
            _ => Ok(()),
        }
    }

    fn read(directory: &Path) -> Result<Vec<Point>, SnapshotError> {
        let (points, unread) = Self::read_each(directory)?;
        match unread.into_iter().next() {
            None => Ok(points),
            Some((_, error)) => Err(error),
        }
    }

    fn read_each(directory: &Path) -> Result<(Vec<Point>, Unread), SnapshotError> {
        let failed = |error| SnapshotError::File(directory.to_owned(), error);
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok((Vec::new(), Vec::new()));
            }
            Err(error) => return Err(failed(error)),
        };
        let (mut points, mut unread) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if !is_description(&path) {
                continue;
            }
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            let stem = stem.unwrap_or_default();
            match std::fs::read(&path).map(|text| serde_json::from_slice(&text)) {
                Ok(Ok(point)) => points.push(point),
                Ok(Err(error)) => {
                    unread.push((stem, SnapshotError::Description(path, error.to_string())));
                }
                Err(error) => unread.push((stem, SnapshotError::File(path, error))),
            }
        }
        points.sort_by(|one: &Point, other| (one.made, &one.name).cmp(&(other.made, &other.name)));
        Ok((points, unread))
    }

    /// One point.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn point(&self, name: &PointName) -> Result<Point, SnapshotError> {
        Self::named(self.points()?, name)
    }

    /// Writes a point's description, a new one or one that changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, point: &Point) -> Result<(), SnapshotError> {
        let path = self.directory.join(format!("{}.json", point.name));
        let text = serde_json::to_vec_pretty(point)
            .map_err(|error| SnapshotError::Description(path.clone(), error.to_string()))?;
        Self::write(&path, &text)
    }

    /// Removes a point's description.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, name: &PointName) -> Result<(), SnapshotError> {
        let path = self.directory.join(format!("{name}.json"));
        std::fs::remove_file(&path).map_err(|error| SnapshotError::File(path, error))
    }

    /// The rollback that is under way, if one is.
    ///
    /// # Errors
    /// When it does not read.
    pub fn intent(&self) -> Result<Option<Intent>, SnapshotError> {
        self.note("rollback")
    }

    /// Writes down what is about to be done, before anything of it is.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may be done.
    pub fn intend(&self, intent: Option<&Intent>) -> Result<(), SnapshotError> {
        self.set_note("rollback", intent)
    }

    /// The point that is being made, if one is.
    ///
    /// # Errors
    /// When it does not read.
    pub fn making(&self) -> Result<Option<Making>, SnapshotError> {
        self.note("making")
    }

    /// Writes down that a point is about to be made, or that it is made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make(&self, making: Option<&Making>) -> Result<(), SnapshotError> {
        self.set_note("making", making)
    }

    /// The snapshots that its repository has now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn snapshots(&self) -> Result<BTreeSet<String>, SnapshotError> {
        let all = self.repository()?.snapshots()?;
        Ok(all.into_iter().map(|(id, ..)| id).collect())
    }

    fn note<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, SnapshotError> {
        let path = self.directory.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| SnapshotError::Description(path, error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SnapshotError::File(path, error)),
        }
    }

    fn set_note<T: Serialize>(&self, name: &str, note: Option<&T>) -> Result<(), SnapshotError> {
        let path = self.directory.join(name);
        let Some(note) = note else {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(SnapshotError::File(path, error))
                }
                _ => Ok(()),
            };
        };
        let text = serde_json::to_vec(note)
            .map_err(|error| SnapshotError::Description(path.clone(), error.to_string()))?;
        Self::write(&path, &text)
    }

    /// Whether a rollback of `config` was interrupted.
    #[must_use]
    pub fn is_interrupted(config: &Config) -> bool {
        Self::place(config).join("rollback").exists()
    }

    /// All of it or nothing, and on the disk.
    fn write(path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
        let written = whole::put(path, bytes, whole::Access::Private);
        written.map_err(|error| SnapshotError::File(path.to_owned(), error))
    }
}

/// Whether a point's description is called like this.
fn is_description(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    path.extension().is_some_and(|end| end == "json") && stem.parse::<PointName>().is_ok()
}
