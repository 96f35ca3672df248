//! Does: makes the archive of a layer whose own one the engine does not remember, from its directory:
//! whiteouts and opaque directories as archives have them. The same files always give the same archive;
//! it is never the one that the layer had.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{Error as IoError, Result as IoResult, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::directories::Put;
use super::proof::Hash;
use super::record::{LayerRecord, shown};
use super::shelf::{self, Shelved};
use super::stream::TAR;
use super::{BackupError, Keeper, outlet};
use crate::runtime::docker::Layer;

/// What overlayfs itself writes down.
const OWN: &[u8] = b"trusted.overlay.";
/// Where it says that nothing of the layers below is seen in a directory.
const OPAQUE: &str = "trusted.overlay.opaque";

/// Keeps `layer`, unless what was made from it once is on the shelf.
///
/// # Errors
/// When the repository fails.
pub(super) async fn keep(
    keeper: &Keeper<'_>,
    layer: &Layer,
    shelf: &BTreeMap<String, Shelved>,
) -> Result<Put, BackupError> {
    let made = shelf.iter().find(|(_, one)| one.of.as_ref() == Some(&layer.diff_id));
    if let Some((diff_id, one)) = made {
        return Ok(Put::Kept { diff_id: diff_id.clone(), bytes: one.bytes, added: 0 });
    }
    let (directory, of) = (layer.directory.clone(), layer.diff_id.clone());
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hash = Hash::default();
        write(&directory, &mut hash).map(|()| (hash.bytes, shown(hash.hash)))
    });
    let hashed = hashed.await.map_err(|error| BackupError::Worker(error.to_string()))?;
    let (bytes, diff_id) = match hashed {
        Ok(hashed) => hashed,
        Err(error) => {
            return Ok(Put::Unreadable(format!("{}: {error}", layer.directory.display())));
        }
    };
    if let Some(one) = shelf.get(&diff_id) {
        return Ok(Put::Kept { diff_id, bytes: one.bytes, added: 0 });
    }
    let (directory, name) = (layer.directory.clone(), diff_id.clone());
    let stored = keeper.work(move |repository| {
        let (label, tags) = (shelf::label(&name), shelf::tar_tags(bytes, Some(&of)));
        outlet::put(&repository, &label, &tags, TAR, |to| {
            let mut twice = Twice { to, hash: Hash::default() };
            write(&directory, &mut twice).map_err(|error| error.to_string())?;
            let same = shown(twice.hash.hash) == name;
            if same { Ok(()) } else { Err(String::from("it changed while it was read")) }
        })
    });
    let added = stored.await?.added;
    Ok(Put::Kept { diff_id, bytes, added })
}

/// The configuration of an image whose layers are these.
///
/// # Errors
/// When it is none.
pub(super) fn renamed(config: &str, layers: &[LayerRecord]) -> Result<String, BackupError> {
    let failed = |error: serde_json::Error| BackupError::Damaged(error.to_string());
    let mut config: serde_json::Value = serde_json::from_str(config).map_err(failed)?;
    config["rootfs"]["diff_ids"] = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    serde_json::to_string(&config).map_err(failed)
}

/// Writes to both.
struct Twice<'a, W> {
    to: &'a mut W,
    hash: Hash,
}

impl<W: Write> Write for Twice<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        let count = self.to.write(bytes)?;
        self.hash.write_all(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.to.flush()
    }
}

/// Writes the archive of a layer's directory.
fn write(directory: &Path, to: &mut impl Write) -> IoResult<()> {
    let mut archive = Archive { builder: Builder::new(to), names: HashMap::new() };
    archive.directory(directory, Path::new(""))?;
    archive.builder.finish()
}

