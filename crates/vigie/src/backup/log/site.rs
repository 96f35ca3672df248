//! Does: reads a log at a site without bringing all of it: what its pieces are, then only those that are
//! needed. Never decides which are, and never takes a name out of a site for a path.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Error as IoError, Result as IoResult, Write};
use std::path::{Path, PathBuf};

use vigie_backup::{Kind, Piece, Repository};
use vigie_core::binlog::{Covered, Position, Segment};

use crate::backup::BackupError;
use crate::backup::binlog::{COVERED, DESCRIPTION, describe, names, whole};
use crate::backup::limited::Limited;

/// Descriptions are half a kilobyte each; nobody has more of them than this.
const DESCRIPTIONS: usize = 64 << 20;
/// Stands between two of them, which are JSON.
const END: u8 = 0;

/// What a site says of a log.
#[derive(Debug, Clone, Default)]
pub(in crate::backup) struct Listed {
    /// Its pieces, in their order.
    pub(in crate::backup) segments: Vec<Segment>,
    /// How far it is known to be whole beyond its last transaction.
    pub(in crate::backup) covered: Option<Covered>,
}

/// Reads what the log in the snapshot `id` has. Blocks.
///
/// # Errors
/// The site, or a description that makes no sense.
pub(in crate::backup) fn listed(
    repository: &Repository,
    site: &str,
    id: &str,
) -> Result<Listed, BackupError> {
    let failed = |error| BackupError::Site(site.to_owned(), error);
    let entries = repository.entries(id).map_err(failed)?;
    let is_told = |path: &Path| {
        path.extension().is_some_and(|end| end == DESCRIPTION) || path == Path::new(COVERED)
    };
    let told: Vec<PathBuf> = entries
        .into_iter()
        .filter(|entry| entry.kind == Kind::File && is_told(&entry.path))
        .map(|entry| entry.path)
        .collect();
    let pieces =
        told.iter().flat_map(|path| [Ok(Piece::File(path.clone())), Ok(Piece::Bytes(vec![END]))]);
    let mut text = Limited::new(DESCRIPTIONS);
    repository.get_woven(id, pieces, &mut text).map_err(failed)?;
    let mut listed = Listed::default();
    for (path, text) in told.iter().zip(text.bytes().split(|byte| *byte == END)) {
        let wrong = |why: String| {
            let path = path.display();
            BackupError::Damaged(format!("site {site}: {path} of the log does not read: {why}"))
        };
        if path == Path::new(COVERED) {
            let read = serde_json::from_slice(text);
            listed.covered = Some(read.map_err(|error| wrong(error.to_string()))?);
            continue;
        }
        let segment: Segment =
            serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        let is_named = path == Path::new(&names(&segment)[1]);
        if !is_named || !Position::new(segment.file.clone(), Position::START).is_sound() {
            return Err(wrong(String::from("it is about another piece")));
        }
        listed.segments.push(segment);
    }
    listed.segments = whole(listed.segments);
    Ok(listed)
}

/// Brings these pieces of the log in the snapshot `id` into the directory `to`, which is made. Blocks.
///
/// # Errors
/// The site, a file.
pub(in crate::backup) fn bring<'a>(
    repository: &Repository,
    site: &str,
    id: &str,
    segments: impl Iterator<Item = &'a Segment> + Clone + Send,
    to: &Path,
) -> Result<(), BackupError> {
    let failed = |error| BackupError::File(to.to_owned(), error);
    std::fs::create_dir_all(to).map_err(failed)?;
    let pieces = segments.clone().map(|segment| {
        let [data, _] = names(segment);
        Ok(Piece::File(PathBuf::from(data)))
    });
    let next = segments.clone().map(|segment| (to.join(&names(segment)[0]), segment.size));
    let mut files = Files { next: next.collect(), open: None };
    let woven = repository.get_woven(id, pieces, &mut files);
    woven.map_err(|error| BackupError::Site(site.to_owned(), error))?;
    files.finish().map_err(failed)?;
    for segment in segments {
        describe(to, segment)?;
    }
    Ok(())
}

/// One stream into files of known lengths.
struct Files {
    next: VecDeque<(PathBuf, u64)>,
    /// The one that is written, and the bytes that it lacks.
    open: Option<(BufWriter<File>, u64)>,
}

impl Files {
    fn finish(mut self) -> IoResult<()> {
        self.flush()?;
        let is_whole = self.open.is_none_or(|(_, left)| left == 0);
        if is_whole && self.next.is_empty() {
            return Ok(());
        }
        Err(IoError::other(
            "a piece of the log is shorter at the site than it was when it was sealed",
        ))
    }
}

impl Write for Files {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if self.open.as_ref().is_none_or(|(_, left)| *left == 0) {
            self.flush()?;
            let longer =
                || IoError::other("a piece of the log is longer than it was when it was sealed");
            let (path, size) = self.next.pop_front().ok_or_else(longer)?;
            self.open = Some((BufWriter::new(File::create(path)?), size));
        }
        let Some((file, left)) = &mut self.open else { return Ok(0) };
        let size = usize::try_from(*left).unwrap_or(bytes.len()).min(bytes.len());
        let written = file.write(&bytes[..size])?;
        *left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.open.as_mut().map_or(Ok(()), |(file, _)| file.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_becomes_files_of_their_lengths_and_no_others() {
        let to = tempfile::tempdir().unwrap();
        let next = |sizes: [u64; 2]| {
            let paths = ["a", "b"].map(|name| to.path().join(name));
            Files { next: paths.into_iter().zip(sizes).collect(), open: None }
        };
        let mut files = next([3, 2]);
        files.write_all(b"abcde").unwrap();
        files.finish().unwrap();
        let read = |name: &str| std::fs::read_to_string(to.path().join(name)).unwrap();
        assert_eq!((read("a").as_str(), read("b").as_str()), ("abc", "de"));
        let mut short = next([3, 3]);
        short.write_all(b"abcde").unwrap();
        assert!(short.finish().unwrap_err().to_string().contains("shorter"));
        let mut long = next([3, 1]);
        assert!(long.write_all(b"abcde").unwrap_err().to_string().contains("longer"));
    }
}
