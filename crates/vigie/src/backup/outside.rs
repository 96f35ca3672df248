//! Does: files that a project's backup has from outside of the project: finds them in what came back, says
//! where each belongs and what is there now, and puts them there where nothing is. Never writes over anything.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Error as IoError, ErrorKind, Result as IoResult};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;

/// Where they are in the project's backup, below their whole path.
pub(super) const OUTSIDE: &str = ".outside";

/// What is where a file belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum There {
    /// Nothing.
    Nothing,
    /// A file with the same content.
    Same,
    /// Something else.
    Other,
}

/// A file that belongs outside of its project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Where it is.
    pub kept: PathBuf,
    /// Where it belongs.
    pub belongs: PathBuf,
    /// What is there.
    pub there: There,
}

/// The path without its `.` and `..`, as it is written.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The files from outside that are in `directory`, to which a project came back.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn outside(directory: &Path) -> Result<Vec<Outside>, BackupError> {
    let room = directory.join(OUTSIDE);
    let mut found = Vec::new();
    let mut open = vec![room.clone()];
    while let Some(at) = open.pop() {
        let failed = |error| BackupError::File(at.clone(), error);
        let inside = match fs::read_dir(&at) {
            Ok(inside) => inside,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        for entry in inside {
            let entry = entry.map_err(failed)?;
            let (kept, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            if kind.is_dir() {
                open.push(kept);
            } else if let (true, Ok(below)) = (kind.is_file(), kept.strip_prefix(&room)) {
                let belongs = Path::new("/").join(below);
                let there = there(&kept, &belongs).map_err(failed)?;
                found.push(Outside { kept, belongs, there });
            }
        }
    }
    found.sort_by(|one, other| one.belongs.cmp(&other.belongs));
    Ok(found)
}

fn there(kept: &Path, belongs: &Path) -> IoResult<There> {
    let seen = match fs::symlink_metadata(belongs) {
        Ok(_) => fs::metadata(belongs),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(There::Nothing),
        Err(_) => return Ok(There::Other),
    };
    let is_alike = seen.is_ok_and(|seen| {
        seen.is_file() && fs::metadata(kept).is_ok_and(|kept| kept.len() == seen.len())
    });
    let same = is_alike && same(kept, belongs)?;
    Ok(if same { There::Same } else { There::Other })
}

fn same(one: &Path, other: &Path) -> IoResult<bool> {
    let (mut one, mut other) =
        (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let count = left.len().min(right.len());
        if left[..count] != right[..count] || left.is_empty() != right.is_empty() {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
        one.consume(count);
        other.consume(count);
    }
}

/// Puts them where they belong when nothing is there. What is there as it was is no longer in `directory`
/// afterwards either; only what something else is in the way of stays there. Says what was found.
///
/// # Errors
/// A file that cannot be read or written.
pub(super) fn put(directory: &Path) -> Result<Vec<Outside>, BackupError> {
    let room = directory.join(OUTSIDE);
    let mut all = outside(directory)?;
    for one in &mut all {
        let failed = |error| BackupError::File(one.belongs.clone(), error);
        if one.there == There::Nothing && !place(&room, one, &mut Vec::new()).map_err(failed)? {
            one.there = There::Other;
        }
        if one.there != There::Other {
            let removed = fs::remove_file(&one.kept);
            removed.map_err(|error| BackupError::File(one.kept.clone(), error))?;
        }
    }
    thin(&room).map_err(|error| BackupError::File(room, error))?;
    Ok(all)
}

/// Removes directories in which nothing is.
fn thin(at: &Path) -> IoResult<()> {
    let inside = match fs::read_dir(at) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        inside => inside?,
    };
    for entry in inside {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            thin(&entry.path())?;
        }
    }
    match fs::remove_dir(at) {
        Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(()),
    }
}

