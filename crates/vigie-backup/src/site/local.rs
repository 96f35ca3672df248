//! Does: a repository in a directory of this machine. A file comes under its name by a rename after it
//! is on the disk; what a crash leaves has another name, and is removed by the next prune.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustic_core::Id;

use crate::store::{Area, Fault, Object, PART, Part, Store, Trouble, id};

/// A directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The repository in `path`.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    fn at(&self, object: &Object) -> PathBuf {
        self.path.join(object.path())
    }

    fn walk(path: &Path, deep: bool, found: &mut Vec<(Id, u64)>) -> Result<(), Fault> {
        let what = format!("listing {}", path.display());
        let failed = |error: std::io::Error| Fault::from_io(&what, &error);
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && deep {
                Self::walk(&entry.path(), false, found)?;
            } else if kind.is_file()
                && let Some(id) = entry.file_name().to_str().and_then(id)
            {
                match entry.metadata() {
                    Ok(meta) => found.push((id, meta.len())),
                    // Another process removed it meanwhile.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(())
    }
}

impl Store for Directory {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn make(&self) -> Result<(), Fault> {
        let failed =
            |path: &Path, error| Fault::from_io(&format!("making {}", path.display()), &error);
        for area in Area::DIRECTORIES {
            let path = self.path.join(area.name());
            fs::create_dir_all(&path).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        let mut found = Vec::new();
        Self::walk(&self.path.join(area.name()), area == Area::Data, &mut found)?;
        Ok(found)
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        match fs::metadata(self.at(object)) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::from_io(&format!("looking for {object}"), &error)),
        }
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        let failed = |error| Fault::from_io(&format!("reading {object}"), &error);
        let Some(part) = part else {
            return fs::read(self.at(object)).map(Bytes::from).map_err(failed);
        };
        let mut file = File::open(self.at(object)).map_err(failed)?;
        file.seek(SeekFrom::Start(part.offset)).map_err(failed)?;
        // A length that is not true must not reserve memory for itself.
        let there = file.metadata().map_err(failed)?.len().saturating_sub(part.offset);
        if there < part.length {
            let why = format!("reading {object}: {there} bytes of {} are there", part.length);
            return Err(Fault::new(Trouble::Short, why));
        }
        let mut content = vec![0; usize::try_from(part.length).unwrap_or(usize::MAX)];
        file.read_exact(&mut content).map_err(failed)?;
        Ok(content.into())
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        let failed = |error: std::io::Error| Fault::from_io(&format!("writing {object}"), &error);
        let at = self.at(object);
        if let Some(parent) = at.parent()
            && !parent.is_dir()
        {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        // Beside the directories, where no other program looks for files of the repository. It is
        // gone when anything below fails.
        let mut part = tempfile::Builder::new()
            .prefix(PART)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .tempfile_in(&self.path)
            .map_err(failed)?;
        for piece in content {
            part.write_all(piece).map_err(failed)?;
        }
        part.as_file().sync_all().map_err(failed)?;
        // A game server's files are of more use in memory than what was just put away.
        let _ = rustix::fs::fadvise(part.as_file(), 0, None, rustix::fs::Advice::DontNeed);
        part.persist(&at).map_err(|error| failed(error.error))?;
        // The name, too, has to be there after a power cut, or what an index names is not.
        let parent = at.parent().unwrap_or(&self.path);
        File::open(parent).and_then(|directory| directory.sync_all()).map_err(failed)
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        let failed = |error| Fault::from_io(&format!("removing {object}"), &error);
        fs::remove_file(self.at(object)).map_err(failed)
    }

    fn sweep(&self) -> Result<(), Fault> {
        let failed = |error| Fault::from_io("removing what writers left", &error);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(PART)) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}
