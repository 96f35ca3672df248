//! Does: writes an image as an archive that `docker load` takes, from its record and its layers, as a
//! stream. Each layer is proved while it is written; the archive is only whole when all of them are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error as IoError, Result as IoResult, Seek as _, Write};

use vigie_backup::{Error, Piece, Repository};

use super::directories::SPLIT;
use super::plan::{Part, Plan};
use super::proof::Hash;
use super::record::{self, Record, digits, shown};
use super::shelf::{self, How, Shelved};
use super::stream::TAR;
use crate::backup::limited::Limited;

/// A record is some kilobytes.
const RECORD: usize = 32 << 20;
/// What archives are made of.
const BLOCK: u64 = 512;

/// Reads the record in the snapshot `id`; none where the image was kept as one archive.
///
/// # Errors
/// When it cannot be read or makes no sense.
pub(in crate::backup) fn read_record(
    repository: &Repository,
    id: &str,
) -> Result<Option<Record>, Error> {
    let mut text = Limited::new(RECORD);
    match repository.get_file(id, record::FILE, &mut text) {
        Err(Error::NotThere(..)) => return Ok(None),
        other => other?,
    }
    let read = serde_json::from_slice::<Record>(text.bytes());
    let record = read.map_err(|error| unsound(id, error.to_string()))?;
    record.sound().map_err(|why| unsound(id, why))?;
    Ok(Some(record))
}

fn unsound(id: &str, why: String) -> Error {
    Error::Unreadable { what: format!("the image in {id}"), why }
}

/// Writes the image of `record` to `to`.
///
/// # Errors
/// When a layer is not there, is damaged or is another, or `to` does not take it.
pub(in crate::backup) fn write(
    repository: &Repository,
    record: &Record,
    to: &mut impl Write,
) -> Result<(), Error> {
    let shelf = shelf::read(&repository.snapshots()?);
    let mut written = BTreeSet::new();
    let mut names = Vec::new();
    for layer in &record.layers {
        let hex = digits(&layer.diff_id).unwrap_or_default();
        let name = format!("{hex}/layer.tar");
        names.push(name.clone());
        if written.insert(layer.diff_id.clone()) {
            self::layer(repository, &shelf, &layer.diff_id, layer.bytes, &name, to)?;
        }
    }
    // Last, so that an archive that was broken off is none.
    let config = format!("{}.json", digits(&record.id).unwrap_or_default());
    let manifest = serde_json::json!([{
        "Config": config, "RepoTags": record.tags, "Layers": names,
    }]);
    let failed = |error| Error::File("image.tar".into(), error);
    let mut end = || {
        member(to, &config, record.config.as_bytes())?;
        member(to, "manifest.json", manifest.to_string().as_bytes())?;
        to.write_all(&[0; 2 * BLOCK as usize])?;
        to.flush()
    };
    end().map_err(failed)
}

fn layer(
    repository: &Repository,
    shelf: &BTreeMap<String, Shelved>,
    diff_id: &str,
    bytes: u64,
    name: &str,
    to: &mut impl Write,
) -> Result<(), Error> {
    let failed = |error| Error::File(name.into(), error);
    let missing = || Error::NotThere(repository.place(), format!("the layer {diff_id}"));
    let shelved = shelf.get(diff_id).ok_or_else(missing)?;
    to.write_all(header(name, bytes).as_bytes()).map_err(failed)?;
    let mut proved = Proved { to, hash: Hash::default(), limit: bytes };
    match &shelved.how {
        How::Tar(id) => repository.get_file(id, TAR, &mut proved)?,
        How::Files { tree, split } => {
            let mut plan = tempfile::tempfile().map_err(failed)?;
            repository.get_file(split, SPLIT, &mut plan)?;
            plan.rewind().map_err(failed)?;
            let pieces = Plan::new(plan).map(|part| {
                part.map(|part| match part {
                    Part::Bytes(bytes) => Piece::Bytes(bytes),
                    Part::File { path, .. } => Piece::File(path),
                })
            });
            repository.get_woven(tree, pieces, &mut proved)?;
        }
    }
    let Proved { hash, .. } = proved;
    let count = hash.bytes;
    let found = shown(hash.hash);
    if found != diff_id || count != bytes {
        return Err(Error::Unreadable {
            what: format!("the layer {diff_id}"),
            why: format!("what is kept of it gives {found}; bring it back from another site"),
        });
    }
    pad(to, bytes).map_err(failed)
}

fn header(name: &str, bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // Names are digests, which fit.
    let _ = header.set_path(name);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(bytes);
    header.set_mtime(0);
    header.set_cksum();
    header
}

fn member(to: &mut impl Write, name: &str, bytes: &[u8]) -> IoResult<()> {
    to.write_all(header(name, bytes.len() as u64).as_bytes())?;
    to.write_all(bytes)?;
    pad(to, bytes.len() as u64)
}

fn pad(to: &mut impl Write, bytes: u64) -> IoResult<()> {
    let rest = (BLOCK - bytes % BLOCK) % BLOCK;
    to.write_all(&[0; BLOCK as usize][..usize::try_from(rest).unwrap_or(0)])
}

/// Digests what goes through it, and lets no more through than was said.
struct Proved<'a, W> {
    to: &'a mut W,
    hash: Hash,
    limit: u64,
}

impl<W: Write> Write for Proved<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if self.hash.bytes + bytes.len() as u64 > self.limit {
            return Err(IoError::other("a layer is larger than it should be"));
        }
        let count = self.to.write(bytes)?;
        self.hash.write_all(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.to.flush()
    }
}
