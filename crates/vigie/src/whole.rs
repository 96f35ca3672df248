//! Does: puts a file in its place whole: written beside it, on the disk, and only then under its name.
//! Whoever reads it meanwhile, or after a power cut, finds the old one or the new one. Never decides
//! what is in it.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What begins the names of files that are not in their place yet.
const PREFIX: &str = ".vigie-";
/// No kernel gives more, neither for the names of one file's attributes nor for a value.
const LARGEST_ATTRIBUTE: usize = 64 * 1024;

/// Whose the file is in the end, and who may read it. Only root can give a file away; the mode holds
/// whoever writes.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// As the file that is there; a new one has this mode and its directory's owner, because root may
    /// write it for somebody else.
    Kept(u32),
    /// The owner as with [`Access::Kept`], and this mode in any case.
    Mode(u32),
    /// Nobody's but of the account that writes it.
    Private,
    /// As another file has it.
    Like(&'a Path),
}

/// A file that is being written beside its place. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// Begins one. What a link leads to will be replaced, not the link; a link that leads nowhere is
    /// refused. Until it is put, its owner alone may read it.
    ///
    /// # Errors
    /// When its directory is not there or cannot be written.
    pub fn of(path: &Path) -> io::Result<Self> {
        let target = match path.symlink_metadata() {
            Ok(seen) if seen.is_symlink() => path.canonicalize()?,
            _ => path.to_owned(),
        };
        Self::beside(target)
    }

    fn beside(target: PathBuf) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory(&target))?;
        Ok(Self { file, target })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When it cannot be written to the disk; the old file is then still there.
    pub fn put(self, access: Access<'_>) -> io::Result<()> {
        let target = self.dress(access)?;
        self.file.persist(&target).map_err(|error| error.error)?;
        File::open(directory(&target))?.sync_all()
    }

    /// Puts it in its place where there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], and as for [`Draft::put`].
    pub fn put_new(self, access: Access<'_>) -> io::Result<()> {
        let target = self.dress(access)?;
        self.file.persist_noclobber(&target).map_err(|error| error.error)?;
        File::open(directory(&target))?.sync_all()
    }

    /// Gives it owner, mode and attributes, and sees to it that it is on the disk.
    fn dress(&self, access: Access<'_>) -> io::Result<PathBuf> {
        let old = self.target.metadata().ok();
        let (like, mode) = match access {
            Access::Private => (None, Some(0o600)),
            Access::Like(other) => (Some(other), None),
            Access::Kept(_) if old.is_some() => (Some(self.target.as_path()), None),
            Access::Kept(mode) => (Some(directory(&self.target)), Some(mode)),
            Access::Mode(mode) if old.is_some() => (Some(self.target.as_path()), Some(mode)),
            Access::Mode(mode) => (Some(directory(&self.target)), Some(mode)),
        };
        let seen = like.map(Path::metadata).transpose()?;
        if let Some(seen) = &seen {
            let _ = chown(self.file.path(), Some(seen.uid()), Some(seen.gid()));
        }
        if let Some(like) = like.filter(|_| seen.as_ref().is_some_and(Metadata::is_file)) {
            attributes(like, self.file.as_file());
        }
        // Behind the owner, whose change takes some bits of the mode away.
        let mode = mode.or_else(|| seen.map(|seen| seen.mode() & 0o7777));
        self.file.as_file().set_permissions(Permissions::from_mode(mode.unwrap_or(0o600)))?;
        self.file.as_file().sync_all()?;
        Ok(self.target.clone())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Puts `bytes` in the place of `path`, or there for the first time.
///
/// # Errors
/// When it cannot be written; the old file is then still there, as it was.
pub fn put(path: &Path, bytes: &[u8], access: Access<'_>) -> io::Result<()> {
    let mut draft = Draft::of(path)?;
    draft.write_all(bytes)?;
    draft.put(access)
}

/// Writes `bytes` to `path` where there is nothing; a link is something.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and when it cannot be written; nothing is left then.
pub fn put_new(path: &Path, bytes: &[u8], access: Access<'_>) -> io::Result<()> {
    let mut draft = Draft::beside(path.to_owned())?;
    draft.write_all(bytes)?;
    draft.put_new(access)
}

/// The directory of a file, also of one that is named without any.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Extended attributes and access lists, as far as this account and the file system let them be set.
fn attributes(from: &Path, to: &File) {
    let mut names = vec![0_u8; LARGEST_ATTRIBUTE];
    let Ok(length) = rustix::fs::listxattr(from, &mut names[..]) else { return };
    let mut value = vec![0_u8; LARGEST_ATTRIBUTE];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if let Ok(length) = rustix::fs::getxattr(from, name, &mut value[..]) {
            let all = rustix::fs::XattrFlags::empty();
            let _ = rustix::fs::fsetxattr(to, name, &value[..length], all);
        }
    }
}

#[cfg(test)]
mod tests;
