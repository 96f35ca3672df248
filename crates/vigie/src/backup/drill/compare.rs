//! Does: compares files that came back with what a site has of them, read on another way than they were
//! brought back, and all of it under one lock.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use vigie_backup::{Piece, Repository};

use crate::backup::BackupError;

/// Bytes that are compared at once.
const AT_ONCE: usize = 64 << 10;

/// Compares what is in `into` with what the site has of the snapshot `id`: so many files and bytes, and what
/// differs. Blocks.
pub(in crate::backup) fn compare(
    repository: &Repository,
    site: &str,
    id: &str,
    into: &Path,
) -> Result<(u64, u64, Vec<String>), BackupError> {
    let failed = |error| BackupError::Site(site.to_owned(), error);
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    let (mut count, mut bytes) = (0_u64, 0_u64);
    for entry in repository.entries(id).map_err(failed)? {
        let Ok(seen) = into.join(&entry.path).symlink_metadata() else {
            wrong.push(format!("{} is missing", entry.path.display()));
            continue;
        };
        let owner = (seen.mode() & 0o7777, seen.uid(), seen.gid());
        let kept = entry.mode.map(|(mode, uid, gid)| (mode & 0o7777, uid, gid));
        let is_link = seen.is_symlink();
        if kept.is_some_and(|kept| kept != owner && !is_link) {
            wrong.push(format!("{} has another mode or owner", entry.path.display()));
        }
        if entry.kind == vigie_backup::Kind::File {
            count += 1;
            bytes += seen.len();
            files.push((entry.path, entry.size));
        }
    }
    // Read on another way than it was brought back, and all of it under one lock.
    let pieces = files.iter().map(|(path, _)| Ok(Piece::File(path.clone())));
    let mut comparison = Comparison::new(into, &files);
    let read = repository.get_woven(id, pieces, &mut comparison);
    let unread = |error| BackupError::File(into.to_owned(), error);
    read.map_err(|error| match error {
        // It is what came back that could not be read.
        vigie_backup::Error::File(_, error) => unread(error),
        error => failed(error),
    })?;
    wrong.extend(comparison.end().map_err(unread)?);
    Ok((count, bytes, wrong))
}

/// Takes what the site has of files, one after the other, and compares it with what came back.
struct Comparison<'a> {
    into: &'a Path,
    /// Those that come, with as many bytes.
    next: std::slice::Iter<'a, (PathBuf, u64)>,
    now: Option<Compared<'a>>,
    buffer: Vec<u8>,
    wrong: Vec<String>,
}

/// The file that is being compared.
struct Compared<'a> {
    path: &'a Path,
    file: File,
    /// Bytes that are still to come.
    left: u64,
    is_same: bool,
}

impl<'a> Comparison<'a> {
    fn new(into: &'a Path, files: &'a [(PathBuf, u64)]) -> Self {
        let buffer = vec![0; AT_ONCE];
        Self { into, next: files.iter(), now: None, buffer, wrong: Vec::new() }
    }

    /// Judges the file that was compared, and opens the next one; whether there is one.
    fn advance(&mut self) -> std::io::Result<bool> {
        if let Some(mut done) = self.now.take() {
            let more = done.file.read(&mut self.buffer).map_err(|error| of(done.path, &error))?;
            if !done.is_same || done.left > 0 || more > 0 {
                self.wrong.push(format!("{} has another content", done.path.display()));
            }
        }
        let Some((path, left)) = self.next.next() else { return Ok(false) };
        let file = File::open(self.into.join(path)).map_err(|error| of(path, &error))?;
        self.now = Some(Compared { path, file, left: *left, is_same: true });
        Ok(true)
    }

    /// What differs, when nothing more comes.
    fn end(mut self) -> std::io::Result<Vec<String>> {
        while self.advance()? {}
        Ok(self.wrong)
    }
}

impl Write for Comparison<'_> {
    /// Takes bytes of one file at most.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        while self.now.as_ref().is_none_or(|now| now.left == 0) {
            if !self.advance()? {
                return Err(std::io::Error::other("the site has more of it than its list says"));
            }
        }
        let Some(now) = &mut self.now else { return Ok(0) };
        let left = usize::try_from(now.left).unwrap_or(usize::MAX);
        let count = left.min(bytes.len()).min(AT_ONCE);
        let there = &mut self.buffer[..count];
        if now.is_same {
            now.is_same = match now.file.read_exact(there) {
                Ok(()) => *there == bytes[..count],
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
                Err(error) => return Err(of(now.path, &error)),
            };
        }
        now.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An error with the file that it is of.
fn of(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn files_that_came_back_otherwise_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let (at, back) = (directory.path().join("at"), directory.path().join("back"));
        let odd = OsStr::from_bytes(b"odd\xff");
        std::fs::create_dir_all(at.join("deep")).unwrap();
        // More than is compared at once, nothing, and a name that is no text.
        std::fs::write(at.join("deep/large"), vec![7_u8; 200_000]).unwrap();
        std::fs::write(at.join("empty"), "").unwrap();
        std::fs::write(at.join(odd), "odd").unwrap();
        std::fs::write(at.join("short"), "short").unwrap();
        std::fs::write(at.join("x"), "as it was").unwrap();
        let repository = Repository::create(&directory.path().join("site"), "a password").unwrap();
        let id = repository.put_tree("files:at", "one", &at).unwrap().id;
        repository.get_tree(&id, &back).unwrap();
        let compared = || compare(&repository, "disk", &id, &back).unwrap();
        assert_eq!(compared(), (5, 200_017, Vec::new()));
        let mut large = vec![7_u8; 200_000];
        large[150_000] = 8;
        std::fs::write(back.join("deep/large"), large).unwrap();
        std::fs::write(back.join("empty"), "more").unwrap();
        std::fs::write(back.join("short"), "shor").unwrap();
        std::fs::remove_file(back.join(odd)).unwrap();
        let (_, _, wrong) = compared();
        assert_eq!(
            wrong,
            [
                "odd\u{fffd} is missing",
                "deep/large has another content",
                "empty has another content",
                "short has another content",
            ]
        );
    }
}