/// Copies a file to where it belongs, in directories that are as they were; `made` is told what was made.
/// Whether nothing came there meanwhile.
fn place(room: &Path, one: &Outside, made: &mut Vec<PathBuf>) -> IoResult<bool> {
    let parent = one.belongs.parent().unwrap_or(Path::new("/"));
    let mut at = PathBuf::from("/");
    for part in parent.components().skip(1) {
        at.push(part);
        if at.is_dir() {
            continue;
        }
        fs::DirBuilder::new().mode(0o700).create(&at)?;
        made.push(at.clone());
        alike(&room.join(at.strip_prefix("/").unwrap_or(&at)), &at)?;
    }
    let mut fresh = tempfile::Builder::new().prefix(".vigie-").tempfile_in(parent)?;
    std::io::copy(&mut File::open(&one.kept)?, fresh.as_file_mut())?;
    alike(&one.kept, fresh.path())?;
    fresh.as_file().sync_all()?;
    match fresh.persist_noclobber(&one.belongs) {
        Ok(_) => {
            made.push(one.belongs.clone());
            Ok(true)
        }
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Gives `to` the owner and the mode of `from`; only root can give away, and anybody else owned it before.
fn alike(from: &Path, to: &Path) -> IoResult<()> {
    let seen = fs::metadata(from)?;
    let _ = std::os::unix::fs::chown(to, Some(seen.uid()), Some(seen.gid()));
    fs::set_permissions(to, seen.permissions())
}

/// Files from outside that are where they belong for a while, because something is looked at that needs them;
/// gone when this is.
#[derive(Debug)]
pub(super) struct Lent(Vec<PathBuf>);

impl Drop for Lent {
    fn drop(&mut self) {
        for made in self.0.iter().rev() {
            // What somebody else put beside it stays.
            let _ = fs::remove_file(made).or_else(|_| fs::remove_dir(made));
        }
    }
}

/// Lends those of which nothing is there; nothing where there are none.
///
/// # Errors
/// A file that cannot be read or written.
pub(super) fn lend(directory: &Path) -> Result<Option<Lent>, BackupError> {
    let room = directory.join(OUTSIDE);
    let mut lent = Lent(Vec::new());
    for one in outside(directory)?.iter().filter(|one| one.there == There::Nothing) {
        let failed = |error: IoError| BackupError::File(one.belongs.clone(), error);
        place(&room, one, &mut lent.0).map_err(failed)?;
    }
    Ok((!lent.0.is_empty()).then_some(lent))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A project that came back, with these files from below `elsewhere`.
    fn back(elsewhere: &Path, files: &[(&str, &str)]) -> tempfile::TempDir {
        let project = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let belongs = elsewhere.join(name);
            let kept = project.path().join(OUTSIDE).join(belongs.strip_prefix("/").unwrap());
            fs::create_dir_all(kept.parent().unwrap()).unwrap();
            fs::write(&kept, text).unwrap();
            fs::set_permissions(&kept, fs::Permissions::from_mode(0o640)).unwrap();
        }
        project
    }

    #[test]
    fn what_is_missing_is_put_back_and_what_is_there_is_left_alone() {
        let elsewhere = tempfile::tempdir().unwrap();
        let files = [("deep/new", "new"), ("other", "kept"), ("same", "same"), ("way/x", "x")];
        let project = back(elsewhere.path(), &files);
        let at = |name: &str| elsewhere.path().join(name);
        fs::write(at("other"), "mine").unwrap();
        fs::write(at("same"), "same").unwrap();
        fs::write(at("way"), "a file where a directory was").unwrap();
        let told = put(project.path()).unwrap();
        let there: Vec<_> = told.iter().map(|one| one.there).collect();
        assert_eq!(there, [There::Nothing, There::Other, There::Same, There::Other]);
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!([read("deep/new"), read("other"), read("same")], ["new", "mine", "same"]);
        let mode = fs::metadata(at("deep/new")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        // Only what could not be put back is still beside.
        let left: Vec<_> =
            outside(project.path()).unwrap().into_iter().map(|one| one.belongs).collect();
        assert_eq!(left, [at("other"), at("way/x")]);
        fs::remove_file(at("other")).unwrap();
        fs::remove_file(at("way")).unwrap();
        assert_eq!(put(project.path()).unwrap().len(), 2);
        assert_eq!(read("way/x"), "x");
        assert!(!project.path().join(OUTSIDE).exists(), "no stray directory");
        assert_eq!(put(project.path()).unwrap(), []);
    }

    #[test]
    fn what_is_lent_is_gone_afterwards() {
        let elsewhere = tempfile::tempdir().unwrap();
        let project = back(elsewhere.path(), &[("a/b/new", "new"), ("there", "kept")]);
        fs::write(elsewhere.path().join("there"), "mine").unwrap();
        let lent = lend(project.path()).unwrap();
        assert_eq!(fs::read_to_string(elsewhere.path().join("a/b/new")).unwrap(), "new");
        drop(lent);
        assert!(!elsewhere.path().join("a").exists());
        assert_eq!(fs::read_to_string(elsewhere.path().join("there")).unwrap(), "mine");
        assert_eq!(outside(project.path()).unwrap().len(), 2);
        fs::remove_dir_all(project.path().join(OUTSIDE)).unwrap();
        assert!(lend(project.path()).unwrap().is_none());
    }

    #[test]
    fn a_path_is_plain() {
        for (path, is) in [("/srv/x/../y", "/srv/y"), ("/srv/./x", "/srv/x"), ("/../a", "/a")] {
            assert_eq!(plain(Path::new(path)), Path::new(is));
        }
    }
}