struct Archive<W: Write> {
    builder: Builder<W>,
    /// The first name of a file that has several.
    names: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Archive<W> {
    fn directory(&mut self, from: &Path, inside: &Path) -> IoResult<()> {
        let mut names = fs::read_dir(from)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<IoResult<Vec<_>>>()?;
        names.sort();
        for name in names {
            let (at, path) = (from.join(&name), inside.join(&name));
            let seen = fs::symlink_metadata(&at)?;
            self.entry(&at, &path, &name, &seen).map_err(|error| {
                IoError::new(error.kind(), format!("{}: {error}", path.display()))
            })?;
            if seen.is_dir() {
                self.directory(&at, &path)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, at: &Path, path: &Path, name: &OsStr, seen: &Metadata) -> IoResult<()> {
        let kind = seen.file_type();
        let mut header = header(seen);
        if kind.is_char_device() && seen.rdev() == 0 {
            let mut hidden = std::ffi::OsString::from(".wh.");
            hidden.push(name);
            return self.empty(&mut header, &path.with_file_name(hidden));
        }
        if !kind.is_dir() && seen.nlink() > 1 {
            let key = (seen.dev(), seen.ino());
            if let Some(first) = self.names.get(&key) {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                return self.builder.append_link(&mut header, path, first);
            }
            self.names.insert(key, path.to_owned());
        }
        let known = attributes(at)?;
        let pairs: Vec<(String, Vec<u8>)> = known
            .iter()
            .filter(|(name, _)| !name.as_bytes().starts_with(OWN))
            .map(|(name, value)| (format!("SCHILY.xattr.{name}"), value.clone()))
            .collect();
        if !pairs.is_empty() {
            let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
            self.builder.append_pax_extensions(pairs)?;
        }
        if kind.is_file() {
            header.set_size(seen.len());
            let file = File::open(at)?;
            // One that grew meanwhile is cut, one that shrank gives another digest.
            return self.builder.append_data(
                &mut header,
                path,
                std::io::Read::take(file, seen.len()),
            );
        }
        if kind.is_symlink() {
            header.set_entry_type(EntryType::Symlink);
            return self.builder.append_link(&mut header, path, fs::read_link(at)?);
        }
        if kind.is_dir() {
            header.set_entry_type(EntryType::Directory);
            self.builder.append_data(&mut header, path, std::io::empty())?;
            if known.iter().any(|(name, value)| name == OPAQUE && value == b"y") {
                return self.empty(&mut self::header(seen), &path.join(".wh..wh..opq"));
            }
            return Ok(());
        }
        header.set_entry_type(match kind {
            kind if kind.is_char_device() => EntryType::Char,
            kind if kind.is_block_device() => EntryType::Block,
            kind if kind.is_fifo() => EntryType::Fifo,
            // A socket is nothing without the process that had it.
            _ => return Ok(()),
        });
        header.set_device_major(rustix::fs::major(seen.rdev()))?;
        header.set_device_minor(rustix::fs::minor(seen.rdev()))?;
        self.builder.append_data(&mut header, path, std::io::empty())
    }

    fn empty(&mut self, header: &mut Header, path: &Path) -> IoResult<()> {
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(0);
        self.builder.append_data(header, path, std::io::empty())
    }
}

fn header(seen: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(seen.mode() & 0o7777);
    header.set_uid(seen.uid().into());
    header.set_gid(seen.gid().into());
    header.set_mtime(u64::try_from(seen.mtime()).unwrap_or(0));
    header.set_size(0);
    header
}

/// The extended attributes of an entry, in the order of their names.
fn attributes(at: &Path) -> IoResult<Vec<(String, Vec<u8>)>> {
    let mut names = vec![0; 64 << 10];
    let count = match rustix::fs::llistxattr(at, &mut names[..]) {
        Err(rustix::io::Errno::NOTSUP) => return Ok(Vec::new()),
        count => count?,
    };
    let mut all = Vec::new();
    for name in names[..count].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let count = rustix::fs::lgetxattr(at, OsStr::from_bytes(name), &mut value[..])?;
        value.truncate(count);
        all.push((String::from_utf8_lossy(name).into_owned(), value));
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use vigie_testkit::lab::skip;

    use super::*;

    const NAME: &str = "whiteouts_and_links_are_as_archives_have_them";

    #[test]
    fn whiteouts_and_links_are_as_archives_have_them() {
        if !rustix::process::geteuid().is_root() {
            skip("root", NAME, "only root makes whiteouts");
            return;
        }
        let room = tempfile::tempdir().unwrap();
        let at = room.path();
        fs::create_dir(at.join("opaque")).unwrap();
        fs::write(at.join("opaque/file"), "content").unwrap();
        fs::hard_link(at.join("opaque/file"), at.join("same")).unwrap();
        std::os::unix::fs::symlink("same", at.join("link")).unwrap();
        mknodat(CWD, at.join("opaque/gone"), FileType::CharacterDevice, Mode::empty(), 0).unwrap();
        let set = |path: &str, name: &str, value: &[u8]| {
            rustix::fs::setxattr(at.join(path), name, value, rustix::fs::XattrFlags::empty())
        };
        if set("opaque", OPAQUE, b"y").is_err() {
            skip("root", NAME, "this file system has no trusted attributes");
            return;
        }
        set("same", "user.vigie", b"kept").unwrap();
        let mut bytes = Vec::new();
        write(at, &mut bytes).unwrap();
        let mut again = Vec::new();
        write(at, &mut again).unwrap();
        assert!(bytes == again, "the same files give the same archive");
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut told = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let link = entry.link_name().unwrap().map(|to| to.display().to_string());
            let mut attributes = Vec::new();
            if let Some(pairs) = entry.pax_extensions().unwrap() {
                for pair in pairs {
                    let pair = pair.unwrap();
                    attributes.push(format!("{}={}", pair.key().unwrap(), pair.value().unwrap()));
                }
            }
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            told.push(format!("{path} {link:?} {attributes:?} {text}"));
        }
        assert_eq!(
            told,
            [
                "link Some(\"same\") [] ",
                "opaque None [] ",
                "opaque/.wh..wh..opq None [] ",
                "opaque/file None [\"SCHILY.xattr.user.vigie=kept\"] content",
                "opaque/.wh.gone None [] ",
                "same Some(\"opaque/file\") [] ",
            ]
        );
    }
}
