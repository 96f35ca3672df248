//! Decides what a layer's archive is made of, from what the engine remembers of it (tar-split): the
//! bytes between the contents of files, and the files in their order. Never reads a file of a layer.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

/// A line has one header of an archive; no honest one is longer.
const LINE: u64 = 32 << 20;
/// A file with its content.
const FILE: u8 = 1;
/// Bytes between contents.
const SEGMENT: u8 = 2;

/// A part of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// As many bytes of a file of the layer.
    File {
        /// Where it is in the layer.
        path: PathBuf,
        /// Its bytes.
        size: u64,
    },
}

/// The parts of an archive, in their order.
pub(super) struct Plan<R> {
    lines: BufReader<MultiGzDecoder<R>>,
    number: u64,
}

impl<R: Read> Plan<R> {
    /// Reads what is in a `tar-split.json.gz`.
    pub(super) fn new(packed: R) -> Self {
        Self { lines: BufReader::new(MultiGzDecoder::new(packed)), number: 0 }
    }

    fn part(&mut self) -> Result<Option<Part>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            self.number += 1;
            let count = (&mut self.lines).take(LINE).read_until(b'\n', &mut line)?;
            if count == 0 {
                return Ok(None);
            }
            if line.last() != Some(&b'\n') && line.len() as u64 >= LINE {
                return Err(self.wrong("it is too long"));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let entry: Entry =
                serde_json::from_slice(&line).map_err(|error| self.wrong(&error.to_string()))?;
            match entry.kind {
                SEGMENT => {
                    let bytes = BASE64_STANDARD.decode(entry.payload.unwrap_or_default());
                    let bytes = bytes.map_err(|error| self.wrong(&error.to_string()))?;
                    return Ok(Some(Part::Bytes(bytes)));
                }
                FILE if entry.size > 0 => {
                    let path = self.path(entry.name, entry.name_raw)?;
                    return Ok(Some(Part::File { path, size: entry.size }));
                }
                // Everything about it is in its header.
                FILE => {}
                _ => return Err(self.wrong("it is of an unknown kind")),
            }
        }
    }

    fn path(&self, name: Option<String>, raw: Option<String>) -> Result<PathBuf> {
        let name = match (name.filter(|name| !name.is_empty()), raw) {
            (Some(name), _) => name.into_bytes(),
            // What is no UTF-8 cannot stand in JSON.
            (None, Some(raw)) => BASE64_STANDARD
                .decode(raw)
                .map_err(|error| self.wrong(&format!("its name: {error}")))?,
            (None, None) => return Err(self.wrong("a file has no name")),
        };
        let named = PathBuf::from(OsString::from_vec(name));
        let mut path = PathBuf::new();
        for part in named.components() {
            match part {
                Component::Normal(part) => path.push(part),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(self.wrong("a file is outside of its layer"));
                }
            }
        }
        if path == Path::new("") { Err(self.wrong("a file has no name")) } else { Ok(path) }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::other(format!("line {} of the engine's tar-split: {why}", self.number))
    }
}

impl<R: Read> Iterator for Plan<R> {
    type Item = Result<Part>;

    fn next(&mut self) -> Option<Self::Item> {
        self.part().transpose()
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    name_raw: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    payload: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn plan(text: &str) -> Result<Vec<Part>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        Plan::new(&packed.finish().unwrap()[..]).collect()
    }

    #[test]
    fn lines_are_parts() {
        let text = "{\"type\":2,\"payload\":\"aGVhZA==\",\"position\":0}\n\
                    {\"type\":1,\"name\":\"./etc/\",\"payload\":null,\"position\":1}\n\
                    {\"type\":1,\"name\":\"./etc//passwd\",\"size\":9,\"payload\":\"AAAAAAAAAAA=\"}\n\
                    \n\
                    {\"type\":1,\"name_raw\":\"L2H/\",\"size\":1}\n";
        let odd = PathBuf::from(OsString::from_vec(vec![b'a', 0xff]));
        let parts = [
            Part::Bytes(b"head".to_vec()),
            Part::File { path: "etc/passwd".into(), size: 9 },
            Part::File { path: odd, size: 1 },
        ];
        assert_eq!(plan(text).unwrap(), parts);
    }

    #[test]
    fn what_leads_out_or_is_unknown_is_refused() {
        for (line, why) in [
            ("{\"type\":1,\"name\":\"a/../../etc/shadow\",\"size\":1}", "outside"),
            ("{\"type\":1,\"name\":\"./\",\"size\":1}", "no name"),
            ("{\"type\":1,\"size\":1}", "no name"),
            ("{\"type\":3}", "unknown kind"),
            ("{\"type\":2,\"payload\":\"*\"}", "line 1"),
            ("{\"type\":1,\"name\":\"a\",\"size\":-1}", "line 1"),
            ("no JSON", "line 1"),
        ] {
            let told = plan(line).unwrap_err().to_string();
            assert!(told.contains(why), "{line}: {told}");
        }
        assert!(Plan::new(&b"not packed"[..]).next().unwrap().is_err());
    }
}
