//! Does: exchanges a directory for another in one moment: there is no time at which half of either is
//! there, also when the power goes.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// The directory beside `at` in which its successor is made.
pub(super) fn beside(at: &Path) -> PathBuf {
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    at.with_file_name(format!(".{name}.vigie-new"))
}

/// Makes room for the successor of `at`: what an interrupted exchange left there goes.
pub(crate) fn begin(at: &Path) -> std::io::Result<PathBuf> {
    let new = beside(at);
    remove(&new)?;
    Ok(new)
}

/// Removes the successor of `at` that nobody will finish, or what `at` was before an exchange.
pub(crate) fn abandon(at: &Path) -> std::io::Result<()> {
    remove(&beside(at))
}

/// Puts the successor in the place of `at`, and removes what was there.
pub(crate) fn finish(at: &Path) -> std::io::Result<()> {
    let new = beside(at);
    if let Ok(written) = std::fs::File::open(&new) {
        // The old one is removed: the new one has to be on the disk before that.
        rustix::fs::syncfs(&written)?;
    }
    match renameat_with(CWD, &new, CWD, at, RenameFlags::EXCHANGE) {
        Ok(()) => {}
        // There was nothing to exchange it for.
        Err(rustix::io::Errno::NOENT) if new.exists() => std::fs::rename(&new, at)?,
        Err(error) => return Err(error.into()),
    }
    if let Some(directory) = at.parent() {
        std::fs::File::open(directory)?.sync_all()?;
    }
    remove(&new)
}

/// Removes whatever is there, if anything is.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(seen) if seen.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_and_the_other_is_there_also_after_an_interruption() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("_data");
        std::fs::create_dir(&at).unwrap();
        std::fs::write(at.join("old"), "").unwrap();
        // Left by somebody who was killed.
        std::fs::create_dir(beside(&at)).unwrap();
        std::fs::write(beside(&at).join("half"), "").unwrap();
        let new = begin(&at).unwrap();
        std::fs::create_dir(&new).unwrap();
        std::fs::write(new.join("new"), "").unwrap();
        finish(&at).unwrap();
        assert!(at.join("new").exists() && !at.join("old").exists() && !at.join("half").exists());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no leftovers");
        std::fs::remove_dir_all(&at).unwrap();
        let new = begin(&at).unwrap();
        std::fs::create_dir(&new).unwrap();
        finish(&at).unwrap();
        assert!(at.exists(), "what was missing is there again");
    }
}
