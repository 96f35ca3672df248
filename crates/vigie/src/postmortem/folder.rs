//! Does: the directory of post-mortems. What is in it is people's: a file is never overwritten, and
//! a change of one letter is a whole new file in its place or none.

use std::path::{Path, PathBuf};

use crate::whole::{self, Access};

/// By which a post-mortem is known, whatever its file is called.
const MARK: &str = "<!-- vigie: incident ";
/// Larger files are nobody's post-mortem.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Of a new file: everybody who works on the stack may read it.
const MODE: u32 = 0o644;

/// A post-mortem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Its file.
    pub path: PathBuf,
    /// Its incident.
    pub incident: u64,
    /// Its text.
    pub text: String,
}

/// What can be wrong with the directory.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It, or a file in it, cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// It, or a file in it, cannot be written.
    #[error(
        "{0} cannot be written: {1}; set `directory` in [postmortem] to one that this account can write in"
    )]
    Unwritable(PathBuf, std::io::Error),
    /// Something else has its name.
    #[error(
        "{0} is there already and is no text that vigie can read (UTF-8, at most 4 MiB); move it away, then try again"
    )]
    Taken(PathBuf),
}

/// Every post-mortem in `directory`, in the order of their incidents; none where there is no such
/// directory.
///
/// # Errors
/// See [`FolderError`].
pub fn papers(directory: &Path) -> Result<Vec<Paper>, FolderError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| FolderError::Unreadable(path, error)
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(directory)(error)),
    };
    let mut papers = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable(directory))?.path();
        let is_file =
            std::fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
        if !is_file || path.extension().is_none_or(|end| end != "md") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        if let Some(incident) = incident_of(&path, &text) {
            papers.push(Paper { path, incident, text });
        }
    }
    papers.sort_by(|one, other| (one.incident, &one.path).cmp(&(other.incident, &other.path)));
    Ok(papers)
}

/// The incident that a file is about: its mark says so, else its name.
fn incident_of(path: &Path, text: &str) -> Option<u64> {
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    let marked = text.split_once(MARK).and_then(|(_, rest)| number(rest));
    let named = || {
        let stem = path.file_stem()?.to_str()?;
        number(stem.rsplit_once("incident-")?.1)
    };
    marked.or_else(named)
}

/// Writes a new file.
///
/// # Errors
/// See [`FolderError`]; a file that exists is one.
pub fn write_new(path: &Path, text: &str) -> Result<(), FolderError> {
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        whole::put_new(path, text.as_bytes(), Access::Kept(MODE))
    };
    write().map_err(|error: std::io::Error| {
        let taken = error.kind() == std::io::ErrorKind::AlreadyExists;
        if taken && path.symlink_metadata().is_ok() {
            return FolderError::Taken(path.to_owned());
        }
        FolderError::Unwritable(path.to_owned(), error)
    })
}

/// Puts `text` in the place of a file, with the same mode and owner; what a link leads to is changed,
/// not the link.
///
/// # Errors
/// See [`FolderError`]; the old text is then still there.
pub fn replace(path: &Path, text: &str) -> Result<(), FolderError> {
    std::fs::metadata(path).map_err(|error| FolderError::Unreadable(path.to_owned(), error))?;
    let written = whole::put(path, text.as_bytes(), Access::Kept(MODE));
    written.map_err(|error| FolderError::Unwritable(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_is_known_by_its_mark_or_its_name() {
        let at = |name: &str, text: &str| incident_of(Path::new(name), text);
        assert_eq!(at("my own name.md", "x\n<!-- vigie: incident 12. -->"), Some(12));
        assert_eq!(at("2026-11-25-incident-7.md", "x"), Some(7));
        assert_eq!(at("2026-11-25-incident-7-again.md", "x"), Some(7));
        assert_eq!(at("README.md", "x"), None);
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/incident-3.md");
        assert_eq!(papers(&directory.path().join("new")).unwrap(), []);
        write_new(&path, "first").unwrap();
        write_new(&path, "second").unwrap_err();
        let found = papers(path.parent().unwrap()).unwrap();
        assert_eq!((found.len(), found[0].incident, found[0].text.as_str()), (1, 3, "first"));
        replace(&path, "third").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no leftovers");
        let why = write_new(&path, "fourth").unwrap_err().to_string();
        assert!(why.contains("is there already") && !why.contains("directory"), "{why}");
    }

    #[test]
    fn what_a_link_leads_to_is_changed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) =
            (directory.path().join("wiki.md"), directory.path().join("incident-3.md"));
        std::fs::write(&file, "first").unwrap();
        std::os::unix::fs::symlink("wiki.md", &link).unwrap();
        replace(&link, "second").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "second");
    }
}
