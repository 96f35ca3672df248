//! Does: puts the archive of a layer together from the engine's directory and looks whether it is the one
//! that the layer is named by. It follows no link, so that nothing outside of the layer is read.

use std::fs::File;
use std::io::{Error, Read as _, Result, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat};
use sha2::{Digest as _, Sha256};

use super::plan::{Part, Plan};
use super::record::shown;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// What is found out about a layer's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// It is what its name says; bytes of its archive.
    Sound(u64),
    /// It is not: somebody or something changed it.
    Another(String),
    /// Its archive cannot be put together here.
    Unreadable(String),
}

impl Proof {
    /// Whether the layer may be kept.
    pub(super) fn verdict(&self) -> std::result::Result<(), String> {
        match self {
            Self::Sound(_) => Ok(()),
            Self::Another(why) | Self::Unreadable(why) => Err(why.clone()),
        }
    }
}

/// Proves the layer `diff_id` whose files are in `directory`.
pub(super) fn prove(diff_id: &str, directory: &Path, split: &Path) -> Proof {
    let mut hash = Hash::default();
    match archive(directory, split, &mut hash) {
        Err(error) => Proof::Unreadable(format!("{}: {error}", directory.display())),
        Ok(()) => {
            let bytes = hash.bytes;
            let found = shown(hash.hash);
            if found == diff_id {
                return Proof::Sound(bytes);
            }
            Proof::Another(format!(
                "the files in {} are not those of the layer {diff_id} (they give {found}): somebody \
                 changed them, or the disk did; load the image again from where it came",
                directory.display()
            ))
        }
    }
}

fn archive(directory: &Path, split: &Path, to: &mut impl Write) -> Result<()> {
    let mut files = Files::new(directory)?;
    let mut buffer = vec![0; PIECE];
    for part in Plan::new(File::open(split)?) {
        match part? {
            Part::Bytes(bytes) => to.write_all(&bytes)?,
            Part::File { path, size } => {
                let mut file = files.open(&path)?;
                let mut left = size;
                while left > 0 {
                    let length = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
                    let count = file.read(&mut buffer[..length])?;
                    if count == 0 {
                        // The digest says then that it is another.
                        break;
                    }
                    to.write_all(&buffer[..count])?;
                    left -= count as u64;
                }
            }
        }
    }
    Ok(())
}

/// Counts and digests what is written to it.
#[derive(Default)]
pub(super) struct Hash {
    pub(super) hash: Sha256,
    pub(super) bytes: u64,
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Opens the files of a layer; the directory of the last one stays open.
struct Files {
    top: OwnedFd,
    last: Option<(PathBuf, OwnedFd)>,
}

impl Files {
    fn new(directory: &Path) -> Result<Self> {
        let top = rustix::fs::open(directory, DIRECTORY, Mode::empty())?;
        Ok(Self { top, last: None })
    }

    fn open(&mut self, path: &Path) -> Result<File> {
        let named = |error: rustix::io::Errno| Error::other(format!("{}: {error}", path.display()));
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().unwrap_or_default();
        if self.last.as_ref().is_none_or(|(known, _)| known != parent) {
            let mut open: Option<OwnedFd> = None;
            for part in parent {
                let above = open.as_ref().unwrap_or(&self.top);
                open = Some(openat(above, part, DIRECTORY, Mode::empty()).map_err(named)?);
            }
            self.last = open.map(|open| (parent.to_owned(), open));
        }
        let at = self.last.as_ref().map_or(&self.top, |(_, open)| open);
        let file = File::from(openat(at, name, PLAIN, Mode::empty()).map_err(named)?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(Error::other(format!("{} is no file", path.display())))
        }
    }
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A pipe that somebody put there must not hold anybody up.
const PLAIN: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::record::digest;
    use super::*;

    fn split(at: &Path, lines: &str) -> PathBuf {
        let path = at.join("split");
        let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        packed.write_all(lines.as_bytes()).unwrap();
        packed.finish().unwrap();
        path
    }

    #[test]
    fn a_layer_is_what_its_name_says_or_it_is_not() {
        let room = tempfile::tempdir().unwrap();
        let layer = room.path().join("diff");
        std::fs::create_dir_all(layer.join("a/b")).unwrap();
        std::fs::write(layer.join("a/b/file"), "content").unwrap();
        std::fs::write(layer.join("top"), "!").unwrap();
        let lines = "{\"type\":2,\"payload\":\"aGVhZA==\"}\n{\"type\":1,\"name\":\"a/b/file\",\"size\":7}\n\
                     {\"type\":1,\"name\":\"top\",\"size\":1}\n";
        let split = split(room.path(), lines);
        let name = digest(b"headcontent!");
        assert_eq!(prove(&name, &layer, &split), Proof::Sound(12));
        std::fs::write(layer.join("a/b/file"), "Content").unwrap();
        assert!(matches!(prove(&name, &layer, &split), Proof::Another(_)));
        std::fs::write(layer.join("a/b/file"), "short").unwrap();
        assert!(matches!(prove(&name, &layer, &split), Proof::Another(_)));
        std::fs::remove_file(layer.join("top")).unwrap();
        assert!(matches!(prove(&name, &layer, &split), Proof::Unreadable(_)));
    }

    #[test]
    fn no_link_leads_out_of_a_layer() {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join("secret"), "x").unwrap();
        let layer = room.path().join("diff");
        std::fs::create_dir(&layer).unwrap();
        std::os::unix::fs::symlink("..", layer.join("up")).unwrap();
        std::os::unix::fs::symlink("../secret", layer.join("link")).unwrap();
        for name in ["up/secret", "link"] {
            let split =
                split(room.path(), &format!("{{\"type\":1,\"name\":\"{name}\",\"size\":1}}"));
            let proof = prove(&digest(b"x"), &layer, &split);
            assert!(matches!(proof, Proof::Unreadable(_)), "{name}: {proof:?}");
        }
    }
}
